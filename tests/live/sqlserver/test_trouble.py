"""What goes wrong while it is read: each section says so, the others still arrive."""

from __future__ import annotations

import time

import pytest
import sqlglot
from sqlglot import exp

from tests.fakes.tds.server import SqlError
from tests.live.sqlserver.conftest import observed_by, target_of
from whalefall.engines.errors import ConnectionLost, EngineError
from whalefall.engines.observed import SectionStatus

DENIED, FAILED = SectionStatus.DENIED, SectionStatus.FAILED


def read(server, engine, **more):
    with engine.connect(target_of(server, **more)) as opened:
        return opened.observe()


def test_without_view_any_definition_the_accounts_are_not_taken_for_all(own, engine):
    """The server shows fewer rows and no error."""
    with pytest.raises(EngineError, match="no VIEW ANY DEFINITION") as caught:
        observed_by(own, "app")
    assert caught.value.remedy == "GRANT VIEW ANY DEFINITION TO [app];"


def test_probe_names_each_missing_right_and_the_grant_that_mends_it(own, engine):
    with engine.connect(target_of(own, "runner", "Str0ng!")) as opened:
        missing = {each.privilege: each.remedy for each in opened.probe().missing}
    assert missing["VIEW ANY DEFINITION"] == "GRANT VIEW ANY DEFINITION TO [runner];"
    assert "entering the database chained" in missing
    assert "VIEW SERVER STATE" not in missing  # processadmin may alter, and so see, that state


def test_a_database_that_may_not_be_entered_is_denied_with_the_remedy(own, engine):
    own.backend.server.grant("VIEW ANY DEFINITION", "app")
    found = observed_by(own, "app")
    section = found.sections["table"]
    assert section.databases["chained"] == "app may not enter the database"
    assert "GRANT CONNECT ANY DATABASE TO [app];" in section.remedy
    assert "sales" not in section.databases
    assert found.sections["accounts"].is_complete


def test_on_2012_the_remedy_is_a_user_in_that_database(driver, engine):
    from tests.fakes.tds.backend import SqlServerBackend
    from tests.fakes.tds.server import FakeSqlServer
    from tests.live.sqlserver import fleet

    with FakeSqlServer(SqlServerBackend(fleet.build(11))) as old:
        old.backend.server.grant("VIEW ANY DEFINITION", "app")
        section = observed_by(old, "app").sections["table"]
    assert "USE [chained]; CREATE USER [app];" in section.remedy


def test_definitions_denied_in_one_database_make_it_incomplete(own, engine):
    server = own.backend.server
    server.grant("VIEW ANY DEFINITION", "app")
    server.databases["sales"].deny("VIEW DEFINITION", to="app_user")
    section = observed_by(own, "app").sections["table"]
    assert "sees a part only" in section.databases["sales"]


def test_password_hashes_are_a_section_of_their_own(own, engine):
    server = own.backend.server
    server.grant("VIEW ANY DEFINITION", "app")
    found = observed_by(own, "app")
    assert found.sections["passwords"].status is DENIED
    assert found.accounts["lax"].attributes["blank_password"] is None


def test_a_database_that_goes_offline_in_the_middle_is_one_section_entry(own, engine):
    words = "Database 'chained' cannot be opened because it is offline."
    catalog = own.backend.server
    original = own.backend.answer

    def answer(session, sql, parameters):
        if "[chained].sys.database_permissions" in sql:
            catalog.databases["chained"].state = "OFFLINE"
        yield from original(session, sql, parameters)

    own.backend.answer = answer
    found = read(own, engine)
    section = found.sections["table"]
    assert words in section.databases["chained"]
    assert found.sections["database_memberships"].databases.keys() == {"legacy", "copy"}
    assert any(g.privilege == "EXECUTE" for g in found.grants_of("clerk@sales"))


def test_a_statement_that_takes_too_long_is_its_sections_failure(own, engine):
    own.behaviour.delay, own.behaviour.delay_where = 60, "sys.linked_logins"
    found = read(own, engine, statement_timeout=4)
    assert found.sections["linked_servers"].status is FAILED
    assert "longer than 4 s" in found.sections["linked_servers"].message
    assert found.sections["table"].databases.keys() == {"legacy", "copy"}


def test_a_server_that_dies_while_it_answers_is_a_lost_connection(own, engine):
    own.behaviour.dies_where = "sys.server_permissions"
    with pytest.raises(ConnectionLost, match="went away"):
        read(own, engine)


def test_a_server_that_freezes_while_it_answers_is_given_up(own, engine, monkeypatch):
    monkeypatch.setattr("whalefall.engines.sqlserver.connection.GRACE", 1)
    own.behaviour.freezes_where = "sys.server_role_members"
    began = time.monotonic()
    with pytest.raises((ConnectionLost, EngineError)):
        read(own, engine, statement_timeout=1)
    assert time.monotonic() - began < 10


def test_denied_on_one_view_is_that_section(own, engine):
    words = "The SELECT permission was denied on the object 'linked_logins', database 'master'."
    own.behaviour.breaks["sys.linked_logins"] = SqlError(229, words)
    found = read(own, engine)
    assert found.sections["linked_servers"].status is DENIED
    assert found.sections["linked_servers"].message == words
    assert found.sections["server"].is_complete


def test_no_view_server_state_denies_the_tables_sizes(own, engine):
    server = own.backend.server
    server.grant("VIEW ANY DEFINITION", "lazy")
    with engine.connect(target_of(own, "lazy", "lazy")) as opened:
        assert list(opened.observe_tables("sales")) == []
        section = opened.sections["table_sizes"]
    assert section.status is DENIED
    assert section.remedy == "GRANT VIEW SERVER STATE TO [lazy];"


def test_only_reading_statements_are_sent(own, engine):
    with engine.connect(target_of(own)) as opened:
        opened.probe()
        opened.observe()
        list(opened.observe_databases())
        list(opened.observe_tables("sales"))
    for sql in own.statements:
        kinds = {type(tree) for tree in sqlglot.parse(sql, dialect="tsql") if tree}
        assert kinds <= {exp.Select, exp.Union, exp.Set, exp.Command}
        commands = [line for line in sql.splitlines() if line.startswith("SET")]
        assert commands == ["SET LANGUAGE us_english; SET LOCK_TIMEOUT 10000;"]
