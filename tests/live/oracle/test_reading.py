"""What is read from a database, through the driver and over the wire, on every version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from whalefall.engines.observed import Kind, Scope

AWKWARD = "it's ]a 🐘 [name]"


def grants(observation, name, scope):
    return {
        (one.privilege, *one.parts, one.grantable)
        for one in observation.grants_of(name)
        if one.scope is scope
    }


def test_users_roles_and_public_are_told_apart(observation):
    kinds = {name: account.kind for name, account in observation.accounts.items()}
    assert kinds["APP"] is kinds[AWKWARD] is kinds["SYS"] is Kind.USER
    assert kinds["TEAM_RW"] is kinds["Mixed Case"] is kinds["DBA"] is Kind.ROLE
    assert kinds["PUBLIC"] is Kind.PUBLIC


@pytest.mark.parametrize(
    ("name", "can_login", "is_locked", "expired"),
    [
        ("APP", True, False, False),
        ("BOB", True, True, False),
        ("CAROL", True, False, True),
        ("OUTLN", True, True, True),
        ("OWNER_ONLY", False, False, False),
        ("OPS$DAVE", True, False, False),
    ],
)
def test_the_state_of_a_user(observation, name, can_login, is_locked, expired):
    account = observation.accounts[name]
    assert (account.can_login, account.is_locked) == (can_login, is_locked)
    assert account.attributes["password_expired"] is expired


def test_times_and_attributes(observation, server):
    app = observation.accounts["APP"]
    assert app.valid_until == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    has_last_login = server.number >= 120100
    assert app.last_login_at == (
        datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC) if has_last_login else None
    )
    has_change = server.number >= 120200
    assert (app.password_changed_at is not None) is has_change
    assert app.attributes["authentication"] == "PASSWORD"
    assert app.attributes["password_versions"] == ["11G", "12C"]
    assert observation.accounts["OPS$DAVE"].attributes["authentication"] == "EXTERNAL"


def test_what_came_with_the_product_is_known_on_every_version(observation):
    maintained = {
        name
        for name, account in observation.accounts.items()
        if account.attributes.get("oracle_maintained")
    }
    assert {"SYS", "SYSTEM", "OUTLN", "DBA", "CONNECT"} <= maintained
    assert maintained.isdisjoint({"APP", "TEAM_RW", "HR"})


def test_limits_of_a_profile_are_looked_up_in_default(observation):
    limits = observation.accounts["APP"].attributes["limits"]
    assert limits["FAILED_LOGIN_ATTEMPTS"] == "3"
    assert limits["SESSIONS_PER_USER"] == "UNLIMITED", "DEFAULT in the profile itself"
    assert observation.accounts["ALICE"].attributes["limits"]["PASSWORD_LIFE_TIME"] == "180"


def test_default_passwords_are_marked(observation):
    assert observation.accounts["BOB"].attributes["default_password"] is True
    assert observation.accounts["APP"].attributes["default_password"] is False


def test_memberships_with_their_options(observation):
    found = {(one.member, one.role): one for one in observation.memberships}
    assert found["APP", "TEAM_RW"].admin
    assert not found["ALICE", "DBA"].default
    assert found["ALICE", "TEAM_RW"].default
    assert found["TEAM_RW", "INNER_ROLE"]


def test_the_delegate_option_is_kept(observation, server):
    delegated = grants(observation, AWKWARD, Scope.OTHER)
    wanted = {("DELEGATE", "Mixed Case", False)} if server.number >= 120100 else set()
    assert delegated == wanted


def test_system_privileges_with_admin_option(observation):
    assert grants(observation, "TEAM_RW", Scope.SYSTEM) == {("SELECT ANY TABLE", True)}
    assert grants(observation, "APP", Scope.SYSTEM) == {("CREATE SESSION", False)}


def test_object_and_column_privileges_with_grant_option(observation):
    tables = grants(observation, "APP", Scope.TABLE)
    assert ("SELECT", "HR", "EMP", True) in tables
    assert grants(observation, "APP", Scope.COLUMN) == {
        ("UPDATE", "HR", "EMP", "SAL", True),
        ("UPDATE", "HR", "EMP", "COMM", True),
    }


def test_hierarchy_is_a_trait(observation):
    (reference,) = [
        one for one in observation.grants_of("TEAM_RW") if one.privilege == "REFERENCES"
    ]
    assert reference.traits == ("hierarchy",)


def test_kinds_of_objects_where_the_view_tells_them(observation, server):
    assert grants(observation, "TEAM_RW", Scope.ROUTINE) == {("EXECUTE", "HR", "PAY", False)}
    others = grants(observation, "APP", Scope.OTHER)
    assert {("READ", "DUMP_DIR", False), ("WRITE", "DUMP_DIR", False)} <= others
    sequences = grants(observation, "APP", Scope.SEQUENCE)
    wanted = {("SELECT", "HR", "EMP_SEQ", False)} if server.number >= 120100 else set()
    assert sequences == wanted


def test_schema_privileges_since_23ai(observation, server):
    found = grants(observation, "APP", Scope.SCHEMA) - {("OWNER", "APP", False)}
    wanted = {("UPDATE ANY TABLE", "HR", False)} if server.number >= 230000 else set()
    assert found == wanted


def test_everybody_owns_the_schema_of_his_name(observation):
    assert ("OWNER", "HR", False) in grants(observation, "HR", Scope.SCHEMA)
    assert not grants(observation, "TEAM_RW", Scope.SCHEMA)


def test_quotas_password_file_proxies_links_and_java(observation):
    assert grants(observation, "APP", Scope.TABLESPACE) == {
        ("QUOTA", "USERS", False),
        ("QUOTA", "SYSAUX", False),
    }
    assert grants(observation, "BOB", Scope.SERVER) == {("SYSDBA", False)}
    others = grants(observation, "APP", Scope.OTHER)
    assert ("PROXY", "HR", False) in others
    assert ("JAVA PERMISSION", "java.io.FilePermission <<ALL FILES>> read", False) in others
    assert ("DATABASE LINK", "BACKDOOR", False) in grants(observation, "PUBLIC", Scope.OTHER)


def test_publics_grants_stand_on_public_alone(observation):
    assert ("EXECUTE", "SYS", "UTL_HTTP", False) in grants(observation, "PUBLIC", Scope.ROUTINE)
    holders = {
        name
        for name in observation.accounts
        if any(one.object == "UTL_HTTP" for one in observation.grants_of(name))
    }
    assert holders == {"PUBLIC"}


def test_everything_is_complete_for_a_dba(observation):
    assert [name for name, one in observation.sections.items() if not one.is_complete] == []


def test_the_version_is_that_of_the_release_update(observation, server):
    assert observation.version == server.full_version
    assert observation.main_version in ("11.2", "12.1", "19", "23")
    assert observation.settings["os_roles"] == "FALSE"


def test_dates_are_turned_from_the_servers_time_into_utc(engine, newest):
    newest.offset = "+05:30"
    with engine.connect(newest.target()) as opened:
        app = opened.observe().accounts["APP"]
    assert app.valid_until == datetime(2027, 1, 1, 21, 34, 5, tzinfo=UTC)
    assert app.last_login_at == datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
