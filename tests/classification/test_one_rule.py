"""After one of two rules of a classification has changed, all is as a run from scratch gives it,
and nothing but the difference was written.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification.classify import classify
from classification.models import AccountClassification, ClassificationRule, ClassifiedAccount
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call

pytestmark = pytest.mark.django_db

A, B = call("has_role", name="a"), call("has_role", name="b")
EITHER = {"op": "OR", "args": [A, B]}
BOTH = {"op": "AND", "args": [A, B]}
NOW = "2026-01-01T00:00Z"
ROLES = {"x@%": ["role:a"], "y@%": ["role:b"], "xy@%": ["role:a", "role:b"], "z@%": []}


@pytest.fixture
def gives():
    return cast.classification("super_admin")


@pytest.fixture
def other():
    return cast.classification("reader")


@pytest.fixture
def accounts():
    on = cast.instance()
    return {name: cast.account(on, name, *words) for name, words in ROLES.items()}


@pytest.fixture
def first(accounts, gives, other):
    """The rule that changes; beside it a second one of its classification, and one of another."""
    changing = cast.rule("first", gives, A)
    cast.rule("second", gives, B)
    cast.rule("third", other, EITHER)
    classify()
    return changing


def given():
    """What accounts have by rules, with the grounds."""
    rows = Assignment.objects.active().filter(assignment_type="auto")
    columns = ("account__account__username", "classification__name", "rule__rule_name", "evidence")
    return sorted(map(repr, rows.values_list(*columns)))


def check_as_from_scratch():
    """The run just done has found what one over everything does that starts with nothing."""
    found = given()
    Assignment.objects.filter(assignment_type="auto", is_dismissed=False).delete()
    ClassifiedAccount.objects.all().delete()
    AccountClassification.objects.update(rule_stamps={})
    classify()
    assert given() == found


def has(name):
    rows = Assignment.objects.active().filter(classification__name=name)
    return set(rows.values_list("account__account__username", flat=True))


@pytest.mark.parametrize(
    ("becomes", "added", "removed", "updated"),
    [
        ({"op": "NOT", "args": [BOTH]}, 1, 0, 3),
        (EITHER, 0, 0, 3),
        (BOTH, 0, 1, 1),
        ({"op": "OR", "args": [A, call("has_role", name="nobody")]}, 0, 0, 2),
        (call("has_role", name="nobody"), 0, 1, 1),
    ],
    ids=["more and fewer", "more", "fewer", "the same", "nobody"],
)
def test_an_edited_rule(first, becomes, added, removed, updated):
    first.rule_expression = cast.text(becomes)
    first.save()
    outcome = classify()
    assert (outcome.added, outcome.removed, outcome.updated) == (added, removed, updated)
    check_as_from_scratch()


def asked_of(outcome):
    return {rule.name: rule.asked for rule in outcome.rules}


def questions(queries):
    """What is put to the facts."""
    return " ".join(query["sql"] for query in queries if "fact_tokens" in query["sql"])


def test_that_rule_alone_is_asked(first):
    first.rule_expression = cast.text(call("has_role", name="fresh"))
    first.save()
    with CaptureQueriesContext(connection) as queries:
        outcome = classify()
    assert asked_of(outcome) == {"first": "all", "second": "none", "third": "none"}
    assert "role:fresh" in questions(queries)
    assert "role:a" not in questions(queries)
    assert "role:b" not in questions(queries)


def test_a_new_rule_alone_is_asked(first, gives):
    cast.rule("fresh", gives, EITHER)
    outcome = classify()
    assert asked_of(outcome) == {"first": "none", "second": "none", "third": "none", "fresh": "all"}
    assert (outcome.added, outcome.removed, outcome.updated) == (0, 0, 3)
    check_as_from_scratch()


def test_where_one_is_gone_none_is_asked(first):
    first.delete()
    with CaptureQueriesContext(connection) as queries:
        outcome = classify()
    assert set(asked_of(outcome).values()) == {"none"}
    assert "role:" not in questions(queries)


def test_the_others_are_asked_of_those_that_a_person_has_decided_about(first, accounts, gives):
    Assignment.objects.active().get(account=accounts["y@%"], classification=gives).deactivate(None)
    first.rule_expression = cast.text(EITHER)
    first.save()
    outcome = classify()
    assert asked_of(outcome) == {"first": "all", "second": "some", "third": "none"}
    assert {rule.name: rule.matched for rule in outcome.rules}["second"] == 1


def test_what_a_doubt_kept_is_no_ground_for_the_others(first, accounts, gives):
    """It had both; now both are in doubt, and the fourth says no."""
    cast.retoken(accounts["xy@%"], "section.denied:memberships")
    cast.rule("fourth", gives, call("is_locked"))
    classify()
    kept = Assignment.objects.active().get(account=accounts["xy@%"], classification=gives)
    assert kept.evidence["kept"] is True
    assert [len(kept.evidence["rules"]), kept.rule] == [2, first]
    ClassificationRule.objects.filter(rule_name__in=("first", "second")).delete()
    classify()
    assert has("super_admin") == set()


def test_a_rule_that_is_switched_off(first):
    ClassificationRule.objects.filter(pk=first.pk).update(is_active=False)
    outcome = classify()
    assert (outcome.added, outcome.removed, outcome.updated) == (0, 1, 1)
    assert has("super_admin") == {"y@%", "xy@%"}
    check_as_from_scratch()


def test_a_rule_that_is_deleted(first):
    first.delete()
    outcome = classify()
    assert (outcome.added, outcome.removed, outcome.updated) == (0, 1, 1)
    check_as_from_scratch()


def test_a_rule_that_moves_to_another_classification(first, other):
    first.classification = other
    first.save()
    outcome = classify()
    assert (outcome.added, outcome.removed, outcome.updated) == (0, 1, 3)
    assert has("super_admin") == {"y@%", "xy@%"}
    check_as_from_scratch()


def test_what_is_by_hand_or_dismissed_is_left_alone(first, accounts, gives):
    by_hand = Assignment.objects.assign(accounts["x@%"], gives, None)
    Assignment.objects.active().get(account=accounts["y@%"], classification=gives).deactivate(None)
    first.rule_expression = cast.text(BOTH)
    first.save()
    classify()
    assert has("super_admin") == {"x@%", "xy@%"}
    by_hand.refresh_from_db()
    assert by_hand.is_active
    check_as_from_scratch()


def test_a_dismissed_one_comes_back_with_every_ground(first, accounts, gives):
    Assignment.objects.active().get(account=accounts["y@%"], classification=gives).deactivate(None)
    first.rule_expression = cast.text(EITHER)
    first.save()
    assert classify().added == 1
    back = Assignment.objects.active().get(account=accounts["y@%"], classification=gives)
    assert len(back.evidence["rules"]) == 2
    check_as_from_scratch()


def test_whom_the_second_rule_leaves_unknown_keeps_what_there_is(first, accounts):
    cast.retoken(accounts["x@%"], "section.denied:memberships")
    classify()
    first.rule_expression = cast.text(call("has_privilege", name="FILE", scope="global"))
    first.save()
    outcome = classify()
    assert {rule.name: rule.unknown for rule in outcome.rules}["second"] == 1
    assert has("super_admin") == {"x@%", "y@%", "xy@%"}


@pytest.mark.parametrize("lost", ["account", "instance", "deleted instance"])
def test_accounts_that_are_not_there_are_neither_found_nor_counted(first, accounts, lost):
    elsewhere = cast.instance("elsewhere")
    away = cast.account(elsewhere, "away@%", "role:a")
    if lost == "account":
        away.account.is_active = False
        away.account.save()
    else:
        column = {"instance": {"is_active": False}, "deleted instance": {"deleted_at": NOW}}[lost]
        type(elsewhere).objects.filter(pk=elsewhere.pk).update(**column)
    first.rule_expression = cast.text(EITHER)
    first.save()
    outcome = classify()
    assert {rule.name: rule.matched for rule in outcome.rules}["first"] == 3
    assert "away@%" not in has("super_admin")


def test_an_instance_that_is_switched_off_keeps_what_it_has(first, accounts):
    elsewhere = cast.instance("elsewhere")
    cast.account(elsewhere, "away@%", "role:a")
    classify()
    type(elsewhere).objects.filter(pk=elsewhere.pk).update(is_active=False)
    before = given()
    first.rule_expression = cast.text(call("has_role", name="nobody"))
    first.save()
    assert classify().removed == 1
    assert {row for row in before if "away" in row} == {row for row in given() if "away" in row}


def test_an_instance_that_is_back_gets_what_changed_meanwhile(first, accounts):
    elsewhere = cast.instance("elsewhere")
    cast.account(elsewhere, "away@%", "role:b")
    first.classification.rules.filter(rule_name="second").delete()
    classify()
    here = type(elsewhere).objects.filter(pk=elsewhere.pk)
    here.update(is_active=False)
    first.rule_expression = cast.text(EITHER)
    first.save()
    classify()
    here.update(is_active=True)
    classify()
    assert "away@%" in has("super_admin")
