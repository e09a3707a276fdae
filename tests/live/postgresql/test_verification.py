"""`verify_engine` on a real PostgreSQL: the facts agree with has_..._privilege, and lies show."""

from __future__ import annotations

from dataclasses import replace

from sync.verification import compare
from tests.live.postgresql.conftest import newest_only
from whalefall.engines.observed import ObservedGrant, Scope

ASKED = {
    "pg_has_role", "has_database_privilege", "has_schema_privilege", "has_table_privilege",
    "has_column_privilege", "has_sequence_privilege", "has_function_privilege",
    "has_tablespace_privilege",
}  # fmt: skip


def verified(engine, target, observation):
    with engine.connect(target) as opened:
        said = opened.testify(observation, sorted(observation.accounts), objects=25)
        return compare(observation, engine.rules, said)


def test_the_facts_of_the_awkward_fleet_agree_with_the_server(engine, target, observation):
    found = verified(engine, target, observation)
    assert found.differences == []
    assert found.agreed.keys() == ASKED
    assert all(count > 20 for count in found.agreed.values())


@newest_only
def test_a_database_that_lets_nobody_in_is_named_as_not_asked(engine, target, observation):
    found = verified(engine, target, observation)
    closed = set(observation.sections["table"].databases)
    assert {each.subject for each in found.unasked} == closed != set()


@newest_only
def test_a_grant_that_is_not_there_shows_as_a_difference(engine, target, observation):
    lie = ObservedGrant("alice", "CREATE", Scope.DATABASE, "shop", section="database")
    grants = {**observation.grants, "alice": [*observation.grants_of("alice"), lie]}
    found = verified(engine, target, replace(observation, grants=grants, derived={}))
    (difference,) = found.differences
    assert (difference.account, difference.what) == ("alice", "CREATE on database shop")
    assert (difference.ours, difference.theirs) == (True, False)


@newest_only
def test_a_role_that_was_overlooked_shows_with_all_that_it_gives(engine, target, observation):
    kept = [each for each in observation.memberships if each.member != "alice"]
    found = verified(engine, target, replace(observation, memberships=kept, derived={}))
    assert {each.account for each in found.differences} >= {"alice"}
    assert not any(each.ours for each in found.differences)


@newest_only
def test_the_shipped_collector_may_ask_about_everybody(engine, collector, observation):
    with engine.connect(collector) as opened:
        seen = opened.observe()
        found = compare(seen, engine.rules, opened.testify(seen, sorted(seen.accounts), 10))
    assert found.differences == []
    assert found.compared > 1000
