"""One server per version for the whole run, with the awkward fleet on it, read once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.live.postgresql import fleet
from tests.live.postgresql.effective import Effective
from tests.servers.base import Unavailable
from tests.servers.postgresql import SERVERS, PostgreSQLServer
from whalefall.engines import engine as get_engine
from whalefall.engines.base import Engine, Target
from whalefall.engines.observed import Observation

HBA = """
host all gina 10.1.0.0 255.255.0.0 trust
host all boss 10.0.0.0/8 scram-sha-256
"""
ENGINE = get_engine("postgresql")
VERSIONS = [
    # all tests on one server go to one xdist worker (--dist loadgroup), so that it starts once
    pytest.param(
        version, marks=[pytest.mark.xdist_group(f"postgresql-{version}"), pytest.mark.live]
    )
    for version in SERVERS
]


newest_only = pytest.mark.parametrize("server", VERSIONS[:1], indirect=True)
"""For what does not depend on the server's version."""


@pytest.fixture(scope="session", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[PostgreSQLServer]:
    """A fresh PostgreSQL with the fleet on it, and lines of its own in pg_hba.conf."""
    throw_away = SERVERS[request.param](hba=HBA)
    try:
        throw_away.start()
    except Unavailable as exc:
        throw_away.stop()
        if os.environ.get("CI") == "true":
            pytest.fail(str(exc))
        pytest.skip(str(exc))
    try:
        fleet.build(throw_away)
        yield throw_away
    finally:
        throw_away.stop()


@pytest.fixture(scope="session")
def engine() -> Engine:
    return ENGINE


@pytest.fixture(scope="session")
def target(server: PostgreSQLServer) -> Target:
    """The server as its administrator."""
    login = {"username": server.admin_username, "password": server.admin_password}
    return Target(server.host, server.port, database="postgres", tls_mode="off", **login)


@pytest.fixture(scope="session")
def observation(target: Target) -> Observation:
    with ENGINE.connect(target) as opened:
        return opened.observe()


@pytest.fixture(scope="session")
def effective(observation: Observation) -> Effective:
    return Effective(observation, ENGINE.rules)


@pytest.fixture
def collector(server: PostgreSQLServer, target: Target) -> Iterator[Target]:
    """The login that `collector_grants` makes, and nothing more."""
    with server.connect() as connection:
        version = str(connection.info.server_version // 10000)
        connection.execute(ENGINE.collector_grants("we\"ird'collector", version))
        connection.execute('ALTER ROLE "we""ird\'collector" PASSWORD \'collects\'')
    yield replace(target, username="we\"ird'collector", password="collects")
    _drop(server, 'we""ird\'collector')


def _drop(server: PostgreSQLServer, quoted: str) -> None:
    with server.connect() as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    for (database,) in rows:
        server.run(f'DROP OWNED BY "{quoted}"', database)
    server.run(f'DROP ROLE "{quoted}"')
