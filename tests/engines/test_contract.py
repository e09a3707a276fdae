"""One contract, five servers: MariaDB, MySQL and PostgreSQL are real, the others are stand-ins."""

from __future__ import annotations

import pytest

from tests.engines.contract import EngineContract
from tests.engines.worlds import (
    MariaDBWorld,
    MySQLWorld,
    OracleWorld,
    PostgreSQLWorld,
    SqlServerWorld,
)


@pytest.mark.live
@pytest.mark.xdist_group("contract-mariadb")
class TestMariaDB(EngineContract):
    world_class = MariaDBWorld


@pytest.mark.live
@pytest.mark.xdist_group("contract-mysql9")
class TestMySQL(EngineContract):
    world_class = MySQLWorld


@pytest.mark.live
@pytest.mark.xdist_group("contract-postgresql")
class TestPostgreSQL(EngineContract):
    world_class = PostgreSQLWorld


@pytest.mark.xdist_group("contract-sqlserver")
class TestSqlServer(EngineContract):
    world_class = SqlServerWorld


@pytest.mark.xdist_group("contract-oracle")
class TestOracle(EngineContract):
    world_class = OracleWorld
