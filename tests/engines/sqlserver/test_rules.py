"""What the rules make of grants and denials. The live tests compare whole instances."""

from __future__ import annotations

import pytest

from tests.engines.sqlserver.cast import RULES, Judged
from tests.fakes.tds.catalog import SqlServerCatalog
from whalefall.engines.base import Reference
from whalefall.engines.observed import Scope
from whalefall.engines.sqlserver.permissions import implied_by
from whalefall.engines.sqlserver.rules import mark

TABLE = ("shop", "dbo", "orders")


@pytest.fixture
def shop():
    server = SqlServerCatalog()
    server.login("app")
    made = server.database("shop")
    made.user("app", "app")
    made.table("dbo.orders", "id", "total")
    return made


def tokens_of(shop, name="app"):
    judged = Judged(shop.server)
    return judged.facts.of(judged.observation.accounts[name]).tokens


def test_a_table_permission_follows_from_schema_database_and_server():
    assert set(implied_by(Scope.TABLE, "SELECT", TABLE)) == {
        (Scope.TABLE, "SELECT", TABLE),
        (Scope.TABLE, "CONTROL", TABLE),
        (Scope.SCHEMA, "SELECT", TABLE[:2]),
        (Scope.SCHEMA, "CONTROL", TABLE[:2]),
        (Scope.DATABASE, "SELECT", TABLE[:1]),
        (Scope.DATABASE, "CONTROL", TABLE[:1]),
        (Scope.SERVER, "SELECT ALL USER SECURABLES", ()),
        (Scope.SERVER, "CONTROL SERVER", ()),
    }


def test_covering_leaves_out_what_is_denied_and_lets_owners_and_sysadmin_in():
    found = list(RULES.covering("SELECT", Scope.TABLE, TABLE))
    wide = next(r for r in found if (r.scope, r.privilege) == (Scope.DATABASE, "SELECT"))
    assert mark((Scope.TABLE, "SELECT", TABLE)) in wide.unless
    assert mark((Scope.SCHEMA, "CONTROL", TABLE[:2])) in wide.unless
    assert Reference(Scope.SCHEMA, "OWNER", TABLE[:2]) in found
    assert Reference(Scope.TABLE, capability="SYSADMIN") in found


def test_a_denial_takes_the_grant(shop):
    shop.grant("SELECT", "schema:dbo", to="app")
    assert "priv:schema:SELECT@shop.dbo" in tokens_of(shop)
    shop.deny("SELECT", to="app")
    assert "priv:schema:SELECT@shop.dbo" not in tokens_of(shop)


def test_a_denial_of_control_takes_everything_on_the_thing(shop):
    shop.grant("SELECT", "dbo.orders", to="app")
    shop.deny("CONTROL", "dbo.orders", to="app")
    assert not [t for t in tokens_of(shop) if t.startswith("priv:table")]


def test_a_grant_denied_in_part_says_what_is_missing(shop):
    shop.add("db_datareader", "app")
    shop.deny("SELECT", "dbo.orders", to="app")
    wanted = "trait:database:SELECT:denied:table:SELECT@[shop].[dbo].[orders]"
    assert wanted in tokens_of(shop)


def test_another_permission_is_not_touched_by_a_denial(shop):
    shop.grant("INSERT", "dbo.orders", to="app")
    shop.deny("SELECT", "dbo.orders", to="app")
    traits = [t for t in tokens_of(shop) if "denied:" in t and t.startswith("trait:table:INSERT")]
    assert traits == []


def test_a_fixed_role_may_deny(shop):
    shop.grant("SELECT", "dbo.orders", to="app")
    shop.add("db_denydatareader", "app")
    assert "priv:table:SELECT" not in tokens_of(shop)


def test_what_is_denied_to_public_is_denied_to_all(shop):
    shop.grant("SELECT", "dbo.orders", to="app")
    shop.deny("SELECT", "dbo.orders", to="public")
    assert "priv:table:SELECT" not in tokens_of(shop)


def test_an_owner_is_not_bound_by_a_denial(shop):
    shop.schema("own", owner="app")
    shop.table("own.t", "id")
    shop.grant("SELECT", "own.t", to="app")
    shop.grant("SELECT", "own.t", to="app", column="id")
    shop.deny("SELECT", "schema:own", to="app")
    assert "priv:column:SELECT@shop.own.t.id" in tokens_of(shop)


def test_a_sysadmin_is_not_bound_by_a_denial(shop):
    shop.grant("INSERT", "dbo.orders", to="app")
    shop.deny("INSERT", to="app")
    assert "priv:table:INSERT" not in tokens_of(shop)
    shop.server.add("sysadmin", "app")
    assert "priv:table:INSERT" in tokens_of(shop)


def test_a_column_granted_beats_its_table_denied(shop):
    shop.grant("SELECT", "dbo.orders", to="app", column="total")
    shop.deny("SELECT", "dbo.orders", to="app")
    assert "priv:column:SELECT@shop.dbo.orders.total" in tokens_of(shop)
    shop.server.settings["common criteria compliance enabled"] = 1
    assert "priv:column:SELECT@shop.dbo.orders.total" not in tokens_of(shop)


@pytest.mark.parametrize(
    ("scope", "sections"),
    [
        (Scope.SERVER, {"server", "memberships"}),
        (Scope.SCHEMA, {"schema", "database", "database_accounts", "database_memberships",
                        "server", "memberships"}),
    ],
)  # fmt: skip
def test_a_right_that_is_missing_may_be_in_any_of_these(scope, sections):
    assert set(RULES.sections_for_scope(scope)) == sections


def test_an_offline_database_leaves_the_servers_rights_known():
    for name in ("SUPERUSER", "GRANT_ADMIN", "LOCKED", "SERVER_ALTER"):
        assert not {"database_accounts", "table"} & set(RULES.sections_for_capability(name))
