"""Real servers of these tests, each started once per test process when first asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.base import ThrowAwayServer, Unavailable
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgresql import PostgreSQL18
from tests.servers.redis import RedisServer
from tests.sync import cast
from whalefall.instances.models import Instance


def started(server: ThrowAwayServer) -> Iterator[ThrowAwayServer]:
    try:
        server.start()
    except Unavailable as exc:
        server.stop()
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(exc))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDBServer]:
    yield from started(MariaDBServer())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL18]:
    yield from started(PostgreSQL18())


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    yield from started(RedisServer())


@pytest.fixture
def orders_db(mariadb: MariaDBServer) -> Instance:
    """A MariaDB as the administrator sees it, with nobody on it but the server's own accounts."""
    mariadb.reset()
    return cast.on("orders-db", mariadb)
