"""The login of the shipped script reads everything, and holds nothing else."""

from __future__ import annotations

import re

import pytest

from tests.fakes.tds.catalog import SqlServerCatalog
from tests.live.sqlserver.conftest import observed_by


def run_script(server: SqlServerCatalog, script: str, login: str) -> None:
    """The statements of the script that a catalog knows: CREATE LOGIN and GRANT."""
    server.login(login)
    for privilege in re.findall(r"^GRANT (.+?) TO \[", script, re.M):
        server.grant(privilege, login)


def test_the_collector_sees_what_sa_sees(own, engine, observation):
    server = own.backend.server
    run_script(server, engine.collector_grants("watch'er]"), "watch'er]")
    found = observed_by(own, "watch'er]")
    incomplete = {n for n, s in found.sections.items() if not s.is_complete}
    ours = {n for n, s in observation.sections.items() if not s.is_complete}
    assert incomplete == ours | {"passwords"}
    assert found.accounts.keys() - {"watch'er]"} == observation.accounts.keys()
    assert {g.privilege for g in found.grants["watch'er]"]} == {
        "CONNECT SQL", "VIEW ANY DEFINITION", "VIEW SERVER STATE", "CONNECT ANY DATABASE",
    }  # fmt: skip


@pytest.mark.parametrize("version", ["", "2014", "16.0.1000", "2022"])
def test_since_2014_one_grant_opens_every_database(engine, version):
    script = engine.collector_grants("w", version)
    assert "GRANT CONNECT ANY DATABASE TO [w];" in script
    assert "CREATE USER" not in script


@pytest.mark.parametrize("version", ["2012", "11.0.7001"])
def test_on_2012_each_database_gets_a_user(engine, version):
    script = engine.collector_grants("o'b]", version)
    assert "CONNECT ANY DATABASE TO" not in script
    assert "IF USER_ID(N''o''''b]'') IS NULL CREATE USER [o''b]]];" in script


def test_azure_has_a_script_of_its_own(engine):
    assert "CREATE USER [w] WITH PASSWORD" in engine.collector_grants("w", "Azure SQL")


def test_no_password_is_in_the_script(engine):
    assert "N'<password>'" in engine.collector_grants()
