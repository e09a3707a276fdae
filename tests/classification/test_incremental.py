"""Whatever people and servers do in whatever order: a run that asks only what may have changed
leaves what a run leaves that asks every rule of every account.
"""

import contextlib
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from accounts.models import AccountPermission
from classification import risks
from classification.classify import NothingToClassify, classify
from classification.models import (
    Acceptance,
    AccountClassification,
    AccountRisk,
    ClassificationRule,
    ClassifiedAccount,
    RiskException,
)
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call, text
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db

A, B, FILE = (
    call("has_role", name="a"),
    call("has_role", name="b"),
    call("has_privilege", name="FILE", scope="global"),
)
EXPRESSIONS = [
    A,
    B,
    FILE,
    {"op": "OR", "args": [A, B]},
    {"op": "AND", "args": [A, {"op": "NOT", "args": [B]}]},
    {"op": "NOT", "args": [{"op": "OR", "args": [A, FILE]}]},
    call("is_locked"),
]
WORDS = [
    "role:a",
    "role:b",
    "priv:global:FILE",
    "section.denied:memberships",
    "section.failed:global",
]
# Which of each kind is meant; rules and accounts that are gone are passed over.
RULES, ACCOUNTS, PLACES = range(4), range(5), range(2)

# Of a rule that is gone, so that a classification is compared even where no other is left.
STALE = {"0": ""}

rules, accounts, places = map(st.sampled_from, (RULES, ACCOUNTS, PLACES))
words = st.sets(st.sampled_from(WORDS), max_size=3).map(sorted)


class World:
    """Two instances with their accounts, two classifications with their rules."""

    def __init__(self):
        self.instances = [cast.instance(f"db{i}") for i in PLACES]
        self.gives = [
            cast.classification(f"c{i}", risk_level=("low", "critical")[i]) for i in PLACES
        ]
        for i in RULES:
            cast.rule(f"r{i}", self.gives[i % 2], EXPRESSIONS[i])
        for i in ACCOUNTS:
            cast.account(self.instances[i % 2], f"u{i}@%", *WORDS[: i % 3])
        RiskException.objects.create(
            username_pattern="u1*",
            rule=ClassificationRule.objects.get(rule_name="r1"),
            reason="until the move",
            approver="Li",
            ends_on=risks.today() + timedelta(days=9),
        )

    def rule(self, number):
        return ClassificationRule.objects.filter(rule_name=f"r{number}")

    def account(self, number):
        return AccountPermission.objects.filter(account__username=f"u{number}@%").first()

    def edit(self, number, expression):
        for rule in self.rule(number):
            rule.rule_expression = text(expression)
            rule.save()

    def spoil(self, number):
        self.rule(number).update(rule_expression='{"version": 3}')

    def switch(self, number, active):
        self.rule(number).update(is_active=active)

    def move(self, number, place):
        self.rule(number).update(classification=self.gives[place])

    def delete(self, number):
        self.rule(number).delete()

    def add(self, number, place, expression):
        if not self.rule(number).exists():
            cast.rule(f"r{number}", self.gives[place], expression)

    def switch_classification(self, place, active):
        AccountClassification.objects.filter(pk=self.gives[place].pk).update(is_active=active)

    def sync(self, number, tokens, locked):
        if account := self.account(number):
            account.is_locked = locked
            cast.retoken(account, *tokens)

    def lose(self, number, present):
        if account := self.account(number):
            account.account.is_active = present
            account.account.save()

    def delete_account(self, number):
        if account := self.account(number):
            account.account.delete()

    def switch_instance(self, place, active):
        Instance.objects.filter(pk=self.instances[place].pk).update(is_active=active)

    def assign(self, number, place):
        if account := self.account(number):
            Assignment.objects.assign(account, self.gives[place], None)

    def dismiss(self, number, place):
        given = Assignment.objects.active().filter(account__account__username=f"u{number}@%")
        for row in given.filter(classification=self.gives[place]):
            row.deactivate(None)

    def run(self, place=None, number=None):
        """Both ways, of which the one that asks everything is undone."""
        scope = {"instance_id": None if place is None else self.instances[place].pk}
        if number is not None:
            scope["rule_ids"] = list(self.rule(number).values_list("pk", flat=True))
        with transaction.atomic():
            ClassifiedAccount.objects.update(stamp=1)
            AccountClassification.objects.update(rule_stamps=STALE)
            ran(scope)
            whole = everything()
            transaction.set_rollback(True)
        ran(scope)
        assert everything() == whole


def ran(scope):
    with contextlib.suppress(NothingToClassify):
        classify(**scope)


def everything():
    """Who has what on which grounds, at which risk, and what of it is accepted."""
    columns = ("account_id", "classification_id", "rule_id", "assignment_type", "evidence")
    accepted = Acceptance.objects.values_list("assignment__account_id", "exception_id", "ends_on")
    return {
        "given": sorted(Assignment.objects.active().values_list(*columns), key=str),
        "risks": sorted(AccountRisk.objects.values_list("permission_id", "level")),
        "accepted": sorted(accepted.filter(assignment__is_active=True)),
    }


def step(name, *arguments):
    return st.tuples(st.just(name), *arguments)


expressions, yes = st.sampled_from(EXPRESSIONS), st.booleans()
STEPS = st.one_of(
    step("edit", rules, expressions),
    step("edit", rules, expressions),
    step("switch", rules, yes),
    step("move", rules, places),
    step("delete", rules),
    step("add", rules, places, expressions),
    step("spoil", rules),
    step("switch_classification", places, yes),
    step("sync", accounts, words, st.sampled_from((True, False, None))),
    step("sync", accounts, words, st.just(False)),
    step("lose", accounts, yes),
    step("delete_account", accounts),
    step("switch_instance", places, yes),
    step("assign", accounts, places),
    step("dismiss", accounts, places),
    step("dismiss", accounts, places),
    step("run"),
    step("run"),
    step("run", places),
    step("run", st.none(), rules),
)


@given(steps=st.lists(STEPS, max_size=14))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_run_leaves_what_one_that_asks_everything_does(steps):
    with transaction.atomic():
        world = World()
        note(str(steps))
        world.run()
        for name, *arguments in steps:
            getattr(world, name)(*arguments)
        world.run()
        transaction.set_rollback(True)
