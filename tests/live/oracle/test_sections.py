"""The login with the least rights reads everything; with fewer, the sections say so."""

from __future__ import annotations

import pytest

from whalefall.engines.errors import EngineError
from whalefall.engines.observed import SectionStatus


def test_the_collector_reads_all_that_a_dba_reads(engine, newest, collector):
    with engine.connect(newest.target()) as opened:
        wanted = opened.observe()
    with engine.connect(collector) as opened:
        found = opened.observe()
    assert found.accounts == wanted.accounts
    assert found.memberships == wanted.memberships
    assert found.grants == wanted.grants
    assert [name for name, one in found.sections.items() if not one.is_complete] == []


def test_the_collector_measures_everything(engine, collector):
    with engine.connect(collector) as opened:
        list(opened.observe_databases())
        list(opened.observe_tables("USERS"))
    assert {one.is_complete for one in opened.sections.values()} == {True}


def test_the_probe_of_the_collector_misses_nothing(engine, collector):
    with engine.connect(collector) as opened:
        probe = opened.probe()
    assert probe.missing == ()
    assert (probe.vendor, probe.login, probe.main_version) == ("Oracle", "WHALEFALL", "23")
    assert probe.tls is False


@pytest.mark.parametrize(
    ("view", "sections"),
    [
        ("dba_profiles", ("profiles",)),
        ("dba_users_with_defpwd", ("default_passwords",)),
        ("dba_role_privs", ("memberships",)),
        ("dba_sys_privs", ("system",)),
        ("dba_tab_privs", ("table", "routine", "sequence", "other")),
        ("dba_col_privs", ("column",)),
        ("dba_schema_privs", ("schema",)),
        ("dba_ts_quotas", ("tablespace",)),
        ("v_$pwfile_users", ("password_file",)),
        ("dba_proxies", ("proxy",)),
        ("dba_db_links", ("links",)),
        ("dba_java_policy", ("java",)),
        ("v_$system_parameter", ("settings",)),
    ],
)
def test_one_view_taken_away_denies_its_sections_alone(engine, newest, collector, view, sections):
    newest.run(f"REVOKE SELECT ON sys.{view} FROM whalefall")
    with engine.connect(collector) as opened:
        missing = opened.probe().missing
        found = opened.observe()
    denied = {name: one for name, one in found.sections.items() if not one.is_complete}
    assert denied.keys() == set(sections)
    for section in denied.values():
        assert section.status is SectionStatus.DENIED
        assert section.message.startswith("ORA-00942: table or view does not exist")
        assert f"GRANT SELECT ON sys.{view} TO WHALEFALL;" in section.remedy
    assert {one.remedy for one in missing} == {f"GRANT SELECT ON sys.{view} TO WHALEFALL;"}
    assert found.accounts


def test_the_remedy_mends_it(engine, newest, collector):
    newest.run("REVOKE SELECT ON sys.dba_proxies FROM whalefall")
    with engine.connect(collector) as opened:
        newest.script(opened.probe().missing[0].remedy)
    with engine.connect(collector) as opened:
        assert opened.probe().missing == ()


@pytest.mark.parametrize("view", ["dba_users", "dba_roles"])
def test_without_the_list_of_users_nothing_is_read(engine, newest, collector, view):
    newest.run(f"REVOKE SELECT ON sys.{view} FROM whalefall")
    with engine.connect(collector) as opened, pytest.raises(EngineError) as caught:
        opened.observe()
    assert str(caught.value).startswith("The users cannot be read: ORA-00942")
    assert f"GRANT SELECT ON sys.{view} TO WHALEFALL;" in str(caught.value)


def test_without_java_there_are_no_java_permissions_and_nothing_is_missing(
    engine, newest, collector
):
    newest.changed().has_java = False
    with engine.connect(collector) as opened:
        assert opened.probe().missing == ()
        assert opened.observe().sections["java"].is_complete


def test_select_catalog_role_is_enough_too(engine, newest):
    newest.run(
        "CREATE USER reader IDENTIFIED BY x",
        "GRANT CREATE SESSION, SELECT_CATALOG_ROLE TO reader",
    )
    with engine.connect(newest.target("reader")) as opened:
        assert opened.probe().missing == ()
        assert {one.is_complete for one in opened.observe().sections.values()} == {True}


def test_a_role_that_is_no_default_role_does_not_help(engine, newest):
    newest.run(
        "CREATE USER reader IDENTIFIED BY x",
        "GRANT CREATE SESSION, SELECT_CATALOG_ROLE TO reader",
        "ALTER USER reader DEFAULT ROLE NONE",
    )
    with engine.connect(newest.target("reader")) as opened, pytest.raises(EngineError):
        opened.observe()
