"""How many statements a run takes: the same for few and for many rules and accounts."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountPermission
from classification import matching
from classification.classify import classify
from classification.models import AccountClassificationAssignment as Assignment
from classification.models import ClassificationRule
from classification.preview import preview
from tests.classification import cast
from tests.classification.cast import call, retoken

pytestmark = pytest.mark.django_db

SIZES = ((3, 4), (12, 30))  # rules, accounts


def fleet(rules, accounts, engine="mysql"):
    """On one instance; every account has a role for every rule, and a doubt."""
    on = cast.instance(f"{engine}-db", engine)
    for i in range(rules):
        either = [call("has_role", name=f"r{i}"), call("has_role", name=f"other{i}")]
        text = {"op": "OR", "args": either}
        cast.rule(f"{engine}-{i}", cast.classification(f"{engine}-{i}"), text, db_type=engine)
    words = [f"role:r{i}" for i in range(rules)]
    for i in range(accounts):
        cast.account(on, f"app_{i}@%", *words, "section.denied:memberships")
    return on


def statements(work, *args, **options):
    """Without those by which the planner looks again: they depend on what it knew of the tables."""
    with CaptureQueriesContext(connection) as queries:
        work(*args, **options)
    return len([query for query in queries if not query["sql"].startswith("ANALYZE")])


def of_sizes(count):
    found = []
    for rules, accounts in SIZES:
        with transaction.atomic():
            fleet(rules, accounts)
            found.append(count())
            transaction.set_rollback(True)
    return found


def test_of_a_first_run():
    few, many = of_sizes(lambda: statements(classify))
    assert few == many <= 46


def test_of_a_run_without_changes():
    def again():
        classify()
        return statements(classify)

    few, many = of_sizes(again)
    assert few == many <= 9


def test_of_a_run_after_one_rule_was_changed():
    def changed():
        classify()
        rule = ClassificationRule.objects.first()
        rule.rule_expression = cast.text(call("has_role", name="r1"))
        rule.save()
        return statements(classify)

    few, many = of_sizes(changed)
    assert few == many <= 46


def test_of_a_run_over_an_instance_with_changed_accounts():
    def changed():
        classify()
        for account in AccountPermission.objects.all()[:3]:
            retoken(account, "role:r1", "section.denied:memberships")
        return statements(classify, instance_id=account.instance_id)

    few, many = of_sizes(changed)
    assert few == many <= 46


def test_of_many_rules_in_several_statements(monkeypatch):
    """Each lot of rules costs one more, and finds the same."""

    def found():
        classify()
        return set(Assignment.objects.values_list("classification__name", "account__account"))

    monkeypatch.setattr(matching, "TOGETHER", 5)
    fleet(12, 3)
    in_three = found()
    Assignment.objects.all().delete()
    AccountPermission.objects.update(facts_fingerprint="new")
    monkeypatch.undo()
    assert len(in_three) == 36
    assert found() == in_three


def test_rules_of_other_engines_are_not_asked_on_an_instance():
    mysql = fleet(2, 2)
    fleet(2, 2, "postgresql")
    asked = {rule.db_type: rule.asked for rule in classify(instance_id=mysql.id).rules}
    assert asked == {"mysql": "all", "postgresql": "none"}
    assert classify().added == 4


def test_of_a_preview():
    def shown():
        classify()
        rule = ClassificationRule.objects.first()
        draft = cast.parsed(call("has_role", name="nobody"))
        return statements(preview, draft, rule.classification_id, rule.pk)

    few, many = of_sizes(shown)
    assert few == many == 2


def test_a_draft_that_loses_accounts_shows_the_first_and_counts_all():
    fleet(1, 30)
    AccountPermission.objects.update(fact_tokens=["db_type:mysql", "role:r0"])
    classify()
    rule = ClassificationRule.objects.get()
    draft = cast.parsed(call("has_role", name="nobody"))
    found = preview(draft, rule.classification_id, rule.pk, limit=1)["drop"]
    assert found["total"] == 30
    assert [each["username"] for each in found["items"]] == ["app_0@%"]
