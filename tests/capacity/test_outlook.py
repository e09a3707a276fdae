"""The list of days to full: what a forecast would say, kept and brought up to date."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity import history, outlook
from capacity.collection import apply, apply_volumes
from capacity.models import InstanceDatabase, InstanceOutlook, InstanceVolume
from tests.capacity.cast import COMPLETE, instance
from whalefall.engines.observed import ObservedDatabase, ObservedVolume

pytestmark = pytest.mark.django_db


def grown(on, days=30, per_day=10, **details):
    for back in reversed(range(days)):
        size = 1000 + per_day * (days - 1 - back)
        found = [ObservedDatabase("sales", data_bytes=size, details=details)]
        apply(on, found, COMPLETE, now=timezone.now() - timedelta(days=back))
    return on


def kept(on):
    outlook.calculate()
    return InstanceOutlook.objects.get(instance=on)


def test_it_is_the_forecast():
    on = grown(instance(capacity_limit_bytes=2000))
    row, found = kept(on), history.forecast_instance(on, outlook.DAYS)
    assert (row.days_to_full, row.limit_source, row.reason) == (71, "set", "")
    assert (row.earliest_days, row.latest_days, row.full_on) == (
        found.full.earliest_days,
        found.full.latest_days,
        found.full.on,
    )
    growth = (row.growth_per_day, row.growth_low, row.growth_high)
    assert growth == tuple(asdict(found.growth).values())
    assert row.error_percent == found.accuracy.error_percent


def test_without_a_limit_it_says_so():
    row = kept(grown(instance()))
    assert (row.days_to_full, row.growth_per_day) == (None, 10)
    assert row.reason == "No limit is set on the instance."


def test_too_little_history_is_said_with_what_there_is():
    row = kept(grown(instance(), days=3))
    assert row.growth_per_day is None
    assert row.reason.startswith("Too little history: 3 measured days over 3 days.")
    assert (row.days_measured, row.last_bytes) == (3, 1020)


def test_what_was_never_measured_has_a_row_as_well():
    assert kept(instance()).reason.startswith("Too little history: 0 measured days")


def test_free_space_of_the_volumes_is_the_limit_where_none_is_set():
    on = grown(instance())
    apply_volumes(on, [ObservedVolume("/data", 5000, 70), ObservedVolume("/log", 900, 30)])
    row = kept(on)
    assert (row.limit_bytes, row.limit_source, row.days_to_full) == (1390, "volume", 10)


def test_a_volume_that_did_not_tell_makes_no_limit():
    on = grown(instance())
    apply_volumes(on, [ObservedVolume("/data", 5000, 70), ObservedVolume("/log")])
    assert kept(on).limit_bytes is None


def test_volumes_that_are_not_there_any_more_go():
    on = instance()
    apply_volumes(on, [ObservedVolume("/data", 5000, 70), ObservedVolume("/log", 1, 1)])
    apply_volumes(on, [ObservedVolume("/data", 5000, 60)])
    assert InstanceVolume.objects.get().free_bytes == 60


def test_a_new_limit_is_a_new_day_at_once():
    on = grown(instance(capacity_limit_bytes=2000))
    assert kept(on).days_to_full == 71
    on.capacity_limit_bytes = 1300
    on.save()
    assert InstanceOutlook.objects.get().days_to_full == 1
    on.capacity_limit_bytes = None
    on.save()
    assert InstanceOutlook.objects.get().reason == "No limit is set on the instance."


def test_saving_an_instance_for_another_reason_forecasts_nothing():
    on = grown(instance(capacity_limit_bytes=2000))
    before = kept(on).calculated_at
    on.save()
    assert InstanceOutlook.objects.get().calculated_at == before


def test_what_is_used_in_files_fills_them_and_not_the_files():
    """A tablespace is as large as it may ever be, and nearly empty."""
    on = instance()
    for back in reversed(range(30)):
        details = {"free_bytes": 400 + 10 * back, "limit_bytes": 1000}
        found = [ObservedDatabase("USERS", data_bytes=1000, details=details)]
        apply(on, found, COMPLETE, now=timezone.now() - timedelta(days=back))
    found = history.forecast_database(InstanceDatabase.objects.get(), 60)
    assert (found.last_bytes, found.growth.per_day, found.full.days) == (600, 10, 40)


@pytest.mark.parametrize("size", [2, 40])
def test_the_statements_do_not_depend_on_the_number_of_instances(size):
    for number in range(size):
        instance(f"db-{number:02}")
    with CaptureQueriesContext(connection) as queries:
        assert outlook.calculate() == size
    assert len(queries) == 4
