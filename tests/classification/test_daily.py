"""The day's counts: one statement, as often as one likes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classification import daily, risks
from classification.classify import classify
from classification.models import DailyCount, RiskException
from tests.classification.cast import account, call, classification, instance, retoken, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return account(instance(), "root@%", "cap:SUPERUSER", is_superuser=True)


@pytest.fixture
def super_admin(root):
    found = classification(risk_level="critical")
    rule("superusers", found, call("is_superuser"))
    classify()
    return found


def accept(found, label):
    RiskException.objects.create(
        account=found.account,
        classification=label,
        reason="moves",
        approver="Li",
        ends_on=risks.today(),
    )


def last(kind, key):
    (curve,) = daily.curves(kind, 1, [str(key)])
    (point,) = curve["points"]
    return point["accounts"], point["accepted"]


def test_it_counts_rules_classifications_and_risks(root, super_admin):
    daily.count_today()
    assert last("rule", super_admin.rules.get().pk) == (1, 0)
    assert last("classification", super_admin.pk) == (1, 0)
    assert (last("risk", "critical"), last("risk", "low")) == ((1, 0), (0, 0))


def test_what_is_accepted_is_counted_apart(root, super_admin):
    accept(root, super_admin)
    daily.count_today()
    assert last("classification", super_admin.pk) == (1, 1)
    assert (last("risk", "critical"), last("risk", "accepted")) == ((0, 0), (1, 1))


def test_counting_a_day_again_writes_only_what_differs(root, super_admin):
    assert daily.count_today() > 0
    assert daily.count_today() == 0
    retoken(root)
    classify()
    assert daily.count_today() == 3
    assert last("rule", super_admin.rules.get().pk) == (0, 0)


def test_it_is_one_statement_besides_the_look_at_the_clock(super_admin):
    with CaptureQueriesContext(connection) as queries:
        daily.count_today()
    assert len(queries) == 2


def test_an_instance_in_the_recycle_bin_counts_for_nothing(root, super_admin):
    root.instance.deleted_at = timezone.now()
    root.instance.save()
    daily.count_today()
    assert (last("classification", super_admin.pk), last("risk", "critical")) == ((0, 0), (0, 0))


def test_a_curve_goes_from_the_oldest_day_to_today_by_its_last_name(super_admin):
    daily.count_today()
    for days, accounts in ((1, 7), (2, 5), (30, 9)):
        DailyCount.objects.create(
            day=risks.today() - timedelta(days=days),
            kind="classification",
            key=str(super_admin.pk),
            name="former",
            accounts=accounts,
            accepted=0,
        )
    (curve,) = daily.curves("classification", 30, [str(super_admin.pk)])
    assert curve["name"] == "super_admin"
    assert [point["accounts"] for point in curve["points"]] == [5, 7, 1]
