"""What memberships and grants mean."""

from __future__ import annotations

import pytest

from accounts.facts import Facts
from tests.engines.oracle.cast import RULES, account, observation, on, role, system
from whalefall.engines.base import Reference
from whalefall.engines.observed import ObservedMembership, Scope
from whalefall.engines.oracle.names import main_version, quoted, scope_of, version_number


def facts(seen, name):
    return {one.username: one.facts for one in Facts(seen, RULES)}[name]


@pytest.mark.parametrize(
    ("kind", "default"),
    [("NONE", True), ("PASSWORD", False), ("APPLICATION", False), ("EXTERNAL", False)],
)
def test_a_role_that_has_to_be_enabled_is_not_active_at_login(kind, default):
    seen = observation(
        [account("APP"), role("TEAM", authentication=kind)],
        [system("TEAM", "CREATE TABLE")],
        [ObservedMembership("APP", "TEAM")],
    )
    found = facts(seen, "APP")
    assert found["direct_roles"] == (["TEAM"] if default else [])
    assert found["reach"]["direct_roles"] == ([] if default else ["TEAM"])


def test_a_role_inside_a_role_is_active_whatever_default_role_says():
    seen = observation(
        [account("APP"), role("OUTER"), role("INNER", authentication="PASSWORD")],
        [system("INNER", "CREATE USER")],
        [ObservedMembership("APP", "OUTER"), ObservedMembership("OUTER", "INNER", default=False)],
    )
    assert facts(seen, "APP")["paths"]["priv:system:CREATE USER"] == ["OUTER", "INNER"]


def references(privilege, scope, *parts):
    return set(RULES.covering(privilege, scope, parts))


def test_what_covers_a_table_in_a_database_without_containers():
    found = references("UPDATE", Scope.TABLE, "HR", "EMP")
    assert found == {
        Reference(Scope.TABLE, "UPDATE", ("HR", "EMP")),
        Reference(Scope.SCHEMA, "OWNER", ("HR",)),
        Reference(Scope.SCHEMA, "UPDATE ANY TABLE", ("HR",)),
        Reference(Scope.SYSTEM, "UPDATE ANY TABLE"),
        Reference(Scope.TABLE, capability="SUPERUSER"),
    }


def test_what_covers_a_table_in_a_container_counts_there_or_everywhere():
    found = references("DELETE", Scope.TABLE, "SALESPDB", "HR", "EMP")
    assert Reference(Scope.SYSTEM, "DELETE ANY TABLE", ("SALESPDB",)) in found
    assert Reference(Scope.SYSTEM, "DELETE ANY TABLE", ("ALL CONTAINERS",)) in found
    assert Reference(Scope.SYSTEM, "DELETE ANY TABLE") not in found


def test_any_privileges_do_not_reach_sys():
    found = references("SELECT", Scope.TABLE, "SYS", "USER$")
    assert Reference(Scope.SYSTEM, "SELECT ANY DICTIONARY") in found
    assert Reference(Scope.SYSTEM, "SELECT ANY TABLE") not in found


def test_a_table_covers_its_columns():
    found = references("UPDATE", Scope.COLUMN, "HR", "EMP", "SAL")
    assert Reference(Scope.TABLE, "UPDATE", ("HR", "EMP")) in found
    assert Reference(Scope.SYSTEM, "UPDATE ANY TABLE") in found


def test_code_and_sequences_have_any_privileges_of_their_own():
    code = references("EXECUTE", Scope.ROUTINE, "HR", "PAY")
    assert Reference(Scope.SYSTEM, "EXECUTE ANY PROCEDURE") in code
    assert Reference(Scope.SYSTEM, "SELECT ANY SEQUENCE") in references(
        "SELECT", Scope.SEQUENCE, "HR", "SEQ"
    )


def test_nobody_is_in_the_password_file_by_being_a_superuser():
    assert references("SYSDBA", Scope.SERVER) == {Reference(Scope.SERVER, "SYSDBA")}


def test_grants_without_roles_pass_as_they_are():
    seen = observation([account("APP")], [on("APP", "SELECT", "HR", "EMP")])
    assert facts(seen, "APP")["privileges"] == {"table": {"HR.EMP": ["SELECT"]}}


@pytest.mark.parametrize(
    ("version", "number", "shown"),
    [("11.2.0.4.0", 110200, "11.2"), ("12.2.0.1.0", 120200, "12.2"), ("19.3.0.0.0", 190300, "19")],
)
def test_versions_are_counted_and_shown(version, number, shown):
    assert version_number(version) == number
    assert main_version(number) == shown


@pytest.mark.parametrize(
    ("kind", "privilege", "scope"),
    [
        ("VIEW", "SELECT", Scope.TABLE),
        ("PACKAGE", "EXECUTE", Scope.ROUTINE),
        ("DIRECTORY", "READ", Scope.OTHER),
        ("USER", "INHERIT PRIVILEGES", Scope.OTHER),
        ("SEQUENCE", "SELECT", Scope.SEQUENCE),
        (None, "EXECUTE", Scope.ROUTINE),
        (None, "WRITE", Scope.OTHER),
        (None, "SELECT", Scope.TABLE),
    ],
)
def test_the_scope_of_an_object_privilege(kind, privilege, scope):
    assert scope_of(kind, privilege)[0] is scope


@pytest.mark.parametrize(
    ("name", "shown"), [("APP", "APP"), ("C##APP", "C##APP"), ("it's a 🐘", '"it\'s a 🐘"')]
)
def test_names_are_quoted_where_they_need_it(name, shown):
    assert quoted(name) == shown
