"""One database with an awkward cast, read once. The servers are fakes: see tests/fakes/oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.oracle.server import FakeOracle
from whalefall.engines import engine as get_engine
from whalefall.engines.base import Engine, Target
from whalefall.engines.observed import Observation

ENGINE = get_engine("oracle")
VERSIONS = ("11.2.0.4.0", "12.1.0.2.0", "19.21.0.0.0", "23.4.0.24.5")
FLEET = (
    "CREATE PROFILE strict LIMIT FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LIFE_TIME 60 "
    "PASSWORD_VERIFY_FUNCTION ora12c_strong_verify_function SESSIONS_PER_USER DEFAULT",
    'CREATE USER app IDENTIFIED BY "secret" PROFILE strict '
    "QUOTA UNLIMITED ON users QUOTA 5M ON SYSAUX",
    "CREATE USER alice IDENTIFIED BY x",
    "CREATE USER bob IDENTIFIED BY x ACCOUNT LOCK",
    "CREATE USER carol IDENTIFIED BY x PASSWORD EXPIRE",
    "CREATE USER ops$dave IDENTIFIED EXTERNALLY",
    "CREATE USER owner_only NO AUTHENTICATION",
    "CREATE USER hr IDENTIFIED BY x",
    'CREATE USER "it\'s ]a 🐘 [name]" IDENTIFIED BY x',
    "CREATE ROLE team_rw",
    "CREATE ROLE inner_role",
    "CREATE ROLE secured IDENTIFIED BY pw",
    'CREATE ROLE "Mixed Case"',
    "CREATE TABLE hr.emp",
    "CREATE SEQUENCE hr.emp_seq",
    "CREATE PACKAGE hr.pay",
    "GRANT CREATE SESSION TO app, alice, bob, carol",
    "GRANT CREATE SESSION TO hr WITH ADMIN OPTION",
    "GRANT inner_role TO team_rw",
    "GRANT team_rw TO app WITH ADMIN OPTION",
    "GRANT dba, secured, team_rw TO alice",
    "ALTER USER alice DEFAULT ROLE ALL EXCEPT dba",
    'GRANT "Mixed Case" TO "it\'s ]a 🐘 [name]" WITH DELEGATE OPTION',
    "GRANT SELECT ON hr.emp TO inner_role",
    "GRANT SELECT, UPDATE (sal, comm) ON hr.emp TO app WITH GRANT OPTION",
    "GRANT REFERENCES ON hr.emp TO team_rw WITH HIERARCHY OPTION",
    "GRANT SELECT ON hr.emp_seq TO app",
    "GRANT EXECUTE ON hr.pay TO team_rw",
    "GRANT READ, WRITE ON DIRECTORY dump_dir TO app",
    "GRANT SELECT ANY TABLE TO team_rw WITH ADMIN OPTION",
    "GRANT SYSDBA TO bob",
    "ALTER USER hr GRANT CONNECT THROUGH app WITH NO ROLES",
    "CREATE PUBLIC DATABASE LINK backdoor CONNECT TO remote_user IDENTIFIED BY x",
)


def build(server: FakeOracle) -> FakeOracle:
    server.run(*FLEET)
    dictionary = server.changed()
    dictionary.users["BOB"].default_password = True
    dictionary.users["APP"].last_login = "2026-05-06 07:08:09"
    dictionary.java = [("APP", "java.io.FilePermission", "<<ALL FILES>>", "read")]
    dictionary.parameters = {"sec_case_sensitive_logon": "TRUE", "os_roles": "FALSE"}
    if server.number >= 230000:
        server.run("GRANT UPDATE ANY TABLE ON SCHEMA hr TO app")
    return server


@pytest.fixture(scope="session", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[FakeOracle]:
    with build(FakeOracle(request.param)) as running:
        yield running


@pytest.fixture
def newest() -> Iterator[FakeOracle]:
    """A server of its own, to be changed."""
    with build(FakeOracle("23.4.0.24.5")) as running:
        yield running


@pytest.fixture(scope="session")
def engine() -> Engine:
    return ENGINE


@pytest.fixture(scope="session")
def target(server: FakeOracle) -> Target:
    return server.target()


@pytest.fixture(scope="session")
def observation(target: Target) -> Observation:
    with ENGINE.connect(target) as opened:
        return opened.observe()


@pytest.fixture
def collector(newest: FakeOracle) -> Target:
    """The login that the shipped script makes, and nothing more."""
    newest.script(ENGINE.collector_grants("whalefall", "23.4"))
    return replace(newest.target(), username="whalefall", password="********")
