"""The login with the least rights reads everything; with fewer, the sections say so."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from whalefall.engines.observed import SectionStatus


@contextmanager
def login(server, target, *statements):
    """A login with nothing but what `statements` change; on every version."""
    server.run("CREATE ROLE poor LOGIN PASSWORD 'throw-away'")
    for database, statement, _ in statements:
        server.run(statement, database)
    try:
        yield replace(target, username="poor")
    finally:
        for database, _, back in statements:
            server.run(back, database)
        server.run("DROP ROLE poor")


def test_the_collector_reads_all_that_a_superuser_reads(engine, collector, observation):
    with engine.connect(collector) as opened:
        found = opened.observe()
    mine = {"we\"ird'collector"}
    assert found.accounts.keys() - mine == observation.accounts.keys()
    assert set(found.memberships) >= set(observation.memberships)
    for name in observation.accounts:
        assert set(found.grants_of(name)) >= set(observation.grants_of(name)), name


def test_the_collector_only_lacks_the_verifiers(engine, collector, observation):
    with engine.connect(collector) as opened:
        found = opened.observe()
    complete = {name for name, section in observation.sections.items() if section.is_complete}
    lacking = {name for name in complete if not found.sections[name].is_complete}
    assert lacking == {"verifiers"}
    assert found.accounts["bob"].attributes["password"] is None


def test_the_probe_of_the_collector_names_the_optional_grant(engine, collector):
    with engine.connect(collector) as opened:
        probe = opened.probe()
    (missing,) = probe.missing
    assert missing.sections == ("verifiers",)
    assert missing.remedy == 'GRANT SELECT ON pg_catalog.pg_authid TO "we""ird\'collector";'


def test_the_probe_of_a_superuser_misses_nothing(server, engine, target):
    with engine.connect(target) as opened:
        probe = opened.probe()
    assert probe.missing == ()
    assert (probe.vendor, probe.login, probe.tls) == ("PostgreSQL", "postgres", False)
    assert server.label == f"PostgreSQL {probe.main_version}"


def test_the_grants_that_the_probe_names_mend_it(server, engine, target):
    with login(server, target) as poor:
        with engine.connect(poor) as opened:
            missing = opened.probe().missing
        for one in missing:
            server.run(one.remedy)
        with engine.connect(poor) as opened:
            after = opened.probe().missing
        server.run("DROP OWNED BY poor")
    assert {section for one in missing for section in one.sections} >= {"hba", "sizes", "table"}
    assert after == ()


def test_without_rights_on_pg_hba_that_section_is_denied_with_the_grants(server, engine, target):
    with login(server, target) as poor, engine.connect(poor) as opened:
        section = opened.observe().sections["hba"]
    assert section.status is SectionStatus.DENIED
    assert section.message == "permission denied for pg_hba_file_rules as poor"
    assert 'GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO "poor";' in section.remedy


def test_a_database_without_connect_is_named_with_the_grant(server, engine, target):
    with login(server, target) as poor, engine.connect(poor) as opened:
        found = opened.observe()
    section = found.sections["table"]
    assert section.databases["private"] == "permission denied: poor has no CONNECT on it"
    assert section.remedy == 'GRANT CONNECT ON DATABASE "private" TO "poor";'
    assert any(grant.database == "shop" for grant in found.grants_of("reader"))


def test_a_catalog_taken_away_in_one_database_denies_that_section_there(server, engine, target):
    take = ("shop", "REVOKE SELECT ON pg_proc FROM PUBLIC", "GRANT SELECT ON pg_proc TO PUBLIC")
    with login(server, target, take) as poor, engine.connect(poor) as opened:
        found = opened.observe()
    assert "shop" in found.sections["routine"].databases
    assert "shop" not in found.sections["table"].databases
    assert any(grant.database == "shop" for grant in found.grants_of("reader"))


@pytest.mark.parametrize(
    ("catalog", "section"),
    [("pg_auth_members", "memberships"), ("pg_tablespace", "tablespace"),
     ("pg_database", "database"), ("pg_db_role_setting", "role_settings")],
)  # fmt: skip
def test_a_server_catalog_taken_away_denies_its_section(server, engine, target, catalog, section):
    take = (
        "postgres",
        f"REVOKE SELECT ON {catalog} FROM PUBLIC",
        f"GRANT SELECT ON {catalog} TO PUBLIC",
    )
    with login(server, target, take) as poor, engine.connect(poor) as opened:
        missing = opened.probe().missing
        found = opened.observe()
    assert found.sections[section].status is SectionStatus.DENIED
    assert found.sections[section].remedy == f'GRANT SELECT ON pg_catalog.{catalog} TO "poor";'
    assert found.sections[section].remedy in {one.remedy for one in missing}
    assert found.sections["accounts"].is_complete


def test_without_the_list_of_databases_nothing_in_them_is_certain(server, engine, target):
    take = (
        "postgres",
        "REVOKE SELECT ON pg_database FROM PUBLIC",
        "GRANT SELECT ON pg_database TO PUBLIC",
    )
    with login(server, target, take) as poor, engine.connect(poor) as opened:
        section = opened.observe().sections["table"]
    assert section.status is SectionStatus.DENIED
    assert section.databases == {}
