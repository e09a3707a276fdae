"""The number of statements does not depend on the number of accounts, nor memory on their rows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.mysql.conftest import on
from whalefall.engines import engine

pytestmark = pytest.mark.live


def make(server, count: int) -> None:
    """Accounts with a privilege each, written as rows: CREATE USER takes milliseconds."""
    numbers = ", ".join(f"('u{n}')" for n in range(count))
    server.execute(
        "CREATE DATABASE bulk",
        "CREATE TABLE bulk.names (name varchar(16))",
        f"INSERT INTO bulk.names VALUES {numbers}",
        "CREATE USER template IDENTIFIED BY 'Se-cret1'",
        "GRANT SELECT, EVENT ON bulk.* TO template",
    )
    user_table = "global_priv" if server.label == "MariaDB" else "user"
    for table in (user_table, "db"):
        columns = [
            name
            for (name,) in server.execute(
                "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'mysql' "
                f"AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
            )
        ]
        values = ", ".join("n.name" if name == "User" else f"t.{name}" for name in columns)
        server.execute(
            f"INSERT INTO mysql.{table} SELECT {values} FROM mysql.{table} t, bulk.names n "
            "WHERE t.User = 'template'"
        )
    server.execute("FLUSH PRIVILEGES")


@contextmanager
def general_log(server) -> Iterator[list[str]]:
    """The statements that the server itself saw from others than the administrator."""
    seen: list[str] = []
    server.execute("SET GLOBAL log_output = 'TABLE'", "TRUNCATE mysql.general_log")
    server.execute("SET GLOBAL general_log = ON")
    try:
        yield seen
    finally:
        server.execute("SET GLOBAL general_log = OFF")
        rows = server.execute(
            "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND thread_id IN "
            "(SELECT thread_id FROM mysql.general_log WHERE argument LIKE 'counted@%')"
        )
        seen.extend(str(argument) for (argument,) in rows)


@pytest.mark.parametrize("count", [2000])
def test_at_most_twelve_statements_however_many_accounts(server, count):
    make(server, count)
    server.execute("CREATE USER counted IDENTIFIED BY 'Se-cret1'", "GRANT ALL ON *.* TO counted")

    opening = engine("mysql").connect(server.target("counted", "Se-cret1"))
    with general_log(server) as statements, opening as opened:
        seen = opened.observe()

    assert len([name for name in seen.accounts if name.startswith("u")]) == count
    assert len(seen.grants_of(f"u{count - 1}@%")) == 2
    assert len(statements) == opened.statements <= 12


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_five_thousand_accounts_stay_small(server):
    make(server, 5_000)

    tracemalloc.start()
    with engine("mysql").connect(server.target()) as opened:
        seen = opened.observe()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(seen.accounts) > 5_000
    assert peak < 12 * 2**20  # hence 100,000 accounts in less than 250 MB
