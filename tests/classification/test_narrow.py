"""Accounts at a risk are the same whether they are few or many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import InstanceAccount
from classification import narrow
from classification.models import AccountRisk
from tests.classification.cast import account, instance
from whalefall import big_lists

pytestmark = pytest.mark.django_db


@pytest.fixture
def risky():
    place = instance()
    for name, level in (("a@%", 5), ("b@%", 4), ("c@%", 5)):
        AccountRisk.objects.create(permission=account(place, name), level=level)
    account(place, "d@%")


@pytest.mark.parametrize("most", [50_000, 0])
@pytest.mark.parametrize("exact_up_to", [10, 1])
def test_few_and_many_are_the_same(risky, monkeypatch, most, exact_up_to):
    monkeypatch.setattr(narrow, "MOST_LISTED", most)
    found = narrow.at_risk(InstanceAccount.objects.order_by("username"), [5])
    extent = big_lists.extent(found, exact_up_to)
    assert extent.total == 2
    assert [each.username for each in found] == ["a@%", "c@%"]
    assert [each.username for each in big_lists.part(found, 1, 5, extent)] == ["c@%"]


def test_many_are_walked_in_order_and_counted_without(risky, monkeypatch):
    monkeypatch.setattr(narrow, "MOST_LISTED", 0)
    found = narrow.at_risk(InstanceAccount.objects.present().order_by("username"), [5])
    with CaptureQueriesContext(connection) as asked:
        extent = big_lists.extent(found, 1)
        rows = list(big_lists.part(found, 0, 5, extent))
    counted, *_sample, walked, shown = [query["sql"] for query in asked]
    assert [each.username for each in rows] == ["a@%", "c@%"]
    assert [sql.count("IS TRUE") for sql in (counted, walked, shown)] == [0, 1, 0]
    assert "account_risks" not in shown
