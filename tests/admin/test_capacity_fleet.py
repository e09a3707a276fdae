"""The pages that show the capacity of a whole fleet, and the bars on those of its parts."""

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
from sync import runner
from sync.models import SyncInstanceRecord, SyncSession
from tags.models import Tag
from tests.admin import fleet
from tests.capacity.cast import COMPLETE, observed, tables
from whalefall.engines.observed import ObservedVolume

OVERVIEW = "/admin/capacity/instanceoutlook/overview/"
MIB = 2**20


def grown(on, **per_day):
    """40 days up to today, each database 1000 MiB at the end."""
    for back in range(39, -1, -1):
        sizes = {name: (1000 - mib * back) * MIB for name, mib in per_day.items()}
        when = timezone.now() - timedelta(days=back)
        applied = apply(on, observed(**sizes), COMPLETE, now=when)
        if back % 7 == 0:
            aggregate(["weekly"], day=applied.day, which="current", instance_id=on.pk)
    growth.calculate(on.pk)
    outlook.calculate([on.pk])


@pytest.fixture
def measured(orders_db):
    type(orders_db).objects.update(capacity_limit_bytes=2400 * MIB)
    grown(orders_db, sales=10, audit=1, stock=-5)
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders_db)
    return orders_db


def text(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_the_overview_tells_how_big_how_fast_and_when_full(viewer, measured):
    page = text(viewer, OVERVIEW)
    assert "gold<b>2.9\xa0GB</b>" in page
    movers = page.partition("Grew most in 30 days")[2]
    assert movers.index("sales · orders-db") < movers.index("audit · orders-db")
    assert "+300.0\xa0MB" in page  # sales in 30 days
    assert "wf-chart-many" in page


def test_an_empty_fleet_says_so(viewer):
    page = text(viewer, OVERVIEW)
    for words in ("No week has been summed up yet.", "Nothing has been measured yet."):
        assert words in page


def test_who_has_no_role_does_not_see_it(nobody):
    assert nobody.get(OVERVIEW).status_code in (302, 403)


def test_the_overview_asks_as_many_queries_for_many_as_for_few(viewer, measured):
    counted = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            text(viewer, OVERVIEW)
        counted.append(len(queries))
        for more in range(12):
            grown(fleet.instance(f"db-{number}-{more}"), sales=more)
    assert counted[0] == counted[1]


def test_days_to_full_come_the_soonest_first_with_interval_or_reason(viewer, measured):
    grown(fleet.instance("calm-db"), calm=0)
    page = text(viewer, "/admin/capacity/instanceoutlook/")
    assert page.index(">orders-db</a>") < page.index(">calm-db</a>")
    assert "No limit is set on the instance." in page


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "sales", "stock"),
        ("?o=4", "stock", "sales"),
        ("?o=5", "sales", "stock"),  # in percent: the largest first at the first click
        ("?window=7", "sales", "stock"),
    ],
)
def test_movers_come_by_what_they_grew(viewer, measured, query, first, last):
    page = text(viewer, f"/admin/capacity/databasegrowth/{query}")
    assert page.index(f">{first}</a>") < page.index(f">{last}</a>")
    assert ("+70.0\xa0MB" if "7" in query else "+300.0\xa0MB") in page


def test_movers_over_a_window_that_nobody_knows_are_those_of_30_days(viewer, measured):
    assert "+300.0\xa0MB" in text(viewer, "/admin/capacity/databasegrowth/?window=banana")


def test_an_instance_shows_its_largest_databases_and_volumes(viewer, measured):
    apply_volumes(measured, [ObservedVolume("/data", 4000 * MIB, 1000 * MIB)])
    page = text(viewer, f"/admin/instances/instance/{measured.pk}/change/")
    assert "1000.0\xa0MB of 3.9\xa0GB free" in page
    assert 'class="wf-bars-name" title="sales"' in page


def test_a_database_shows_its_largest_tables(viewer, measured):
    apply_tables(measured, {"sales": tables(orders=900 * MIB, parts=90 * MIB)})
    sales = InstanceDatabase.objects.get(database_name="sales")
    page = text(viewer, f"/admin/capacity/instancedatabase/{sales.pk}/change/")
    assert page.index('title="orders"') < page.index('title="parts"')
    assert "wf-legend" in page


class TestReadingTables:
    def press(self, client, on, follow=True):
        sales = InstanceDatabase.objects.get(instance=on, database_name="sales")
        url = f"/admin/capacity/instancedatabase/{sales.pk}/read_tables/"
        return client.post(url, {"_form_submitted": "on"}, follow=follow)

    def run(self, client, on):
        """The page of the session that the button leads to, after a worker did it."""
        shown = self.press(client, on)
        runner.run_record(SyncInstanceRecord.objects.get().pk)
        return client.get(shown.redirect_chain[-1][0]).content.decode()

    def test_a_worker_reads_them_and_the_session_can_be_watched(self, operator, measured):
        page = self.press(operator, measured).content.decode()
        assert str(SyncSession.objects.get().session_id) in page
        assert "wf-bar-large" in page

    def test_a_server_that_is_away_is_told(self, operator, measured):
        type(measured).objects.update(host="127.0.0.1", port=1)
        page = self.run(operator, measured)
        assert "127.0.0.1:1" in page
        assert fleet.SECRET not in page

    def test_an_instance_that_is_not_watched_is_not_read(self, operator, measured):
        type(measured).objects.update(is_active=False)
        assert "orders-db is not watched" in self.run(operator, measured)

    def test_a_viewer_may_not(self, viewer, measured):
        assert self.press(viewer, measured, follow=False).status_code == 403
