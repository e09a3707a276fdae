"""Something happens in the middle of a run, over a connection of its own: what is there when both
have ended is what a run from scratch gives.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from datetime import timedelta

import pytest
from django.db import connection, connections

from accounts.models import AccountPermission, InstanceAccount
from classification import risks
from classification.classify import classify
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
from tests.classification.cast import call, retoken, text

pytestmark = pytest.mark.django_db(transaction=True)

# So long the run waits for what happens; if it waits for the run itself, it happens afterwards.
PATIENCE = 0.1
WRITTEN = "account_classification_assignments, account_risks, classified_accounts"


def a_new_world():
    """Two rules of one classification, one of another that is a lower risk, and an exception."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE instances, account_classifications, {WRITTEN} CASCADE")
    orders = cast.instance()
    power = cast.classification("power", risk_level="critical")
    cast.rule("superusers", power, call("is_superuser"))
    cast.rule("granters", power, call("has_capability", name="GRANT_ADMIN"))
    reads = call("has_privilege", name="SELECT", scope="global")
    cast.rule("readers", cast.classification("reader", risk_level="low"), reads)
    for i in range(3):
        cast.account(orders, f"dba{i}@%", "cap:SUPERUSER", "cap:GRANT_ADMIN")
        cast.account(orders, f"app{i}@%", "priv:global:SELECT")
    accept("dba1*")


def accept(pattern):
    power = AccountClassification.objects.get(name="power")
    RiskException.objects.create(
        username_pattern=pattern,
        classification=power,
        reason="until the move",
        approver="Li",
        ends_on=risks.today() + timedelta(days=9),
    )


def permission(username):
    return AccountPermission.objects.get(account__username=username)


def edit_a_rule():
    rule = ClassificationRule.objects.get(rule_name="superusers")
    rule.rule_expression = text(call("has_privilege", name="SELECT", scope="global"))
    rule.save()


def switch_off_a_rule():
    ClassificationRule.objects.filter(rule_name="granters").update(is_active=False)


def delete_a_rule():
    ClassificationRule.objects.get(rule_name="readers").delete()


def lose_an_account():
    InstanceAccount.objects.filter(username="dba0@%").update(is_active=False)


def delete_an_account():
    InstanceAccount.objects.get(username="dba0@%").delete()


def delete_the_instance():
    orders = permission("dba0@%").instance
    cast.account(cast.instance("stock-db"), "dba0@%", "cap:SUPERUSER")
    orders.delete()


def accept_a_risk():
    accept("dba0*")


def withdraw_an_exception():
    RiskException.objects.get(username_pattern="dba1*").end(None)


def synchronise():
    """The facts first, the rules for what has changed right after, as a sync does."""
    retoken(permission("dba2@%"), "priv:global:SELECT")
    retoken(permission("app0@%"), "cap:SUPERUSER")
    classify(instance_id=permission("app0@%").instance_id)


def raise_a_risk():
    reader = AccountClassification.objects.get(name="reader")
    reader.risk_level = "high"
    reader.save()


EVENTS = [
    edit_a_rule,
    switch_off_a_rule,
    delete_a_rule,
    lose_an_account,
    delete_an_account,
    delete_the_instance,
    accept_a_risk,
    withdraw_an_exception,
    synchronise,
    raise_a_risk,
    classify,
]
# Statements of a first run that something comes before: its locks, its look at the accounts, its
# rules, the comparison, the risks.
STATEMENTS = [2, 11, 20, 29]


def interrupted(number, happens):
    """A run, and `happens` before its statement `number`."""
    seen = iter(range(10_000))
    with ThreadPoolExecutor(1) as pool:
        others = []

        def watch(execute, sql, params, many, context):
            if next(seen) == number:
                others.append(pool.submit(alone, happens))
                with contextlib.suppress(NotYet):
                    others[0].result(PATIENCE)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            classify()
        others[0].result(20)


def alone(happens):
    try:
        happens()
    finally:
        connections.close_all()


def everything():
    """Who has what on which grounds, at which risk, and what of it is accepted by whom."""
    names = ("account_id", "classification_id", "rule_id", "evidence")
    given = Assignment.objects.active().values_list(*names)
    accepted = Acceptance.objects.values_list(
        "assignment__account_id", "assignment__classification_id", "exception_id", "ends_on"
    )
    weighed = AccountRisk.objects.values_list("permission_id", "level", "accepted_until")
    known = ClassifiedAccount.objects.values_list("permission_id", "stamp")
    return {
        "given": sorted(given, key=str),
        "accepted": sorted(accepted),
        "risks": sorted(weighed),
        "known": sorted(known),
    }


def from_scratch():
    """What a run gives that knows nothing of those before it."""
    for model in (Acceptance, AccountRisk, ClassifiedAccount, Assignment):
        model.objects.all().delete()
    AccountClassification.objects.update(rule_stamps={})
    classify()
    return everything()


@pytest.mark.parametrize("happens", EVENTS)
def test_what_happens_during_a_run_ends_as_if_one_had_waited(happens):
    for number in STATEMENTS:
        a_new_world()
        interrupted(number, happens)
        classify()
        found = everything()
        assert (number, found) == (number, from_scratch())
        assert found["given"]
        assert {row[0] for rows in found.values() for row in rows} <= ids()


def ids():
    return set(AccountPermission.objects.values_list("pk", flat=True))


def test_a_rule_that_is_edited_during_a_run_counts_for_all_or_for_none():
    for number in STATEMENTS:
        a_new_world()
        interrupted(number, edit_a_rule)
        given = Assignment.objects.active().filter(classification__name="power")
        found = {name[:3] for name in given.values_list("account__account__username", flat=True)}
        assert found in ({"dba"}, {"dba", "app"})
        asked = [rule for row in given for rule in row.evidence["rules"]]
        edited = ClassificationRule.objects.get(rule_name="superusers").pk
        assert len({rule["fingerprint"] for rule in asked if rule["rule"] == edited}) == 1
