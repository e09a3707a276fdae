"""How the numbers of rules, classifications and risks went, on their pages."""

from datetime import timedelta

import pytest

from classification import colors, risks
from classification.daily import count_today
from classification.models import AccountClassification, ClassificationRule, DailyCount
from tests.admin import fleet

CLASSIFICATIONS = "/admin/classification/accountclassification/"
RULES = "/admin/classification/classificationrule/"


@pytest.fixture
def classified(orders_db):
    """`dba_li` has a classification by a rule."""
    account = fleet.store(orders_db, fleet.orders())["dba_li"]
    fleet.classified(account)
    return account


def page(client, url, row):
    return client.get(f"{url}{row.pk}/change/").content.decode()


def earlier(kind, row, days, accounts):
    day = risks.today() - timedelta(days=days)
    DailyCount.objects.create(
        day=day, kind=kind, key=str(row.pk), name="x", accounts=accounts, accepted=0
    )


def test_what_was_never_counted_says_so(viewer, classified):
    label = AccountClassification.objects.get()
    assert "It has not been counted yet" in page(viewer, CLASSIFICATIONS, label)


def test_a_classification_is_drawn_with_the_change_of_a_month(viewer, classified):
    label = AccountClassification.objects.get()
    earlier("classification", label, 40, 5)
    count_today()
    shown = page(viewer, CLASSIFICATIONS, label)
    day = risks.today() - timedelta(days=40)
    assert f"1 account on {risks.today()}, −4 since {day}." in shown
    assert "wf-chart-area" in shown


def test_a_rule_is_drawn(viewer, classified):
    rule = ClassificationRule.objects.get()
    count_today()
    assert f"Accounts by rule {rule.rule_name}, by day" in page(viewer, RULES, rule)


def test_what_is_accepted_has_a_line_of_its_own(viewer, classified):
    fleet.accepted(classified)
    count_today()
    shown = page(viewer, CLASSIFICATIONS, AccountClassification.objects.get())
    assert "of them accepted" in shown


def test_the_list_of_classifications_draws_every_risk(viewer, classified):
    assert "It has not been counted yet" in viewer.get(CLASSIFICATIONS).content.decode()
    count_today()
    shown = viewer.get(CLASSIFICATIONS).content.decode()
    assert shown.count("<polyline class=") == 12  # six lines, and six in the legend


def test_a_classification_has_the_colour_that_the_api_tells(viewer, classified):
    AccountClassification.objects.update(color="amber")
    assert f"background:{colors.COLORS['amber']}" in viewer.get(CLASSIFICATIONS).content.decode()


def test_a_colour_is_chosen_from_ours(administrator, classified):
    label = AccountClassification.objects.get()
    names = ("name", "display_name", "risk_level", "priority", "icon_name")
    form = {name: getattr(label, name) for name in names} | {"color": "#123456"}
    answer = administrator.post(f"{CLASSIFICATIONS}{label.pk}/change/", form)
    assert "#123456 is not one of the available choices" in answer.content.decode()
