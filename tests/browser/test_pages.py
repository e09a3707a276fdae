"""The pages of accounts and sessions, as a person walks through them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.collection import apply
from accounts.models import InstanceAccount
from classification import risks
from classification.models import RiskException
from sync.models import SyncSession
from tests.accounts.world import PlainRules, account, grant, observe
from tests.admin import fleet
from whalefall.engines.observed import ObservedMembership

pytestmark = pytest.mark.xdist_group("browser")

ACCOUNTS = "/admin/accounts/instanceaccount/"


@pytest.fixture
def orders_db(page):
    """What the live server shows; `page` brings the store that it shares."""
    return fleet.instance("orders-db")


def stored(on, tables=0):
    observation = fleet.orders()
    observation.memberships.append(ObservedMembership("dba_li", "dba_role", inherit=False))
    observation.add_grants(
        fleet.grant("app_rw", "SELECT", "shop", "public", f"t{n:03}") for n in range(tables)
    )
    return fleet.store(on, observation)


def test_a_running_session_shows_its_progress_until_it_fails_and_is_retried(page, orders_db):
    session = fleet.session(orders_db, fleet.instance("stock-db"), status="running")
    page.goto(f"/admin/sync/syncsession/{session.pk}/change/")
    expect(page.get_by_text("waiting 2")).to_be_visible()
    session.records.filter(instance=orders_db).update(status="completed", items_synced=42)
    expect(page.get_by_text("waiting 1")).to_be_visible()
    session.records.exclude(instance=orders_db).update(
        status="failed", error_message="stock-db: no route to host"
    )
    session.settle()
    expect(page.get_by_role("heading", name="What went wrong")).to_be_visible()
    expect(page.get_by_text("stock-db: no route to host").first).to_be_visible()
    page.get_by_text("Retry what failed").first.click()
    page.get_by_role("button", name="Retry what failed").click()
    page.wait_for_url(lambda url: f"/{session.pk}/" not in url)
    again = SyncSession.objects.get(retry_of=session)
    expect(page.get_by_text(str(again.session_id)).first).to_be_visible()
    page.locator("a", has_text="Cancel").first.click()
    page.locator("#modal-content").get_by_role("button", name="Cancel").click()
    expect(page.locator("#wf-session").get_by_text("cancelled 1")).to_be_visible()


def test_who_has_access_is_asked_and_answered(page, orders_db):
    stored(orders_db)
    page.goto("/admin/")
    page.get_by_role("link", name="Who has access to").click()
    page.get_by_label("Privilege").fill("delete")
    page.get_by_label("On", exact=True).fill("shop.orders")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("4 accounts have it")).to_be_visible()
    expect(page.get_by_text("Understood as:")).to_contain_text("table shop.public.orders")
    way = page.get_by_text("app_rw -> team_rw -> dba_role: DELETE ON shop.public.orders")
    expect(way).to_be_visible()
    page.get_by_role("link", name="app_rw").click()
    expect(page.get_by_role("heading", name="Privileges in effect")).to_be_visible()


def test_the_privileges_of_an_account_open_page_by_page_and_are_searched(page, orders_db):
    page.goto(f"{ACCOUNTS}{stored(orders_db, tables=150)['app_rw'].pk}/change/")
    branch = page.locator("details").filter(has_text="Tables and views")
    expect(branch.get_by_text("shop.public.t000")).to_have_count(0)
    branch.locator("summary").click()
    expect(branch.get_by_text("shop.public.t000")).to_be_visible()
    branch.get_by_role("link", name="Next").click()
    expect(branch.get_by_text("shop.public.t149")).to_be_visible()
    expect(branch.get_by_text("shop.public.t000")).to_have_count(0)
    branch.get_by_label("Search in these privileges").fill("delete")
    expect(branch.locator("tbody tr, tr")).to_have_count(2)  # the head and one row
    expect(branch.get_by_text("shop.public.orders")).to_be_visible()


def test_what_is_stored_opens_on_the_page(page, orders_db):
    page.goto(f"{ACCOUNTS}{stored(orders_db)['app_rw'].pk}/change/")
    page.get_by_text("Snapshot as read").click()
    expect(page.get_by_text('"db_type": "postgresql"')).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="download").click()
    assert saved.value.suggested_filename.endswith("-snapshot.json")


def test_a_risk_is_accepted_on_the_page_of_the_account(page, orders_db):
    found = stored(orders_db)["dba_li"]
    fleet.classified(found)
    page.goto(f"{ACCOUNTS}{found.pk}/change/")
    page.get_by_role("button", name="Accept the risk").click()
    page.get_by_label("Why").fill("moves this week")
    page.get_by_label("Approved by").fill("Vera")
    page.get_by_label("Last day").fill((risks.today() + timedelta(days=3)).isoformat())
    page.locator("#modal-content").get_by_role("button", name="Accept the risk").click()
    expect(page.get_by_text("accepted until").first).to_be_visible()
    assert page.url.endswith(f"{ACCOUNTS}{found.pk}/change/")
    assert RiskException.objects.get().approver == "Vera"


def test_two_accounts_are_found_and_compared(page, orders_db):
    found = stored(orders_db)
    page.goto(f"{ACCOUNTS}{found['app_rw'].pk}/change/")
    page.get_by_role("link", name="Compare with another account").click()
    page.get_by_label("Search an account").fill("dba_ro")
    page.get_by_label("Search an account").press("Enter")
    page.get_by_role("link", name="dba_role").click()
    expect(page.get_by_role("row", name="only left shop database")).to_contain_text("CONNECT")
    page.get_by_role("link", name="show what is the same, too").click()
    expect(page.get_by_role("row").filter(has_text="DELETE")).to_contain_text("same")
    page.get_by_role("link", name="Roles", exact=True).click()
    expect(page.get_by_role("row", name="only left team_rw")).to_contain_text("WITH ADMIN OPTION")


def test_an_account_is_looked_at_as_of_a_day(page, orders_db):
    now = timezone.now()
    for days, name in ((40, "SUPER"), (10, "FILE")):
        seen = observe(account("app"), grant("app", name))
        apply(orders_db, seen, rules=PlainRules(), now=now - timedelta(days=days))
    found = InstanceAccount.objects.get(username="app")
    page.goto(f"{ACCOUNTS}{found.pk}/change/")
    page.get_by_label("As of").fill((now - timedelta(days=20)).date().isoformat())
    page.get_by_role("button", name="Show").click()
    held = page.locator("section").filter(has_text="Given to the account itself then")
    expect(held).to_contain_text("SUPER")
    differs = page.locator("section").filter(has_text="What is different today")
    expect(differs.get_by_role("row").filter(has_text="FILE")).to_contain_text("only today")
    page.get_by_label("As of the end of").fill((now - timedelta(days=60)).date().isoformat())
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("It was first seen on")).to_be_visible()
