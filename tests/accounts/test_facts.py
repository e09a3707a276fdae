from datetime import UTC, datetime

import pytest

from accounts import facts as facts_module
from accounts import snapshot
from accounts.facts import Facts
from tests.accounts.world import (
    PlainRules,
    account,
    denied,
    grant,
    member,
    observe,
    role,
)
from whalefall.engines.observed import GrantState, Kind, Scope


def facts_of(username, *things, **values):
    observation = observe(*things, **values)
    return Facts(observation, PlainRules()).of(observation.accounts[username])


DBA_BY_TWO_ROLES = (
    account("alice"),
    role("team_rw"),
    role("dba"),
    member("alice", "team_rw"),
    member("team_rw", "dba"),
    grant("dba", "CREATE USER"),
)


def test_a_right_of_a_role_counts_with_the_path_it_came_by():
    found = facts_of("alice", *DBA_BY_TWO_ROLES)
    assert found.facts["privileges"] == {"global": ["CREATE USER"]}
    assert found.facts["paths"]["priv:global:CREATE USER"] == ["team_rw", "dba"]
    assert found.facts["capability_reasons"]["GRANT_ADMIN"] == {
        "because": "CREATE USER on *.*",
        "path": ["team_rw", "dba"],
    }


def test_a_path_reads_as_one_line():
    found = facts_of("alice", *DBA_BY_TWO_ROLES)
    line = facts_module.explain("alice", found.facts, "priv:global:CREATE USER")
    assert line == "alice -> team_rw -> dba: CREATE USER"


def test_what_is_the_accounts_own_needs_no_path():
    found = facts_of("alice", *DBA_BY_TWO_ROLES, grant("alice", "CREATE USER"))
    assert "priv:global:CREATE USER" not in found.facts["paths"]
    assert facts_module.path(found.facts, "role:team_rw") == ["team_rw"]


def test_tokens_are_sorted_and_stand_with_and_without_the_object():
    found = facts_of("alice", account("alice"), grant("alice", "SELECT", "sales", grantable=True))
    assert found.tokens == [
        "db_type:mysql",
        "grantable:database:SELECT",
        "grantable:database:SELECT@sales",
        "kind:user",
        "priv:database:SELECT",
        "priv:database:SELECT@sales",
    ]


def test_a_pattern_is_an_object_of_its_own():
    found = facts_of("a", account("a"), grant("a", "SELECT", "sal%", is_pattern=True))
    assert found.facts["privileges"] == {"database.pattern": {"sal%": ["SELECT"]}}
    assert "priv:database.pattern:SELECT@sal%" in found.tokens


def test_a_trait_of_the_object_has_its_own_token():
    shown = grant("a", "EXECUTE", "shop.refund", scope=Scope.ROUTINE, traits=("security_definer",))
    found = facts_of("a", account("a"), shown)
    assert "trait:routine:EXECUTE:security_definer" in found.tokens
    assert found.facts["traits"] == {"routine:EXECUTE:security_definer": ["shop.refund"]}


def test_a_denial_is_in_the_snapshot_and_gives_nothing():
    found = facts_of("a", account("a"), grant("a", "SELECT", "sales", state=GrantState.DENY))
    assert found.snapshot["categories"]["grants"][0]["state"] == "deny"
    assert found.facts["privileges"] == {}


def test_what_needs_set_role_is_reached_and_not_held():
    found = facts_of(
        "alice",
        account("alice"),
        role("dba"),
        role("root"),
        member("alice", "dba", inherit=False),
        member("dba", "root"),
        grant("root", "SUPER"),
    )
    assert found.facts["capabilities"] == []
    assert not found.columns["is_superuser"]
    assert found.facts["reach"]["roles"] == ["dba", "root"]
    step = found.facts["reach"]["paths"]["cap:SUPERUSER"]
    assert step == {"set_role": "dba", "path": ["dba", "root"]}
    assert {"reach:cap:SUPERUSER", "reach:role:root", "reach:role.direct:dba"} <= set(found.tokens)
    line = facts_module.explain("alice", found.facts, "reach:cap:SUPERUSER")
    assert line == "alice -> dba -> root: SUPERUSER (SUPER on *.*) (SET ROLE dba)"


def test_taking_on_a_held_role_adds_its_own_capabilities_but_none_about_the_account():
    boss = role("boss", is_locked=True, attributes={"boss": True})
    found = facts_of("alice", account("alice"), boss, member("alice", "boss"))
    assert found.facts["capabilities"] == []
    assert found.facts["reach"]["capabilities"] == ["GRANT_ADMIN"]


def test_public_is_an_account_of_its_own_and_in_nobody_else():
    things = (account("alice"), account("PUBLIC", kind=Kind.PUBLIC), grant("PUBLIC", "X", "sales"))
    assert facts_of("alice", *things).facts["privileges"] == {}
    assert "kind:public" in facts_of("PUBLIC", *things).tokens


def test_a_section_that_could_not_be_read_has_a_token():
    found = facts_of("a", account("a"), sections=[denied("table")])
    assert "section.denied:table" in found.tokens
    assert found.facts["sections"]["table"] == "denied"
    assert found.facts["errors"] == ["table: SELECT command denied"]


def test_a_section_that_is_incomplete_in_single_databases_has_a_token_for_each():
    unread = denied("table", databases={"sales": "closed", "a.b": "closed"})
    found = facts_of("a", account("a"), sections=[unread])
    assert {word for word in found.tokens if word.startswith("section.")} == {
        "section.unread:table",
        "section.unread:table@sales",
        'section.unread:table@"a.b"',
    }
    assert found.facts["unread"] == {"table": ["a.b", "sales"]}


def test_admin_of_a_role_has_a_token():
    found = facts_of("alice", account("alice"), role("dba"), member("alice", "dba", admin=True))
    assert {"role.admin:dba", "role.admin"} <= set(found.tokens)


def test_a_long_circle_of_roles_is_closed():
    names = [f"r{number:03}" for number in range(300)]
    circle = [member(name, names[(at + 1) % 300]) for at, name in enumerate(names)]
    things = (account("alice"), member("alice", "r000"), grant("r299", "SUPER"), *circle)
    found = facts_of("alice", *things)
    assert len(found.facts["roles"]) == 300
    assert found.facts["capability_reasons"]["SUPERUSER"]["path"] == names


VOLATILE = [
    {"last_login_at": datetime(2026, 1, 1, tzinfo=UTC)},
    {"details": {"logins": 7}},
]


@pytest.mark.parametrize("values", VOLATILE)
def test_what_means_nothing_changes_no_fingerprint(values):
    before, after = facts_of("a", account("a")), facts_of("a", account("a", **values))
    assert before.snapshot_fingerprint == after.snapshot_fingerprint
    assert before.facts_fingerprint == after.facts_fingerprint


def test_the_order_of_reading_changes_no_byte():
    first, second = grant("a", "SELECT", "sales"), grant("a", "INSERT", "sales")
    one = facts_of("a", account("a"), first, second, second)
    two = facts_of("a", account("a"), second, first)
    assert snapshot.canonical(one.snapshot) == snapshot.canonical(two.snapshot)
    assert snapshot.canonical(one.facts) == snapshot.canonical(two.facts)


def test_grants_and_memberships_come_back_from_the_snapshot():
    given = grant("a", "EXECUTE", "shop.f", traits=("x",), grantor="root", state=GrantState.DENY)
    joined = member("a", "dba", admin=True, inherit=False)
    assert snapshot.grant(snapshot.grant_entry(given), "a") == given
    assert snapshot.membership(snapshot.membership_entry(joined), "a") == joined
