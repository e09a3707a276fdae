"""What moved most, when instances are full, volumes and sizes by tag over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity import growth, outlook
from capacity.aggregation import aggregate
from capacity.collection import apply, apply_tables, apply_volumes
from capacity.models import InstanceDatabase
from tags.models import Tag
from tests.api.cast import instance
from tests.api.envelope import check_ok, errors
from tests.capacity.cast import COMPLETE, observed, tables
from whalefall.engines.observed import ObservedVolume

pytestmark = pytest.mark.django_db
BASE = "/api/v1"


def on_day(on, back, **sizes):
    when = timezone.now() - timedelta(days=back)
    applied = apply(on, observed(**sizes), COMPLETE, now=when)
    aggregate(["daily", "monthly"], day=applied.day, which="current", instance_id=on.pk)


@pytest.fixture
def fleet():
    """orders-db grows by 1 a day towards 200, stock-db shrinks and has no limit; both measured for
    40 days, the newest today.
    """
    orders, stock = instance("orders-db", capacity_limit_bytes=200), instance("stock-db")
    for back in (40, *range(30, -1, -1)):
        on_day(orders, back, sales=140 - back, audit=10 + (back < 3))
        on_day(stock, back, parts=1000 + 2 * back)
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders, stock)
    Tag.objects.create(name="prod", display_name="Live").instances.add(orders)
    apply_volumes(stock, [ObservedVolume("/data", 4000, 1000)])
    recycled = instance("old-db")
    on_day(recycled, 0, lost=10**6)
    recycled.recycle()
    growth.calculate()
    outlook.calculate()
    return {"orders": orders, "stock": stock}


def items(response):
    return check_ok(response)["items"]


def lines(response):
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content).decode("utf-8-sig").splitlines()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [("sales", 30), ("audit", 1), ("parts", -60)]),
        ({"window": 7}, [("sales", 7), ("audit", 1), ("parts", -14)]),
        ({"sort": "change_bytes"}, [("parts", -60), ("audit", 1), ("sales", 30)]),
        (
            {"sort": "change_percent", "order": "desc"},
            [("sales", 30), ("audit", 1), ("parts", -60)],
        ),
        ({"sort": "size", "order": "desc"}, [("parts", -60), ("sales", 30), ("audit", 1)]),
        ({"tags": "prod"}, [("sales", 30), ("audit", 1)]),
        ({"search": "AR"}, [("parts", -60)]),
        ({"window": 90}, []),
    ],
)
def test_movers_come_by_growth(viewer, fleet, query, expected):
    found = items(viewer.get(f"{BASE}/capacity/movers", query))
    assert [(item["database_name"], item["change_bytes"]) for item in found] == expected


def test_a_window_that_is_none_is_refused(viewer):
    assert "window" in errors(viewer.get(f"{BASE}/capacity/movers", {"window": "8"}))


def test_days_to_full_come_the_soonest_first_and_say_why_there_are_none(viewer, fleet):
    first, last = items(viewer.get(f"{BASE}/capacity/outlooks"))
    assert (first["instance"]["name"], first["days_to_full"]) == ("orders-db", 49)
    assert (first["limit_source"], first["headroom_bytes"]) == ("set", 49)
    assert first["earliest_days"] <= 49 <= first["latest_days"]
    assert (last["instance"]["name"], last["days_to_full"]) == ("stock-db", None)
    assert (last["reason"], last["limit_source"]) == ("It does not grow.", "volume")
    assert last["headroom_bytes"] == 1000


@pytest.mark.parametrize(("within", "expected"), [(48, 0), (49, 1)])
def test_those_that_are_full_soon(viewer, fleet, within, expected):
    found = items(viewer.get(f"{BASE}/capacity/outlooks", {"within": within}))
    assert len(found) == expected


def test_volumes_tell_how_full_they_are(viewer, fleet):
    (volume,) = items(viewer.get(f"{BASE}/capacity/volumes"))
    assert (volume["volume_name"], volume["free_bytes"]) == ("/data", 1000)
    assert volume["used_percent"] == 75.0


def test_sizes_by_tag_count_an_instance_in_each_of_its_tags(viewer, fleet):
    found = check_ok(viewer.get(f"{BASE}/capacity/tags"))
    newest = {row["tag"]: row for row in found if row["period_start"][8:] == "01"}
    assert (newest["gold"]["instances"], newest["gold"]["total_bytes"]) == (2, 1151)
    assert (newest["prod"]["instances"], newest["prod"]["total_bytes"]) == (1, 151)


def test_instances_without_a_tag_are_a_row_of_their_own(viewer, fleet):
    on_day(instance("lone-db"), 0, lone=5)
    found = check_ok(viewer.get(f"{BASE}/capacity/tags", {"period_type": "daily"}))
    assert [row["total_bytes"] for row in found if row["tag"] is None] == [5]


def test_days_that_end_before_they_begin_are_refused(viewer):
    query = {"start_date": "2026-02-01", "end_date": "2026-01-01"}
    found = errors(viewer.get(f"{BASE}/capacity/tags", query))
    assert found["start_date"] == "It is after end_date."


@pytest.mark.parametrize(
    ("path", "heading", "row"),
    [
        ("capacity/movers", "instance,database,window_days", "orders-db,sales,30"),
        ("capacity/outlooks", "instance,last_day", "orders-db,"),
        ("capacity/volumes", "instance,volume_name,total_bytes", "stock-db,/data,4000,1000"),
        ("capacity/tags", "tag,period_start,instances", "gold,"),
        ("databases/sizes", "instance,database,collected_date", "stock-db,parts,"),
    ],
)
def test_every_list_as_csv(viewer, fleet, path, heading, row):
    head, first, *_rest = lines(viewer.get(f"{BASE}/{path}/exports"))
    assert head.startswith(heading)
    assert first.startswith(row)


def test_tables_as_csv(viewer, fleet):
    sales = InstanceDatabase.objects.get(database_name="sales")
    apply_tables(fleet["orders"], {"sales": tables(orders=100, audit=7)})
    head, first, second = lines(viewer.get(f"{BASE}/databases/{sales.pk}/tables/sizes/exports"))
    assert head.startswith("schema_name,table_name,data_bytes,index_bytes,total_bytes")
    assert (first[:17], second[:12]) == (",orders,100,10,11", ",audit,7,0,7")


@pytest.mark.parametrize("path", ["capacity/movers", "capacity/outlooks", "capacity/volumes"])
def test_lists_cost_the_same_at_every_size(viewer, path):
    counted = []
    for size in (2, 30):
        for number in range(size):
            on = instance(f"db-{size}-{number}")
            for back in (30, 0):
                on_day(on, back, **{f"db_{size}_{number}": number})
            apply_volumes(on, [ObservedVolume("/data", 9, 1)])
        growth.calculate()
        outlook.calculate()
        with CaptureQueriesContext(connection) as queries:
            assert len(items(viewer.get(f"{BASE}/{path}", {"limit": 100}))) >= size
        counted.append(len(queries))
    assert counted[0] == counted[1]
