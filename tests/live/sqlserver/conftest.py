"""The fleet behind the wire, read once. Nothing here is a real SQL Server: the engine's page in
docs/ says what that leaves open.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.tds.backend import SqlServerBackend
from tests.fakes.tds.catalog import SqlServerCatalog
from tests.fakes.tds.server import FakeSqlServer
from tests.live.sqlserver import fleet
from tests.servers.certificates import write_certificates
from whalefall.engines import engine as get_engine
from whalefall.engines.base import Engine, Target
from whalefall.engines.observed import Observation

LIBRARIES = ("libltdl.so.7", "libgssapi_krb5.so.2", "libkrb5.so.3")


@pytest.fixture(scope="session", autouse=True)
def driver() -> None:
    """mssql-python loads without these libraries, and fails when it is to connect."""
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError as exc:
            reason = f"mssql-python needs {name}: make setup says what installs it ({exc})"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return get_engine("sqlserver")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    write_certificates(folder, "localhost")
    return folder


@pytest.fixture(scope="session")
def catalog() -> SqlServerCatalog:
    """Not to be changed: it is everybody's."""
    return fleet.build()


@pytest.fixture(scope="session")
def server(driver: None, catalog: SqlServerCatalog) -> Iterator[FakeSqlServer]:
    with FakeSqlServer(SqlServerBackend(catalog)) as running:
        yield running
    assert running.crashes == []


@pytest.fixture
def own(driver: None) -> Iterator[FakeSqlServer]:
    """A server of the test's own, with the fleet on it, whose catalog and behaviour may change."""
    with FakeSqlServer(SqlServerBackend(fleet.build())) as running:
        yield running
    assert running.crashes == []


def target_of(
    server: FakeSqlServer, login: str = fleet.ADMIN, password: str = "", **more
) -> Target:
    return Target(
        server.host, server.port, login, password or fleet.PASSWORD, **{"tls_mode": "off"} | more
    )


@pytest.fixture(scope="session")
def observation(server: FakeSqlServer, engine: Engine) -> Observation:
    with engine.connect(target_of(server)) as opened:
        return opened.observe()


def observed_by(server: FakeSqlServer, login: str, password: str = "Str0ng!") -> Observation:
    with get_engine("sqlserver").connect(target_of(server, login, password)) as opened:
        return opened.observe()
