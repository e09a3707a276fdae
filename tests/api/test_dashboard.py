"""`/dashboard`: the fleet at a glance for programs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import InstanceAccount
from capacity.models import InstanceOutlook
from classification import risks
from classification.models import AccountRisk, DailyCount
from sync.dashboard import numbers
from sync.models import FleetCount
from tests.admin import fleet
from tests.api.envelope import check_ok as success

pytestmark = pytest.mark.django_db

URL = "/api/v1/dashboard"


@pytest.fixture
def house():
    orders = fleet.instance("orders-db")
    accounts = fleet.store(orders, fleet.orders())
    fleet.classified(accounts["dba_li"])
    fleet.change(accounts["app_rw"])
    fleet.session(orders, status="failed").records.update(
        sync_details={"error": {"type": "ConnectError"}}
    )
    now = timezone.now()
    InstanceOutlook.objects.create(
        instance=orders, calculated_at=now, last_bytes=9, growth_per_day=1.5, days_to_full=4
    )
    return accounts


def test_the_overview(viewer, house):
    data = success(viewer.get(f"{URL}/overview"))
    assert data["instances"]["total"] == 1
    assert data["engines"] == [
        {
            "db_type": "postgresql",
            "watched": 1,
            "paused": 0,
            "never": 1,
            "failing": 1,
            "accounts": 5,
        }
    ]
    assert data["accounts"]["total"] == 5
    assert data["accounts"]["risks"][0] == {
        "risk_level": "critical",
        "accounts": 1,
        "yesterday": None,
        "last_week": None,
    }
    assert data["capacity"] == {
        "total_bytes": 9,
        "growth_per_day": 1.5,
        "full_soon": 1,
        "soon_days": 90,
    }


def test_risks_are_told_as_they_were(viewer, house):
    day = risks.today() - timedelta(days=7)
    count = {"kind": "risk", "key": "high", "name": "high", "accounts": 7, "accepted": 0}
    DailyCount.objects.create(day=day, **count)
    high = success(viewer.get(f"{URL}/overview"))["accounts"]["risks"][1]
    assert (high["accounts"], high["yesterday"], high["last_week"]) == (0, None, 7)


def test_activities_are_the_newest(viewer, house):
    data = success(viewer.get(f"{URL}/activities"))
    (risky,) = data["risky_accounts"]
    assert (risky["username"], risky["instance"]["name"]) == ("dba_li", "orders-db")
    assert [change["username"] for change in data["changes"]] == ["app_rw"]
    assert [session["status"] for session in data["sessions"]] == ["failed"]


def test_the_status_groups_failures_and_tells_progress(viewer, house):
    fleet.session(fleet.instance("b-db"), fleet.instance("c-db"), status="running")
    data = success(viewer.get(f"{URL}/status"))
    (cause,) = data["failing"]
    assert (cause["kind"], cause["label"], cause["names"]) == (
        "ConnectError",
        "no connection",
        ["orders-db"],
    )
    (running,) = data["running"]
    assert (running["total"], running["done"], running["failed"]) == (2, 0, 0)
    assert data["coverage"] == {"full": 0, "partial": 0, "never": 3, "gaps": []}


def test_charts_have_a_point_for_each_day(viewer, house):
    fleet.sizes(house["app_rw"].instance)
    count = {"kind": "risk", "key": "low", "name": "low", "accounts": 2, "accepted": 0}
    DailyCount.objects.create(day=risks.today(), **count)
    data = success(viewer.get(f"{URL}/charts"))
    today = risks.today().isoformat()
    points = [{"day": today, "accounts": 2}]
    assert data["risks"] == [{"risk_level": "low", "points": points}]
    assert [point["day"] for point in data["sizes"]] == [today]


@pytest.mark.parametrize("name", ["overview", "charts", "activities", "status"])
def test_the_number_of_statements_does_not_grow(viewer, name):
    asked = []
    for size in (5, 60):
        for i in range(size):
            place = fleet.instance(f"db-{size}-{i}")
            fleet.session(place, status="failed")
        for account in fleet.store(place, fleet.orders()).values():
            fleet.classified(account)
            fleet.change(account)
        with CaptureQueriesContext(connection) as queries:
            success(viewer.get(f"{URL}/{name}"))
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 14


@pytest.fixture
def big(monkeypatch, house):
    """A fleet that is too big to be counted each time."""
    monkeypatch.setattr(numbers, "LIVE_UP_TO", 0)


def told(viewer):
    return success(viewer.get(f"{URL}/overview"))["accounts"]


def test_a_big_fleet_is_counted_once(viewer, big):
    first = told(viewer)
    InstanceAccount.objects.filter(username="app_rw").update(is_active=False)
    assert told(viewer) == first
    assert (first["total"], first["superusers"], first["roles"]) == (5, 1, 3)
    assert first["risks"][0]["accounts"] == 1


def test_a_worker_counts_a_big_fleet_again_when_something_changed(viewer, big, monkeypatch):
    before = told(viewer)
    stamps = iter(["2", "2", "2"])
    monkeypatch.setattr(numbers, "_stamp", lambda: next(stamps))
    InstanceAccount.objects.filter(username="app_rw").update(is_active=False)
    assert numbers.keep_fresh()
    assert told(viewer)["total"] == before["total"] - 1
    assert not numbers.keep_fresh()


def test_without_a_worker_who_asks_counts(viewer, big):
    told(viewer)
    FleetCount.objects.update(counted_at=timezone.now() - timedelta(hours=1))
    AccountRisk.objects.all().delete()
    assert told(viewer)["risks"][0]["accounts"] == 0


def test_a_small_fleet_is_never_kept(viewer, house):
    told(viewer)
    assert not numbers.keep_fresh()
    assert not FleetCount.objects.exists()
