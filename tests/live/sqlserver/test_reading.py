"""What the engine makes of every kind of principal, membership and permission."""

from __future__ import annotations

import pytest

from tests.live.sqlserver.conftest import target_of
from tests.live.sqlserver.fleet import ODD
from whalefall.engines.observed import GrantState, Kind, Scope

GRANT, DENY, REVOKE = GrantState.GRANT, GrantState.DENY, GrantState.REVOKE


def grants(observation, name, **wanted):
    found = observation.grants_of(name)
    return [g for g in found if all(getattr(g, key) == value for key, value in wanted.items())]


def roles(observation, name):
    return {m.role for m in observation.memberships if m.member == name}


@pytest.mark.parametrize(
    ("name", "kind", "can_login"),
    [
        ("sa", Kind.USER, True),
        ("CORP\\mei", Kind.USER, True),
        ("SQLBOX\\ops", Kind.GROUP, True),
        ("sysadmin", Kind.ROLE, False),
        ("public", Kind.PUBLIC, False),
        ("app_user@sales", Kind.DATABASE_USER, False),
        ("tenant@chained", Kind.DATABASE_USER, True),
        ("readers@sales", Kind.ROLE, False),
        ("till@sales", Kind.ROLE, False),
        ("public@sales", Kind.PUBLIC, False),
        ("guest@sales", Kind.PUBLIC, False),
    ],
)
def test_principals_have_their_kind(observation, name, kind, can_login):
    account = observation.accounts[name]
    assert (account.kind, account.can_login) == (kind, can_login)


@pytest.mark.parametrize(
    ("name", "is_locked"),
    [("app", False), ("locked", True), ("disabled", True), ("kept_out", True), ("expired", False)],
)
def test_a_login_is_locked_when_it_is_disabled_denied_or_locked_out(observation, name, is_locked):
    assert observation.accounts[name].is_locked is is_locked


def test_policy_and_state_of_a_login_are_attributes(observation):
    has = observation.accounts["app"].attributes
    assert (has["check_policy"], has["check_expiration"]) == (False, False)
    assert observation.accounts["expired"].attributes["expired"] is True
    assert observation.accounts["fresh"].attributes["must_change"] is True
    assert observation.accounts["lax"].attributes["blank_password"] is True
    assert observation.accounts["lazy"].attributes["name_password"] is True


def test_times_are_turned_from_the_servers_clock_to_utc(observation):
    changed = observation.accounts["app"].password_changed_at
    assert changed is not None
    assert changed.isoformat() == "2024-03-01T08:00:00+00:00"


def test_a_user_belongs_to_a_login_by_sid_and_never_by_name(observation):
    assert "lazy@sales" in roles(observation, "lax")
    assert "lazy@sales" not in roles(observation, "lazy")
    assert observation.accounts["lazy@sales"].attributes["login"] == "lax"


def test_a_user_whose_sid_no_login_has_is_orphaned(observation):
    orphaned = {n for n, a in observation.accounts.items() if a.attributes.get("orphaned")}
    assert orphaned == {"gone@sales"}


def test_dbo_is_the_databases_owner(observation):
    assert "dbo@sales" in roles(observation, "boss")
    assert grants(observation, "boss", privilege="OWNER", database="sales")[0].traits == (
        "trustworthy",
    )


def test_roles_nest_on_the_server_and_in_databases(observation):
    assert roles(observation, "inner") == {"outer"}
    assert roles(observation, "team@sales") == {"db_datareader@sales"}
    assert roles(observation, "readers@sales") == {"team@sales"}


