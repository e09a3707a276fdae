"""Trends on the pages of instances and databases, and the button that measures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity.collection import apply
from capacity.models import InstanceDatabase
from sync.models import SyncSession
from tests.admin.test_sessions import INSTANCES, press, run
from tests.capacity.cast import COMPLETE, observed

MIB = 2**20


def grown(on, days=40):
    for back in range(days):
        when = timezone.now() - timedelta(days=back)
        apply(on, observed(sales=(1000 - 10 * back) * MIB), COMPLETE, now=when)


def test_an_instance_shows_its_trend_and_when_it_is_full(viewer, orders_db):
    grown(orders_db)
    type(orders_db).objects.update(capacity_limit_bytes=1500 * MIB)
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    assert "wf-chart-line" in page
    assert "wf-chart-limit" in page
    full = timezone.localdate() + timedelta(days=50)
    assert f"Its limit of 1.5\xa0GB is reached in 50 days, on {full}." in page


def test_a_database_shows_its_trend_without_a_limit(viewer, orders_db):
    grown(orders_db)
    sales = InstanceDatabase.objects.get()
    page = viewer.get(f"/admin/capacity/instancedatabase/{sales.pk}/change/").content.decode()
    assert "wf-chart-line" in page
    assert "growing by 10.0\xa0MB a day" in page
    assert "wf-chart-limit" not in page


def test_days_that_were_not_measured_are_a_gap_and_its_dates_are_told(viewer, orders_db):
    for back in range(40):
        if back not in (20, 21, 22):
            when = timezone.now() - timedelta(days=back)
            apply(orders_db, observed(sales=1000 * MIB), COMPLETE, now=when)
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    first, last = (timezone.localdate() - timedelta(days=back) for back in (22, 20))
    assert page.count('<polyline class="wf-chart-line" points="74.0') == 1
    assert f"<title>{first} – {last}: not measured</title>" in page


def test_who_does_not_see_the_chart_has_a_table_of_months(viewer, orders_db):
    grown(orders_db)
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    table = page.partition('<details class="wf-chart-table">')[2].partition("</details>")[0]
    today = timezone.localdate()
    newest = f'<th scope="row">{today:%b %Y}</th><td class="wf-num">1000.0\xa0MB</td>'
    assert newest in table
    assert f'<td class="wf-num">{today.day}</td>' in table


def test_too_little_history_is_said(viewer, orders_db):
    grown(orders_db, 3)
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    assert "Too little history: 3 measured days over 3 days." in page


def test_what_was_never_measured_says_so(viewer, orders_db):
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    assert "It has not been measured yet." in page


def test_coordinates_are_numbers_in_every_language(viewer, orders_db, settings):
    settings.LANGUAGE_CODE = "de"
    grown(orders_db)
    page = viewer.get(f"{INSTANCES}{orders_db.pk}/change/").content.decode()
    assert 'y1="194.0"' in page


def test_an_operator_measures_chosen_instances(operator, orders_db):
    assert "1 instance is being synchronised." in run(operator, INSTANCES, "measure", orders_db)
    assert SyncSession.objects.get().sync_category == "capacity"


def test_the_button_leads_to_the_session(operator, orders_db):
    page = press(operator, f"{INSTANCES}{orders_db.pk}/", "measure_now")
    assert str(SyncSession.objects.get().session_id) in page


@pytest.mark.parametrize("name", ["measure_now"])
def test_a_viewer_cannot_measure(viewer, orders_db, name):
    answer = viewer.post(f"{INSTANCES}{orders_db.pk}/{name}/", {"_form_submitted": "on"})
    assert answer.status_code == 403
    assert not SyncSession.objects.exists()
