"""Why an account is at risk, accepting that for a while, and how the numbers went, in a browser."""

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from classification import risks
from classification.classify import classify
from classification.models import (
    AccountClassification,
    AccountRisk,
    ClassificationRule,
    DailyCount,
    RiskException,
)
from tests.admin import fleet

pytestmark = pytest.mark.xdist_group("browser")

CLASSIFICATIONS = "/admin/classification/accountclassification/"
RULES = "/admin/classification/classificationrule/"
EXCEPTIONS = "/admin/classification/riskexception/"
DAYS = 60


def rule(title, gives, fn, **args):
    text = json.dumps({"version": 4, "expr": {"fn": fn, "args": args}})
    values = {"db_type": "postgresql", "rule_name": title, "rule_expression": text}
    return ClassificationRule.objects.create(classification=gives, **values)


@pytest.fixture
def accounts(page):
    """`dba_li` is critical, `app_rw` high by way of two roles; what the live server shows."""
    stored = fleet.store(fleet.instance("orders-db"), fleet.orders())
    make = AccountClassification.objects.create
    dba = make(name="dba", display_name="House DBA", risk_level="critical", color="red")
    deletes = make(name="deletes", display_name="May delete", risk_level="high", color="orange")
    rule("superusers", dba, "is_superuser")
    rule("deletes", deletes, "has_privilege", name="DELETE", scope="table")
    rule("runs code", deletes, "has_privilege", name="EXECUTE", scope="routine")
    classify()
    return stored


@pytest.fixture
def counted(accounts):
    """Two months of counts that fell, with a few accepted of late."""
    rows = []
    for ago in range(DAYS):
        day = risks.today() - timedelta(days=ago)
        number, accepted = 6 + ago // 4, max(0, 12 - ago) // 3
        kinds = [("rule", each.pk, each.rule_name) for each in ClassificationRule.objects.all()]
        kinds += [
            ("classification", each.pk, each.name) for each in AccountClassification.objects.all()
        ]
        kinds += [("risk", name, name) for name in (*risks.LEVELS, "accepted")]
        for place, (kind, key, name) in enumerate(kinds):
            rows.append(
                DailyCount(
                    day=day,
                    kind=kind,
                    key=str(key),
                    name=name,
                    accounts=number + 3 * place,
                    accepted=accepted if kind != "risk" else 0,
                )
            )
    DailyCount.objects.bulk_create(rows)
    return accounts


def account_page(accounts, name):
    return f"/admin/accounts/instanceaccount/{accounts[name].pk}/change/"


def test_the_page_of_an_account_explains_every_rule(page, accounts):
    page.goto(account_page(accounts, "app_rw"))
    page.get_by_text("What every rule says about this account").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="deletes"))
    expect(row).to_contain_text("app_rw -> team_rw -> dba_role: DELETE")
    row.get_by_text("What would have to be revoked").click()
    expect(row).to_contain_text('REVOKE "team_rw" FROM "app_rw";')
    unknown = page.get_by_role("row").filter(has=page.get_by_role("link", name="runs code"))
    expect(unknown).to_contain_text("unknown")


def test_a_risk_is_accepted_and_taken_back(page, accounts):
    page.goto(account_page(accounts, "dba_li"))
    page.get_by_role("link", name="details").first.click()
    page.get_by_role("link", name="Accept the risk").click()
    page.get_by_label("Why").fill("The one DBA of this house.")
    page.get_by_label("Approved by").fill("Vera")
    page.get_by_label("Last day").fill((risks.today() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Accept the risk").click()
    expect(page.get_by_text("Accepted.")).to_be_visible()
    risk = AccountRisk.objects.get(permission=accounts["dba_li"].permission)
    assert risk.level == 0
    page.goto(EXCEPTIONS)
    page.get_by_role("link", name="dba_li").click()
    expect(page.get_by_text("The one DBA of this house.")).to_be_visible()
    page.get_by_role("link", name=re.compile(r"\bEnd$")).click()
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_text("Ended.")).to_be_visible()
    risk.refresh_from_db()
    assert risk.level == 5


def test_a_pattern_is_accepted_on_its_own_page(page, accounts):
    page.goto(f"{EXCEPTIONS}add/")
    page.get_by_label("name pattern").fill("app_*")
    page.evaluate(
        "id => { const s = document.getElementById('id_classification');"
        " s.append(new Option('May delete', id, true, true)); }",
        AccountClassification.objects.get(name="deletes").pk,
    )
    page.get_by_label("Reason").fill("Cleans up at night.")
    page.get_by_label("Approved by").fill("Vera")
    page.get_by_label("Last day").fill((risks.today() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{EXCEPTIONS}")
    assert RiskException.objects.get().username_pattern == "app_*"
    assert AccountRisk.objects.get(permission=accounts["app_rw"].permission).level == 0


def test_the_numbers_of_a_rule_and_a_classification_are_drawn(page, counted):
    pk = ClassificationRule.objects.get(rule_name="superusers").pk
    page.goto(f"{RULES}{pk}/change/")
    expect(page.get_by_role("img", name="Accounts by rule superusers, by day")).to_be_visible()
    page.goto(f"{CLASSIFICATIONS}{AccountClassification.objects.get(name='dba').pk}/change/")
    expect(page.get_by_role("img", name="Accounts with House DBA, by day")).to_be_visible()


def test_the_numbers_of_every_risk_are_drawn_together(page, counted):
    page.goto(CLASSIFICATIONS)
    drawn = page.get_by_role("img", name="Accounts by their highest risk, by day")
    expect(drawn).to_be_visible()
    assert drawn.locator("polyline").count() == 6