@pytest.mark.parametrize(
    ("name", "privilege", "scope", "parts", "state", "grantable"),
    [
        ("controller", "CONTROL SERVER", Scope.SERVER, (), GRANT, True),
        ("kept_out", "CONNECT SQL", Scope.SERVER, (), DENY, False),
        ("app_user@sales", "SELECT", Scope.TABLE, ("sales", "hr", "salaries"), DENY, False),
        ("app_user@sales", "SELECT", Scope.COLUMN, ("sales", "hr", "salaries", "amount"), GRANT,
         False),
        ("clerk@sales", "EXECUTE", Scope.ROUTINE, ("sales", "dbo", "refund"), GRANT, True),
        ("auditor@sales", "SELECT", Scope.TABLE, ("sales", "dbo", "orders"), REVOKE, False),
        ("readers@sales", "SELECT", Scope.SCHEMA, ("sales", "clerks"), DENY, False),
        ("mei@sales", "CONTROL", Scope.SCHEMA, ("sales", "hr"), GRANT, False),
        ("auditor@sales", "IMPERSONATE", Scope.OTHER, ("sales", "owner_li"), GRANT, False),
        ("mimic", "IMPERSONATE", Scope.OTHER, ("boss",), GRANT, False),
        ("clerk@sales", "OWNER", Scope.SCHEMA, ("sales", "clerks"), GRANT, True),
        ("clerk@sales", "OWNER", Scope.TABLE, ("sales", "dbo", "secret"), GRANT, True),
        ("app", "LINKED LOGIN", Scope.OTHER, ("OLDBOX",), GRANT, False),
        ("public", "LINKED LOGIN", Scope.OTHER, ("ERP",), GRANT, False),
        ("db_denydatareader@sales", "SELECT", Scope.DATABASE, ("sales",), DENY, False),
    ],
)  # fmt: skip
def test_permissions_keep_scope_state_and_option(
    observation, name, privilege, scope, parts, state, grantable
):
    wanted = {"privilege": privilege, "scope": scope, "parts": parts}
    (found,) = grants(observation, name, **wanted)
    assert (found.state, found.grantable) == (state, grantable)


def test_odd_names_stay_what_they_are(observation):
    assert "it's ]odd\" 🐳" in observation.accounts
    user = f"[a@b]@[{ODD.replace(']', ']]')}]"
    (found,) = grants(observation, user, scope=Scope.COLUMN)
    assert found.parts == (ODD, "we.ird]", "t'a\"b le", "co]l'")
    assert user in roles(observation, "app")


def test_what_comes_with_the_product_is_left_out_but_extended_procedures(observation):
    system = grants(observation, "public@sales", schema="sys")
    assert {g.object for g in system} == {"xp_regread"}


def test_databases_that_are_not_online_are_named_in_their_sections(observation):
    for name in ("table", "database_accounts", "database_memberships"):
        section = observation.sections[name]
        assert section.databases == {
            "legacy": "the database is OFFLINE",
            "copy": "the database is RESTORING",
        }
    assert observation.sections["accounts"].is_complete
    assert observation.sections["memberships"].is_complete


def test_settings_are_read(observation):
    assert observation.settings["xp_cmdshell"] == "1"
    assert observation.settings["authentication"] == "mixed"


def test_sizes_of_databases_and_tables(server, engine):
    with engine.connect(target_of(server)) as opened:
        sizes = {d.name: d for d in opened.observe_databases()}
        tables = {(t.schema, t.name): t for t in opened.observe_tables("sales")}
    assert sizes["sales"].data_bytes == 1024 * 8192
    assert sizes["sales"].log_bytes == 256 * 8192
    salaries = tables["hr", "salaries"]
    assert (salaries.data_bytes, salaries.index_bytes, salaries.rows) == (5 * 8192, 2 * 8192, 12)


def test_tables_of_an_oddly_named_database(server, engine):
    with engine.connect(target_of(server)) as opened:
        (found,) = opened.observe_tables(ODD)
    assert (found.schema, found.name) == ("we.ird]", "t'a\"b le")


def test_tables_of_an_offline_database_are_denied_with_the_reason(server, engine):
    with engine.connect(target_of(server)) as opened:
        assert list(opened.observe_tables("legacy")) == []
        assert opened.sections["table_sizes"].message == "the database is OFFLINE"


@pytest.mark.parametrize("major", [11, 12, 13, 14, 16])
def test_every_version_is_read_in_full(major, engine, driver):
    from tests.fakes.tds.backend import SqlServerBackend
    from tests.fakes.tds.server import FakeSqlServer
    from tests.live.sqlserver import fleet

    with (
        FakeSqlServer(SqlServerBackend(fleet.build(major))) as running,
        engine.connect(target_of(running)) as opened,
    ):
        found = opened.observe()
    assert running.crashes == []
    assert found.sections["server"].is_complete
    assert "readers@sales" in found.accounts
