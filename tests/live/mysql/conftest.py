"""Real servers, each started once per test process and shared by the tests of its group."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.base import Unavailable
from tests.servers.mariadb import MariaDBServer, MySQLFamilyServer
from tests.servers.mysql import MySQL56Server, MySQLServer
from whalefall.engines import engine
from whalefall.engines.observed import Observation

SERVERS = {"mariadb": MariaDBServer, "mysql9": MySQLServer, "mysql56": MySQL56Server}


def on(*names: str) -> list[object]:
    """Parameters for `server`: one group per server, so that xdist starts each of them once."""
    return [pytest.param(name, id=name, marks=pytest.mark.xdist_group(name)) for name in names]


EVERY = on(*SERVERS)


def observe(server: MySQLFamilyServer, **changes: object) -> Observation:
    with engine("mysql").connect(server.target(**changes)) as opened:
        return opened.observe()


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, MySQLFamilyServer]]:
    running: dict[str, MySQLFamilyServer] = {}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture(params=EVERY)
def server(
    request: pytest.FixtureRequest, started: dict[str, MySQLFamilyServer]
) -> MySQLFamilyServer:
    """A running server, all accounts of earlier tests taken away."""
    name = request.param
    if name not in started:
        fresh = SERVERS[name]()
        try:
            fresh.start()
        except Unavailable as exc:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(exc))
        started[name] = fresh
    started[name].reset()
    return started[name]
