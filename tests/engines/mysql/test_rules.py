"""What takes effect, what covers an object, which sections an answer needs."""

from __future__ import annotations

import pytest

from tests.engines.mysql.cast import RULES, account, grant, observation
from whalefall.engines.base import Held, Reference
from whalefall.engines.mysql.rules import parse_roles
from whalefall.engines.observed import GrantState, Kind, ObservedMembership, Scope

LI = account("li@%")
READER = account("reader@%", Kind.ROLE)


def default(seen) -> dict[tuple[str, str], bool]:
    return {(m.member, m.role): m.default for m in RULES.memberships(seen)}


@pytest.mark.parametrize(("setting", "expected"), [("OFF", False), ("ON", True)])
def test_activate_all_roles_makes_every_role_a_default_one(setting, expected):
    granted = ObservedMembership("li@%", "reader@%", default=False)
    seen = observation([LI, READER], memberships=[granted], activate_all_roles_on_login=setting)

    assert default(seen) == {("li@%", "reader@%"): expected}


def test_a_role_inside_a_role_is_active_with_it():
    inner = ObservedMembership("reader@%", "inner@%", default=False)
    seen = observation([READER, account("inner@%", Kind.ROLE)], memberships=[inner])

    assert default(seen) == {("reader@%", "inner@%"): True}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, False),
        ({"activate_mandatory_roles": "ON"}, True),
        ({"activate_all_roles_on_login": "ON"}, True),
    ],
)
def test_mandatory_roles_reach_every_user_and_public_and_no_role(settings, expected):
    seen = observation([LI, READER], mandatory_roles="reader", **settings)

    assert default(seen) == {("li@%", "reader@%"): expected, ("PUBLIC", "reader@%"): expected}


def test_a_mandatory_role_that_does_not_exist_is_nothing():
    assert default(observation([LI], mandatory_roles="ghost")) == {}


def test_a_default_role_without_a_grant_is_nothing():
    stale = ObservedMembership("li@%", "reader", grantor="DEFAULT ROLE")

    assert default(observation([LI], memberships=[stale], vendor="MariaDB")) == {}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("reader", ["reader@%"]),
        (
            "`reader`@`%`,'w r,iter'@localhost, lead@10.1.%",
            ["reader@%", "w r,iter@localhost", "lead@10.1.%"],
        ),
        ("`a``b`@`%`", ["a`b@%"]),
    ],
)
def test_mandatory_roles_are_parsed_with_their_quotes(text, names):
    assert parse_roles(text) == names


def resolved(one, grants, *more_accounts, **settings):
    seen = observation([one, *more_accounts], grants, **settings)
    return RULES.resolve(one, [Held(g) for g in seen.grants_of(one.username)], seen)


def test_revokes_leave_no_row():
    taken = grant("li@%", "SELECT", "mysql", state=GrantState.REVOKE)

    (held,) = resolved(LI, [grant("li@%", "SELECT"), taken])

    assert (held.grant.scope, held.grant.traits) == (Scope.GLOBAL, ("except:mysql",))


def test_a_grant_on_the_database_itself_makes_the_restriction_void():
    taken = grant("li@%", "SELECT", "mysql", state=GrantState.REVOKE)
    given = grant("reader@%", "SELECT", "mysql")
    seen = observation([LI, READER])

    held = [Held(grant("li@%", "SELECT")), Held(taken), Held(given, ("reader@%",))]
    rows = RULES.resolve(LI, held, seen)

    assert {one.grant.traits for one in rows} == {()}


def test_grants_of_the_same_name_on_wider_hosts_come_with_their_path():
    narrow = account("li@10.1.2.3")
    wide = grant("li@10.1.%", "SELECT", "sales")

    (held,) = resolved(narrow, [wide, grant("li@10.1.%", "FILE")], account("li@10.1.%"))

    assert (held.grant, held.path) == (wide, ("li@10.1.%",))


@pytest.mark.parametrize(
    "other", ["li@10.2.%", "li@localhost", "ma@%", "li@192.168.0.0/255.255.0.0"]
)
def test_grants_of_other_names_and_hosts_do_not_come(other):
    assert resolved(account("li@10.1.2.3"), [grant(other, "SELECT", "sales")]) == []


def test_grants_for_a_network_come_to_the_hosts_in_it():
    wide = grant("li@10.1.0.0/255.255.0.0", "SELECT", "sales")

    assert [one.grant for one in resolved(account("li@10.1.2.3"), [wide])] == [wide]


def test_who_may_update_a_table():
    assert list(RULES.covering("UPDATE", Scope.TABLE, ("sales", "orders"))) == [
        Reference(Scope.TABLE, "UPDATE", ("sales", "orders")),
        Reference(Scope.DATABASE, "UPDATE", ("sales",)),
        Reference(Scope.DATABASE, "UPDATE", ("sales",), pattern=True, unless=("except:",)),
        Reference(Scope.GLOBAL, "UPDATE", unless=("except:sales",)),
    ]


def test_who_may_read_a_column():
    found = list(RULES.covering("SELECT", Scope.COLUMN, ("sales", "orders", "id")))

    assert found[:2] == [
        Reference(Scope.COLUMN, "SELECT", ("sales", "orders", "id")),
        Reference(Scope.TABLE, "SELECT", ("sales", "orders")),
    ]


def test_a_privilege_is_found_under_the_name_of_other_versions():
    names = [one.privilege for one in RULES.covering("REPLICATION CLIENT", Scope.GLOBAL, ())]

    assert names == ["REPLICATION CLIENT", "BINLOG MONITOR"]


@pytest.mark.parametrize(
    ("scope", "sections"),
    [
        (Scope.GLOBAL, ("global", "memberships")),
        (Scope.TABLE, ("table", "memberships")),
        (Scope.OTHER, ("proxy", "memberships")),
    ],
)
def test_an_answer_needs_the_sections_of_its_scope(scope, sections):
    assert RULES.sections_for_scope(scope) == sections
