"""What is read, stored, asked for and classified by the shipped rules."""

from __future__ import annotations

import pytest

from accounts.access import Access
from accounts.collection import apply
from accounts.models import AccountChangeLog
from capacity import collection as measured
from capacity.models import InstanceDatabase
from classification.classify import classify
from classification.dsl.parser import parse
from classification.models import AccountClassification, ClassificationRule
from classification.questions import Question
from classification.rulepack import load, packs
from tests.fakes.oracle.server import FakeOracle
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(observation):
    instance = Instance.objects.create(name="hr-db", db_type="oracle", host="hr-db", port=1521)
    return instance, apply(instance, observation)


def test_a_second_read_of_the_same_changes_nothing(stored, observation):
    instance, first = stored
    assert first.counts["created"] == len(observation.accounts)
    assert apply(instance, observation).counts["unchanged"] == len(observation.accounts)


def test_a_change_is_logged_on_the_account_it_was_made_on(engine, newest):
    instance = Instance.objects.create(name="hr-db", db_type="oracle", host="hr-db", port=1521)
    with engine.connect(newest.target()) as opened:
        apply(instance, opened.observe())
    newest.run("GRANT ALTER SYSTEM TO team_rw")
    with engine.connect(newest.target()) as opened:
        apply(instance, opened.observe())
    (row,) = AccountChangeLog.objects.exclude(change_type="add")
    assert row.account.username == "TEAM_RW"
    assert row.privilege_diff[0]["permissions"] == ["ALTER SYSTEM"]


def test_who_can_select_from_a_table(stored):
    asked = Access("SELECT", "HR.EMP")
    found = {one.account.username: one for one in asked.accounts()}
    assert {"APP", "HR", "ALICE", "SYS", "TEAM_RW", "INNER_ROLE"} <= found.keys()
    assert "CAROL" not in found
    texts = {way.text for way in asked.ways(found["ALICE"])}
    assert "ALICE -> TEAM_RW: SELECT ANY TABLE" in texts
    assert asked.unknown() == []


def matches(pack_id):
    rule = next(one for pack in packs() for one in pack.rules if one.id == pack_id)
    question = Question.of(parse(rule.expression, rule.db_type))
    assert not question.unknown().exists() or pack_id == "OR-29"
    return set(question.matches().values_list("account__username", flat=True))


def test_the_shipped_rules_find_what_is_there(stored):
    assert matches("OR-25") == {"BOB"}
    assert matches("OR-01") == set(), "BOB's default password is that of a locked account"
    assert matches("OR-07") == matches("OR-05-LINK") == {"PUBLIC"}
    assert matches("OR-28") == {"APP"}
    assert {"APP", "ALICE", "TEAM_RW"} <= matches("OR-14")
    assert "SYS" not in matches("OR-14") | matches("OR-24")
    assert "HR" in matches("OR-15")


def test_every_rule_can_be_laid_into_the_store_and_run(stored):
    load(AccountClassification, ClassificationRule)
    assert classify().failed == []


def test_a_closed_containers_tablespaces_stay_with_the_reason(engine):
    instance = Instance.objects.create(name="cdb", db_type="oracle", host="cdb", port=1521)
    with FakeOracle("19.21.0.0.0", ["SALESPDB"]) as root:
        for mode in ("READ WRITE", "MOUNTED"):
            root.containers["SALESPDB"].open_mode = mode
            root.changed()
            with engine.connect(root.target()) as opened:
                databases = list(opened.observe_databases())
            applied = measured.apply(instance, databases, opened.sections)
    assert applied.counts["deleted"] == 0
    users = InstanceDatabase.objects.get(database_name="SALESPDB/USERS")
    assert users.is_active
    assert users.size_bytes
