"""Accounts at a risk are the same whether they are few or many."""

import pytest

from accounts.models import InstanceAccount
from classification import narrow
from classification.models import AccountRisk
from tests.classification.cast import account, instance
from whalefall import big_lists

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("most", [50_000, 0])
def test_few_and_many_are_the_same(monkeypatch, most):
    place = instance()
    for name, level in (("a@%", 5), ("b@%", 4), ("c@%", 5)):
        AccountRisk.objects.create(permission=account(place, name), level=level)
    account(place, "d@%")
    monkeypatch.setattr(narrow, "MOST_LISTED", most)
    found = narrow.at_risk(InstanceAccount.objects.order_by("username"), [5])
    assert [each.username for each in found] == ["a@%", "c@%"]


def test_few_are_counted_however_short_a_count_is_wanted():
    place = instance()
    for name in ("a@%", "b@%"):
        AccountRisk.objects.create(permission=account(place, name), level=5)
    rows = InstanceAccount.objects.present()
    assert big_lists.count(narrow.at_risk(rows, [5]), 1) == (2, False)
