"""What is read, besides rights: accounts, memberships, settings, traits, sections."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.live.postgresql.fleet import AWKWARD
from whalefall.engines.observed import Kind, Observation, Scope, SectionStatus

PER_DATABASE = ("schema", "table", "sequence", "column", "routine", "other")


def grants(observation: Observation, grantee: str, **where: object) -> list[object]:
    return [
        grant
        for grant in observation.grants_of(grantee)
        if all(getattr(grant, name) == value for name, value in where.items())
    ]


def test_every_role_is_an_account_and_public_is_one_too(server, observation):
    with server.connect() as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    assert observation.accounts.keys() == roles | {"public"}
    assert observation.accounts["public"].kind is Kind.PUBLIC
    assert observation.accounts["PUBLIC"].kind is Kind.USER


def test_awkward_names_arrive_unchanged(observation):
    assert set(AWKWARD) <= observation.accounts.keys()


def test_a_role_that_cannot_log_in_is_a_role_and_not_locked(observation):
    reader = observation.accounts["reader"]
    assert (reader.kind, reader.can_login, reader.is_locked) == (Kind.ROLE, False, False)


def test_connection_limit_zero_is_locked(observation):
    assert observation.accounts["dave"].is_locked
    assert not observation.accounts["alice"].is_locked


def test_valid_until_is_a_moment_and_infinity_is_none(observation):
    assert observation.accounts["bob"].valid_until == datetime(2020, 1, 1, tzinfo=UTC)
    assert observation.accounts["carol"].valid_until is None


def test_the_kind_of_the_verifier_is_told_and_never_the_verifier(observation):
    kinds = {name: observation.accounts[name].attributes["password"] for name in ("bob", "frank")}
    assert kinds == {"bob": "scram", "frank": "none"}
    assert "SCRAM-SHA-256" not in repr(observation)


def test_an_md5_verifier_is_told(server, target, engine):
    server.run("CREATE ROLE old LOGIN PASSWORD 'md5b6b9bc6dbe1b7c0c6ea9d0d3a2e7d7a5'")
    with engine.connect(target) as opened:
        accounts = {account.username: account for account in opened.observe_accounts()}
    server.run("DROP ROLE old")
    assert accounts["old"].attributes["password"] == "md5"


def test_settings_of_a_role_are_told_without_what_may_be_secret(observation):
    assert observation.accounts["alice"].attributes["settings"] == [
        "my.secret=...",
        "statement_timeout=5s",
    ]


def test_a_comment_is_a_detail(observation):
    assert observation.accounts["alice"].details == {"comment": "Alice, reporting"}


def test_every_section_is_complete_but_for_the_database_that_is_closed(observation):
    denied = {name for name, section in observation.sections.items() if not section.is_complete}
    assert denied == set(PER_DATABASE)
    assert {
        "accounts",
        "verifiers",
        "memberships",
        "database",
        "hba",
    } <= observation.sections.keys()


@pytest.mark.parametrize("section", PER_DATABASE)
def test_a_closed_database_is_named_with_the_reason(observation, section):
    found = observation.sections[section]
    assert found.status is SectionStatus.DENIED
    assert found.databases == {"closed": "it does not accept connections (datallowconn is false)"}


def test_template0_is_left_out_by_design(observation):
    assert "template0" not in observation.sections["table"].databases
    assert "template1" in {grant.database for grant in observation.grants_of("postgres")}


def test_routines_tell_whose_rights_they_run_with(observation):
    (risky,) = grants(observation, "public", object="unlock()")
    (fixed,) = grants(observation, "alice", object="unlock_safely()")
    assert risky.traits == ("search_path_open", "security_definer", "superuser_owned")
    assert fixed.traits == ("security_definer", "superuser_owned")


def test_tables_tell_whether_row_security_is_forced(observation):
    (secured,) = grants(observation, "shop_owner", object="secured", privilege="OWNER")
    (forced,) = grants(observation, "shop_owner", object="forced", privilege="OWNER")
    assert secured.traits == ("row_security",)
    assert forced.traits == ("row_security", "row_security_forced")


def test_views_and_partitions_are_told_from_tables(observation):
    kinds = {
        grant.object: (grant.object_type, grant.traits)
        for grant in grants(observation, "shop_owner", scope=Scope.TABLE, privilege="OWNER")
    }
    assert kinds["open_orders"] == ("view", ())
    assert kinds["totals"] == ("materialized view", ())
    assert kinds["parts"] == ("partitioned table", ())
    assert kinds["parts_1"] == ("table", ("partition",))


def test_partitions_can_be_left_out_unless_they_have_grants_of_their_own(target, engine):
    with engine.connect(replaced(target, options={"partitions": "collapse"})) as opened:
        observation = opened.observe()
    names = {grant.object for grant in grants(observation, "shop_owner", scope=Scope.TABLE)}
    assert "parts" in names
    assert "parts_2" in names
    assert "parts_1" not in names


def test_default_privileges_name_what_will_be_given_on_whose_objects(observation):
    (given,) = grants(observation, "reader", object_type="default privileges")
    assert (given.privilege, given.parts, given.grantor) == (
        "DEFAULT SELECT",
        ("shop", "sales", "tables of shop_owner"),
        "shop_owner",
    )
    (of_boss,) = grants(observation, "writer", object_type="default privileges")
    assert of_boss.traits == ("superuser_owned",)


def test_built_in_default_privileges_are_not_repeated(observation):
    assert grants(observation, "public", object_type="default privileges") == []


def test_user_mappings_are_read_without_their_options(observation):
    (mapped,) = grants(observation, "public", object_type="user mapping")
    assert mapped.parts == ("shop", "elsewhere")
    assert "hunter2" not in repr(observation)


def test_of_system_objects_only_what_was_granted_since_is_listed(observation):
    listed = grants(observation, "outsider", schema="pg_catalog")
    found = {(grant.privilege, grant.object) for grant in listed}
    assert found == {("EXECUTE", "pg_read_file(text)"), ("SELECT", "pg_authid")}
    assert grants(observation, "public", schema="information_schema") == []
    assert grants(observation, "public", schema="pg_catalog") == []


def test_several_grantors_make_one_membership_that_names_them(server, observation):
    with server.connect() as connection:
        if connection.info.server_version < 160000:
            pytest.skip("one grantor for each membership before 16")
    (found,) = [m for m in observation.memberships if (m.member, m.role) == ("gina", "writer")]
    assert (found.inherit, found.set, found.admin) == (False, True, True)
    assert found.grantor == "carol, postgres"


def test_large_objects_without_grants_are_one_for_each_owner(observation):
    found = grants(observation, "postgres", object_type="large object", privilege="OWNER")
    assert [grant.parts for grant in found] == [("shop", "all without grants")]
    (granted,) = grants(observation, "reader", object_type="large object")
    assert (granted.privilege, granted.parts) == ("SELECT", ("shop", "424242"))


def test_pg_hba_goes_to_the_settings(observation):
    assert '["host", ["all"], ["gina"], "10.1.0.0/16", "trust"]' in observation.settings["hba"]


def replaced(target, **changes):
    from dataclasses import replace

    return replace(target, **changes)
