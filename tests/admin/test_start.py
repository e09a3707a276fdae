"""The numbers of the start page are true, and each leads to the list behind it."""

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import InstanceAccount
from capacity.models import InstanceOutlook
from classification import risks
from classification.models import DailyCount
from sync.models import SyncSession
from tests.admin import fleet
from whalefall.instances.models import Instance


def cards(client) -> dict[str, tuple[str, str]]:
    """Title -> (number, address)."""
    page = client.get("/admin/").content.decode()
    found = re.findall(
        r'<a href="([^"]*)" class="wf-card.*?wf-card-title">(.*?)</span>'
        r'.*?wf-card-value">(.*?)</span>',
        page,
        re.DOTALL,
    )
    return {title: (value, html.unescape(url)) for url, title, value in found}


RETRY = "/admin/sync/syncinstancerecord/retry/"


@pytest.fixture
def house(orders_db):
    """Accounts of `orders-db` were read, but for the routines; then its password expired."""
    accounts = fleet.store(orders_db, fleet.orders())
    fleet.classified(accounts["dba_li"])
    fleet.change(accounts["app_rw"])
    read = fleet.session(orders_db)
    told = {
        "status": "denied",
        "message": "permission denied for table pg_proc",
        "remedy": "GRANT SELECT ON pg_proc TO whalefall;",
    }
    read.records.update(sync_details={"sections": {"routine": told}})
    failed = fleet.session(orders_db, status="failed")
    failed.records.update(sync_details={"error": {"type": "LoginRefused"}})
    Instance.objects.filter(pk=orders_db.pk).update(last_connected_at=timezone.now())
    InstanceOutlook.objects.create(
        instance=orders_db, calculated_at=timezone.now(), days_to_full=30, last_bytes=2**40
    )
    fleet.instance("stock-db", db_type="mysql")
    fleet.instance("old-db").recycle()


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Instances", "2"),
        ("Accounts", "5"),
        ("Superusers", "1"),
        ("Changes", "1"),
        ("Critical accounts", "1"),
        ("High-risk accounts", "0"),
        ("Running sessions", "0"),
        ("Failing syncs", "1"),
        ("Full soon", "1"),
    ],
)
def test_a_number_is_that_of_the_list_behind_it(viewer, house, title, number):
    value, url = cards(viewer)[title]
    assert value == number
    check_list(viewer, url, number)


def check_list(client, url, number):
    response = client.get(url)
    assert response.status_code == 200
    assert str(response.context["cl"].result_count) == number


def panel(client, title):
    page = client.get("/admin/").content.decode()
    return next(part for part in page.split("<section") if title in part.split("</h2>")[0])


def links(part):
    """(address, number) of each number in a panel."""
    found = re.findall(r'<a class="wf-link" href="([^"]*)">([\d,]+)</a>', part)
    return [(html.unescape(url), number) for url, number in found]


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("Accounts by risk", ["1", "0", "0", "0", "0"]),
        # MySQL: watched, never connected, accounts. PostgreSQL: watched, failing, accounts.
        ("Instances by engine and state", ["1", "1", "0", "1", "1", "5"]),
        ("Failing syncs by cause", ["1"]),
        ("What could not be read", ["0", "1", "1", "1"]),
    ],
)
def test_the_numbers_of_a_table_are_those_of_their_lists(viewer, house, title, numbers):
    found = links(panel(viewer, title))
    assert [number for _url, number in found] == numbers
    for url, number in found:
        check_list(viewer, url, number)


def test_it_says_how_risks_moved(viewer, house):
    today = risks.today()
    for days, number in ((1, 3), (7, 0)):
        DailyCount.objects.create(
            day=today - timedelta(days=days),
            kind="risk",
            key="critical",
            name="critical",
            accounts=number,
            accepted=0,
        )
    page = viewer.get("/admin/").content.decode()
    assert "−2 since yesterday" in page
    assert "+1 since last week" in page


def test_it_names_what_is_new(viewer, house):
    assert "dba_li" in panel(viewer, "Newest risky accounts")
    assert "app_rw" in panel(viewer, "Latest changes")


def test_it_says_what_would_mend_a_gap(viewer, house):
    assert "GRANT SELECT ON pg_proc TO whalefall;" in panel(viewer, "What could not be read")


def test_failing_syncs_are_retried_by_cause(operator, viewer, house):
    form = {"category": "account", "cause": "LoginRefused"}
    assert viewer.post(RETRY, form).status_code == 403
    started = operator.post(RETRY, form)
    session = SyncSession.objects.get(status="running")
    assert started.url == f"/admin/sync/syncsession/{session.pk}/change/"
    assert [record.instance_name for record in session.records.all()] == ["orders-db"]


def test_nothing_is_retried_when_nothing_fails_like_that(operator, house):
    operator.post(RETRY, {"category": "capacity", "cause": "LoginRefused"})
    assert not SyncSession.objects.filter(status="running").exists()
    assert operator.get(RETRY).status_code == 405


def test_what_was_made_good_fails_no_more(viewer, house, orders_db):
    fleet.session(orders_db)
    assert cards(viewer)["Failing syncs"][0] == "0"
    assert "No sync fails." in panel(viewer, "Failing syncs by cause")


def test_running_sessions_are_looked_at_again_soon(viewer, house, orders_db):
    assert "every 30s" in viewer.get("/admin/").content.decode()
    fleet.session(orders_db, status="running")
    part = viewer.get("/admin/live/").content.decode()
    assert "every 3s" in part
    assert "Running sessions" in part


def test_an_empty_house_has_a_start_page_too(viewer):
    assert cards(viewer)["Accounts"][0] == "0"
    page = viewer.get("/admin/").content.decode()
    assert "Nothing has been synchronised yet" in page
    assert "No instance is registered yet" in page


def test_a_viewer_is_offered_no_retry(viewer, operator, house):
    assert RETRY in panel(operator, "Failing syncs by cause")
    assert RETRY not in panel(viewer, "Failing syncs by cause")


def test_what_is_missing_for_the_same_reason_stands_together_in_words(viewer, house, orders_db):
    told = {"status": "denied", "message": "permission denied for table pg_proc"}
    read = fleet.session(orders_db)
    read.records.update(sync_details={"sections": {"routine": told, "database_accounts": told}})
    part = panel(viewer, "What could not be read")
    assert "rights on routines, users in databases" in part
    assert ">PostgreSQL<" in part
    assert [number for _url, number in links(part)] == ["0", "1", "1", "1"]


def test_the_list_of_instances_counts_the_accounts_that_its_links_show(viewer, orders_db):
    accounts = fleet.store(orders_db, fleet.orders())
    InstanceAccount.objects.filter(pk=accounts["app_rw"].pk).update(comes_with_product=True)
    page = viewer.get("/admin/instances/instance/").content.decode()
    url, number = re.search(
        r'href="([^"]*instanceaccount/[^"]*)">(\d+)</a>', page.partition("result_list")[2]
    ).groups()
    check_list(viewer, html.unescape(url), number)
    assert number == "4"
