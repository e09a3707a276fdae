"""Databases, their sizes, sums and forecasts over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity.aggregation import aggregate
from capacity.collection import ReadTables, apply, apply_tables
from capacity.models import InstanceDatabase
from tags.models import Tag
from tests.api.cast import instance
from tests.api.envelope import check_failed, check_ok, errors
from tests.capacity.cast import COMPLETE, observed, tables

pytestmark = pytest.mark.django_db
BASE = "/api/v1"


def on_day(on, back=0, **sizes):
    """Measured `back` days ago, the day summed up."""
    when = timezone.now() - timedelta(days=back)
    applied = apply(on, observed(**sizes), COMPLETE, now=when)
    aggregate(["daily"], day=applied.day, instance_id=on.pk)


@pytest.fixture
def fleet():
    """orders-db grew from 90 to 100 since yesterday; stock-db could not measure `closed`; the
    recycle bin counts for nothing.
    """
    orders, stock = instance("orders-db"), instance("stock-db", db_type="postgresql")
    on_day(orders, 1, sales=90, old=5)
    on_day(orders, 0, sales=100)
    on_day(stock, 0, parts=40, closed="needs CONNECT on the database")
    recycled = instance("old-db")
    on_day(recycled, 0, lost=1000)
    recycled.recycle()
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders)
    return {"orders": orders, "stock": stock}


def items(response):
    return check_ok(response)["items"]


def names(response):
    return [item["database_name"] for item in items(response)]


def database(name):
    return InstanceDatabase.objects.get(database_name=name)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["sales", "closed", "parts"]),
        ({"search": "SAL"}, ["sales"]),
        ({"database_name": "sal"}, []),
        ({"db_type": "postgresql"}, ["closed", "parts"]),
        ({"tags": "gold"}, ["sales"]),
        ({"status": "gone"}, ["old"]),
        ({"status": "all", "tags": "gold"}, ["old", "sales"]),
        ({"sort": "size_bytes", "order": "desc"}, ["sales", "parts", "closed"]),
        ({"sort": "database_name", "limit": "1", "page": "2"}, ["parts"]),
    ],
)
def test_the_ledger_of_databases_is_filtered(viewer, fleet, query, expected):
    assert names(viewer.get(f"{BASE}/databases/ledgers", query)) == expected


def test_a_row_of_the_ledger_says_why_there_is_no_size(viewer, fleet):
    (row,) = items(viewer.get(f"{BASE}/databases/ledgers", {"search": "closed"}))
    assert (row["size_bytes"], row["reason"]) == (None, "needs CONNECT on the database")
    assert (row["instance"]["name"], row["status"]) == ("stock-db", "active")


def test_the_ledger_as_csv(viewer, fleet):
    response = viewer.get(f"{BASE}/databases/ledgers/exports", {"search": "sales"})
    header, row = b"".join(response).decode("utf-8-sig").splitlines()
    assert header.startswith("instance,db_type,database,is_active,size_bytes,measured_at,reason")
    assert row.startswith("orders-db,mysql,sales,true,100,")


def test_options_for_a_form(viewer, fleet):
    (row,) = items(viewer.get(f"{BASE}/databases/options", {"search": "parts"}))
    assert row == {
        "id": database("parts").pk,
        "database_name": "parts",
        "instance_id": fleet["stock"].pk,
        "instance_name": "stock-db",
    }


def test_sizes_are_those_of_the_newest_day_unless_narrowed(viewer, fleet):
    url = f"{BASE}/databases/sizes"
    newest = {item["database_name"]: item["size_bytes"] for item in items(viewer.get(url))}
    assert newest == {"sales": 100, "parts": 40, "closed": None}
    history = items(viewer.get(url, {"database_id": database("sales").pk}))
    assert [item["size_bytes"] for item in history] == [100, 90]


def test_sizes_by_days(viewer, fleet):
    yesterday = timezone.localdate() - timedelta(days=1)
    query = {"start_date": yesterday, "end_date": yesterday}
    assert sorted(names(viewer.get(f"{BASE}/databases/sizes", query))) == ["old", "sales"]


def test_days_of_instances(viewer, fleet):
    rows = items(viewer.get(f"{BASE}/capacity/instances", {"instance_id": fleet["orders"].pk}))
    assert [(row["last_bytes"], row["change_bytes"]) for row in rows] == [(100, 5), (95, 0)]
    assert {row["period_type"] for row in rows} == {"daily"}


def test_days_of_databases(viewer, fleet):
    query = {"database_name": "sales", "sort": "period_start", "order": "asc"}
    rows = items(viewer.get(f"{BASE}/capacity/databases", query))
    assert [row["last_bytes"] for row in rows] == [90, 100]
    assert rows[1]["change_percent"] == pytest.approx(100 / 9)


def test_unasked_only_the_last_two_days_of_all_databases(viewer, fleet):
    on_day(fleet["orders"], 2, sales=80)
    url = f"{BASE}/capacity/databases"
    assert 80 not in [row["last_bytes"] for row in items(viewer.get(url))]
    asked = items(viewer.get(url, {"instance_id": fleet["orders"].pk}))
    assert 80 in [row["last_bytes"] for row in asked]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"period_type": "hourly"}, "period_type"),
        ({"start_date": "soon"}, "start_date"),
        ({"instance_id": "x"}, "instance_id"),
        ({"colour": "red"}, "colour"),
    ],
)
@pytest.mark.parametrize("what", ["instances", "instances/summary", "databases/exports"])
def test_what_cannot_be_filtered_by_is_refused(viewer, what, query, path):
    assert path in errors(viewer.get(f"{BASE}/capacity/{what}", query))


def test_the_summary_of_instances(viewer, fleet):
    found = check_ok(viewer.get(f"{BASE}/capacity/instances/summary"))
    assert found == {
        "period_type": "daily",
        "total": 2,
        "not_measured": 0,
        "newest_period_start": str(timezone.localdate()),
        "total_bytes": 140,
        "average_bytes": 70,
        "largest_bytes": 100,
        "change_bytes": 5,
    }


def test_the_summary_of_databases_tells_what_was_not_measured(viewer, fleet):
    query = {"db_type": "postgresql"}
    found = check_ok(viewer.get(f"{BASE}/capacity/databases/summary", query))
    assert (found["total"], found["not_measured"], found["total_bytes"]) == (2, 1, 40)


def test_what_is_gone_from_an_instance_is_not_in_the_summary_of_its_databases(viewer, fleet):
    of_databases, of_instances = (
        check_ok(viewer.get(f"{BASE}/capacity/{what}/summary"))
        for what in ("databases", "instances")
    )
    assert of_databases["total"] == 3  # without `old`, which was there yesterday
    assert of_databases["total_bytes"] == of_instances["total_bytes"] == 140


def test_an_instance_that_was_not_measured_yet_today_counts_with_yesterday(viewer, fleet):
    on_day(instance("late-db"), 1, slow=7)
    on_day(instance("lost-db"), 2, far=1000)
    found = check_ok(viewer.get(f"{BASE}/capacity/databases/summary"))
    assert (found["total"], found["total_bytes"]) == (4, 147)


def test_the_summary_of_days_that_are_asked_for(viewer, fleet):
    yesterday = timezone.localdate() - timedelta(days=1)
    query = {"start_date": yesterday, "end_date": yesterday}
    found = check_ok(viewer.get(f"{BASE}/capacity/databases/summary", query))
    assert (found["total_bytes"], found["newest_period_start"]) == (95, str(yesterday))


@pytest.mark.parametrize(
    ("what", "of"), [("databases/sizes", "size_bytes"), ("capacity/databases", "last_bytes")]
)
def test_days_that_a_clock_running_ahead_left_are_not_the_newest(viewer, fleet, what, of):
    before = [row[of] for row in items(viewer.get(f"{BASE}/{what}"))]
    on_day(fleet["orders"], -500, sales=10**12)
    on_day(fleet["orders"], 0, sales=100)
    assert [row[of] for row in items(viewer.get(f"{BASE}/{what}"))] == before
    found = check_ok(viewer.get(f"{BASE}/capacity/databases/summary"))
    assert found["total_bytes"] == 140


def test_a_forecast_takes_no_days_that_have_not_been_yet(viewer, fleet):
    for back in range(20, -1, -1):
        on_day(fleet["orders"], back, sales=100 - back)
    on_day(fleet["orders"], -500, sales=10**12)
    on_day(fleet["orders"], 0, sales=100)
    found = check_ok(viewer.get(f"{BASE}/capacity/forecast", {"database_id": database("sales").pk}))
    assert (found["last_bytes"], found["last_day"]) == (100, str(timezone.localdate()))


def test_the_summary_of_nothing(viewer):
    found = check_ok(viewer.get(f"{BASE}/capacity/instances/summary", {"period_type": "monthly"}))
    assert (found["total"], found["total_bytes"], found["period_type"]) == (0, None, "monthly")


def test_sums_as_csv(viewer, fleet):
    response = viewer.get(f"{BASE}/capacity/databases/exports", {"database_name": "parts"})
    header, row = b"".join(response).decode("utf-8-sig").splitlines()
    assert header.startswith("instance,database,period_type,period_start")
    assert row.startswith("stock-db,parts,daily,")


def test_the_periods_of_today_are_summed_up_once(operator, fleet):
    url = f"{BASE}/capacity/aggregations/current"
    first, second = check_ok(operator.post(url, {})), check_ok(operator.post(url, {}))
    assert len(first) == 8
    assert sum(each["written"] for each in first) > 0 == sum(each["written"] for each in second)


def test_one_period_of_one_instance(operator, fleet):
    body = {"scope": "instance", "period_type": "weekly", "instance_id": fleet["orders"].pk}
    (done,) = check_ok(operator.post(f"{BASE}/capacity/aggregations/current", body))
    assert (done["period_type"], done["scope"], done["written"]) == ("weekly", "instance", 1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"scope": "fleet"}, "Unknown: fleet. Must be one of: all, database, instance."),
        ({"instance_id": 999_999}, "No such instance: 999999."),
    ],
)
def test_what_cannot_be_summed_up_is_refused(operator, body, message):
    found = errors(operator.post(f"{BASE}/capacity/aggregations/current", body))
    assert list(found.values()) == [message]


def growing(on, days=40):
    for back in range(days):
        size = 10_000 - 100 * back
        apply(on, observed(sales=size), COMPLETE, now=timezone.now() - timedelta(days=back))


def test_the_forecast_of_an_instance(viewer):
    on = instance(capacity_limit_bytes=12_000)
    growing(on)
    found = check_ok(viewer.get(f"{BASE}/capacity/forecast", {"instance_id": on.pk}))
    assert found["growth"] == {"per_day": 100, "low": 100, "high": 100}
    assert (found["last_bytes"], found["full"]["days"], found["days_measured"]) == (10_000, 20, 40)
    assert found["full"]["on"] == str(timezone.localdate() + timedelta(days=20))
    assert found["accuracy"]["error_percent"] == pytest.approx(0)


def test_a_day_that_lacks_a_database_does_not_look_like_a_loss(viewer):
    on = instance()
    growing(on)
    for back in (0, 1, 2, 3):
        now = timezone.now() - timedelta(days=back)
        apply(on, observed(sales=1, closed="denied"), COMPLETE, now=now)
    found = check_ok(viewer.get(f"{BASE}/capacity/forecast", {"instance_id": on.pk}))
    assert (found["growth"]["per_day"], found["days_measured"]) == (100, 36)


def test_the_forecast_of_a_database(viewer):
    growing(instance())
    query = {"database_id": database("sales").pk, "days": 20}
    found = check_ok(viewer.get(f"{BASE}/capacity/forecast", query))
    assert (found["growth"]["per_day"], found["days_measured"]) == (100, 20)
    assert found["full"]["reason"] == "A database has no limit of its own."


def test_too_little_history_is_a_409_with_the_reason(viewer, fleet):
    response = viewer.get(f"{BASE}/capacity/forecast", {"instance_id": fleet["orders"].pk})
    body = check_failed(response, 409, "SYNC_DATA_ERROR")
    assert body["message"].startswith("Too little history: 2 measured days over 2 days.")


@pytest.mark.parametrize(
    "query", [{}, {"instance_id": 1, "database_id": 1}, {"instance_id": 999_999}, {"days": "x"}]
)
def test_a_forecast_of_nothing_is_refused(viewer, query):
    check_failed(viewer.get(f"{BASE}/capacity/forecast", query), 400, "VALIDATION_ERROR")


def test_tables_come_the_largest_first_with_when_and_why_not_since(viewer, fleet):
    read = {"sales": tables(small=10, large=90)}
    apply_tables(fleet["orders"], read)
    apply_tables(fleet["orders"], {"sales": ReadTables(reason="It has more than 1 tables.")})
    response = viewer.get(f"{BASE}/databases/{database('sales').pk}/tables/sizes")
    assert [(row["table_name"], row["total_bytes"]) for row in items(response)] == [
        ("large", 99),
        ("small", 11),
    ]
    assert response.json()["meta"]["reason"] == "It has more than 1 tables."


def test_refreshing_tables_of_a_server_that_is_away_is_a_409(operator, fleet):
    url = f"{BASE}/databases/{database('sales').pk}/tables/sizes/actions/refresh"
    body = check_failed(operator.post(url), 409, "SYNC_DATA_ERROR")
    assert body["message"] == "Instance orders-db has no active credential."


def test_measuring_a_server_that_is_away_is_a_409(operator, fleet):
    url = f"{BASE}/instances/{fleet['orders'].pk}/actions/sync-capacity"
    body = check_failed(operator.post(url), 409, "SYNC_DATA_ERROR")
    assert body["message"] == "Instance orders-db has no active credential."


def test_measuring_many_is_a_session(operator, fleet):
    body = {"instance_ids": [fleet["orders"].pk]}
    url = f"{BASE}/instances/actions/sync-capacity"
    started = check_ok(operator.post(url, body, format="json"), 202)
    session = check_ok(operator.get(f"{BASE}/sync-sessions/{started['session_id']}"))
    assert (session["sync_category"], session["total_instances"]) == ("capacity", 1)


def test_the_limit_of_an_instance_is_set_over_the_api(administrator, fleet):
    url = f"{BASE}/instances/{fleet['orders'].pk}"
    body = {"capacity_limit_bytes": 10**12}
    assert check_ok(administrator.patch(url, body, format="json"))["capacity_limit_bytes"] == 10**12
    refused = administrator.patch(url, {"capacity_limit_bytes": 0}, format="json")
    assert "capacity_limit_bytes" in errors(refused)


@pytest.mark.parametrize(
    "path",
    ["databases/ledgers", "databases/options", "databases/sizes", "capacity/databases"],
)
def test_lists_cost_the_same_at_every_size(viewer, path):
    counted = []
    for size in (3, 60):
        on = instance(f"db-{size}")
        on_day(on, 0, **{f"db_{number}": number for number in range(size)})
        with CaptureQueriesContext(connection) as queries:
            assert len(items(viewer.get(f"{BASE}/{path}", {"limit": 100}))) >= size
        counted.append(len(queries))
    assert counted[0] == counted[1]
