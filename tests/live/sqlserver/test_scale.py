"""Rows of the catalog stream: none of them is kept by the connection."""

from __future__ import annotations

import tracemalloc

from tests.fakes.tds.backend import SqlServerBackend
from tests.fakes.tds.catalog import Login, Permission, SqlServerCatalog, User, sid_of
from tests.fakes.tds.server import FakeSqlServer
from tests.live.sqlserver.conftest import target_of
from tests.live.sqlserver.fleet import PASSWORD


def crowd(logins: int, databases: int = 2) -> SqlServerCatalog:
    server = SqlServerCatalog()
    server.logins["sa"].password = PASSWORD
    made = [Login(1000 + n, f"app{n:05}", "S", sid_of(f"app{n}")) for n in range(logins)]
    server.logins |= {each.name: each for each in made}
    server.permissions += [Permission(100, 0, 0, e.id, 1, "CONNECT SQL", "G") for e in made]
    for number in range(databases):
        inside = server.database(f"shop{number}")
        users = [User(100 + n, e.name, "S", e.sid, 1) for n, e in enumerate(made)]
        inside.users |= {u.name: u for u in users}
        inside.members += [(u.id, 16390) for u in users]
        inside.permissions += [Permission(0, 0, 0, u.id, 1, "CONNECT", "G") for u in users]
    return server


def test_rows_stream(driver, engine):
    """Ten times the rows must not need ten times the memory while they are read one by one."""
    with (
        FakeSqlServer(SqlServerBackend(crowd(5000, databases=1))) as running,
        engine.connect(target_of(running)) as opened,
    ):
        next(rows := opened.connection.records(opened.sql("server_permissions")))
        tracemalloc.start()
        for _ in rows:
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000
