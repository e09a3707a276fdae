"""Memberships, attributes, ownership and coverage, without a server."""

from __future__ import annotations

from tests.engines.postgresql.cast import RULES, account, facts_of, grant, member, observed
from whalefall.engines.base import Reference
from whalefall.engines.observed import Scope
from whalefall.engines.postgresql.predefined import implied_grants

ORDERS = ("shop", "public", "orders")


def team(**options: bool):
    """app in team, and team may update shop.public.orders."""
    return (
        account("app"),
        account("team", False),
        member("app", "team", **options),
        grant("team", "UPDATE", Scope.TABLE, *ORDERS),
    )


def test_an_inherited_right_is_had_by_its_path():
    facts = facts_of("app", *team()).facts
    assert facts["privileges"]["table"] == {"shop.public.orders": ["UPDATE"]}
    assert facts["paths"]["priv:table:UPDATE@shop.public.orders"] == ["team"]


def test_without_inherit_a_right_is_only_reached():
    found = facts_of("app", *team(inherit=False))
    assert "priv:table:UPDATE@shop.public.orders" not in found.tokens
    assert "reach:priv:table:UPDATE@shop.public.orders" in found.tokens


def test_without_inherit_and_set_a_right_is_out_of_reach():
    found = facts_of("app", *team(inherit=False, set=False, admin=True))
    assert not [token for token in found.tokens if "UPDATE" in token]
    assert "role.admin:team" in found.tokens


def test_attributes_stand_as_global_privileges_of_the_account_itself():
    cast = (account("app"), account("boss", superuser=True), member("app", "boss"))
    assert "priv:global:SUPERUSER" in facts_of("boss", *cast).tokens
    assert "priv:global:SUPERUSER" not in facts_of("app", *cast).tokens
    assert "reach:priv:global:SUPERUSER" in facts_of("app", *cast).tokens


def owned(*more):
    return observed(
        account("app"),
        *more,
        grant("app", "OWNER", Scope.DATABASE, "shop"),
        grant("pg_database_owner", "CREATE", Scope.SCHEMA, "shop", "public"),
        grant("pg_database_owner", "CREATE", Scope.SCHEMA, "crm", "public"),
    )


def test_the_database_owner_role_counts_in_the_own_database_only():
    from accounts.facts import Facts

    observation = owned(account("pg_database_owner", False))
    facts = Facts(observation, RULES).of(observation.accounts["app"]).facts
    assert facts["privileges"]["schema"] == {"shop.public": ["CREATE"]}
    assert facts["paths"]["priv:schema:CREATE@shop.public"] == ["pg_database_owner"]


def test_before_16_an_owner_without_inherit_has_not_what_the_database_owner_role_has():
    tokens = {
        version: facts_of(
            "app",
            account("app", inherit=False),
            account("pg_database_owner", False),
            grant("app", "OWNER", Scope.DATABASE, "shop"),
            grant("pg_database_owner", "CREATE", Scope.SCHEMA, "shop", "public"),
            version=version,
        ).tokens
        for version in ("15", "16")
    }
    assert "priv:schema:CREATE@shop.public" not in tokens["15"]
    assert "priv:schema:CREATE@shop.public" in tokens["16"]


def test_there_is_no_database_owner_role_before_14():
    assert list(RULES.memberships(owned())) == []


def test_predefined_roles_come_with_their_version():
    roles = {version: {g.grantee for g in implied_grants(version)} for version in (100000, 180000)}
    assert "pg_read_all_data" not in roles[100000]
    assert {"pg_read_all_data", "pg_maintain"} <= roles[180000]


def test_who_can_update_a_table():
    assert list(RULES.covering("UPDATE", Scope.TABLE, ORDERS)) == [
        Reference(Scope.TABLE, "UPDATE", ORDERS),
        Reference(Scope.TABLE, "OWNER", ORDERS),
        Reference(Scope.GLOBAL, "UPDATE"),
        Reference(Scope.TABLE, capability="SUPERUSER"),
    ]


def test_who_can_update_a_column():
    column = (*ORDERS, "price")
    assert list(RULES.covering("UPDATE", Scope.COLUMN, column)) == [
        Reference(Scope.COLUMN, "UPDATE", column),
        Reference(Scope.TABLE, "UPDATE", ORDERS),
        Reference(Scope.TABLE, "OWNER", ORDERS),
        Reference(Scope.GLOBAL, "UPDATE"),
        Reference(Scope.COLUMN, capability="SUPERUSER"),
    ]


def test_nobody_truncates_by_a_predefined_role():
    references = RULES.covering("TRUNCATE", Scope.TABLE, ORDERS)
    assert Reference(Scope.GLOBAL, "TRUNCATE") not in list(references)


def test_a_missing_right_means_something_once_its_sections_are_read():
    assert RULES.sections_for_scope(Scope.TABLE) == ("table", "memberships")
    assert RULES.sections_for_scope(Scope.GLOBAL) == ("accounts", "memberships")
    assert RULES.sections_for_capability("MD5_PASSWORD") == ("accounts", "verifiers")
