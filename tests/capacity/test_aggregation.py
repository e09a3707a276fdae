"""Sums by day, week, month and quarter, against an independent calculation in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from capacity.aggregation import aggregate, bounds
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    InstanceSizeStat,
)
from tests.capacity.cast import instance, measured, night

PERIODS = ("daily", "weekly", "monthly", "quarterly")
KINDS = {
    "database": (DatabaseSizeStat, DatabaseSizeAggregation, "database_id"),
    "instance": (InstanceSizeStat, InstanceSizeAggregation, "instance_id"),
}


@pytest.mark.parametrize(
    ("period", "day", "start", "end"),
    [
        ("daily", "2026-02-28", "2026-02-28", "2026-02-28"),
        ("weekly", "2026-01-01", "2025-12-29", "2026-01-04"),
        ("weekly", "2026-03-29", "2026-03-23", "2026-03-29"),  # a day of 23 hours
        ("monthly", "2024-02-29", "2024-02-01", "2024-02-29"),
        ("monthly", "2026-02-28", "2026-02-01", "2026-02-28"),
        ("monthly", "2026-12-31", "2026-12-01", "2026-12-31"),
        ("quarterly", "2026-03-31", "2026-01-01", "2026-03-31"),
        ("quarterly", "2026-12-31", "2026-10-01", "2026-12-31"),
    ],
)
def test_a_period_has_its_first_and_last_day(period, day, start, end):
    found = bounds(period, date.fromisoformat(day))
    assert found == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize("period", PERIODS)
def test_every_day_of_ten_years_is_in_the_period_that_follows_on_the_one_before(period):
    day = date(2020, 1, 1)
    while day < date(2030, 1, 1):
        start, end = bounds(period, day)
        assert start <= day <= end
        assert bounds(period, end) == (start, end)
        assert bounds(period, end + timedelta(days=1))[0] == end + timedelta(days=1)
        day += timedelta(days=1)


@pytest.fixture
def history(db):
    """Two instances over 200 days, with days without any reading, databases that come late, go,
    and are not always measured.
    """
    dice = random.Random(7)
    for name in ("orders-db", "stock-db"):
        on = instance(name)
        for day in range(200):
            if dice.random() < 0.1:
                continue
            sizes = {
                f"db_{n}": "denied" if dice.random() < 0.15 else dice.randrange(10**12) * (n > 0)
                for n in range(6)
                if not (n == 4 and day < 50) and not (n == 5 and day > 120)
            }
            measured(on, day, **sizes)
    return night(199).date()


def by_hand(scope, period, start, end):
    """Key -> what the row should say."""
    stats, _kind, key = KINDS[scope]
    days, before = defaultdict(list), {}
    for row in stats.objects.order_by("collected_date"):
        if row.collected_date < start and row.size_bytes is not None:
            before[getattr(row, key)] = row.size_bytes
        elif start <= row.collected_date <= end:
            days[getattr(row, key)].append(row.size_bytes)
    return {
        pk: expected([size for size in sizes if size is not None], before.get(pk))
        for pk, sizes in days.items()
    }


def expected(sizes, before):
    if not sizes:
        return (None,) * 7 + (0,)
    average = (Decimal(sum(sizes)) / len(sizes)).quantize(Decimal(1), ROUND_HALF_UP)
    base = sizes[0] if before is None else before
    change = sizes[-1] - base
    percent = pytest.approx(change * 100 / base) if base else None
    extremes = (min(sizes), max(sizes), sizes[0], sizes[-1])
    return (int(average), *extremes, change, percent, len(sizes))


def stored(scope, period, start):
    _stats, kind, key = KINDS[scope]
    return {
        getattr(row, key): (
            row.avg_bytes,
            row.min_bytes,
            row.max_bytes,
            row.first_bytes,
            row.last_bytes,
            row.change_bytes,
            row.change_percent,
            row.data_points,
        )
        for row in kind.objects.filter(period_type=period, period_start=start)
    }


@pytest.mark.parametrize("scope", ["database", "instance"])
def test_it_agrees_with_a_calculation_by_hand(history, scope):
    compared = 0
    for back in (0, 1, 17, 45, 93, 190):
        for done in aggregate(scope=scope, day=history - timedelta(days=back), which="current"):
            by_hand_found = by_hand(scope, done.period_type, done.period_start, done.period_end)
            assert stored(scope, done.period_type, done.period_start) == by_hand_found
            compared += len(by_hand_found)
    assert compared > 20


def every_period(history):
    for back in range(200):
        aggregate(day=history - timedelta(days=back), which="current")


def test_sums_agree_between_levels(history):
    """Byte-days of the databases are those of their instance, changes of days those of longer
    periods: to the rounding of the averages.
    """
    every_period(history)
    for total in InstanceSizeAggregation.objects.all():
        parts = DatabaseSizeAggregation.objects.filter(
            instance=total.instance, period_type=total.period_type, period_start=total.period_start
        )
        byte_days = sum(part.avg_bytes * part.data_points for part in parts if part.data_points)
        points = sum(part.data_points for part in parts) + total.data_points
        assert abs(byte_days - (total.avg_bytes or 0) * total.data_points) <= points
    for kind, key in ((InstanceSizeAggregation, "instance"), (DatabaseSizeAggregation, "database")):
        for whole in kind.objects.exclude(period_type="daily"):
            days = kind.objects.filter(
                **{key: getattr(whole, key)},
                period_type="daily",
                period_start__range=(whole.period_start, whole.period_end),
            )
            assert whole.data_points == sum(day.data_points for day in days)
            assert (whole.change_bytes or 0) == sum(day.change_bytes or 0 for day in days)


@pytest.mark.django_db
class TestPeriods:
    def test_days_are_the_current_one_and_the_others_the_last_by_default(self):
        measured(instance(), 0, sales=1)
        found = {
            each.period_type: each for each in aggregate(day=date(2026, 4, 1), scope="instance")
        }
        assert found["daily"].period_start == date(2026, 4, 1)
        assert found["weekly"].period_start == date(2026, 3, 23)
        assert (found["monthly"].period_start, found["monthly"].period_end) == (
            date(2026, 3, 1),
            date(2026, 3, 31),
        )
        assert found["quarterly"].period_end == date(2026, 3, 31)

    def test_the_last_day_of_a_month_belongs_to_it_and_the_first_to_the_next(self):
        on = instance()
        for day, size in ((0, 10), (1, 20), (2, 90)):  # 30 and 31 January, 1 February
            measured(on, day, sales=size)
        aggregate(["monthly"], day=date(2026, 2, 1), which="last")
        aggregate(["monthly"], day=date(2026, 2, 1), which="current")
        found = InstanceSizeAggregation.objects.order_by("period_start")
        assert [(row.avg_bytes, row.data_points) for row in found] == [(15, 2), (90, 1)]

    def test_missing_days_count_neither_as_zero_nor_as_days(self):
        on = instance()
        for day, size in ((0, 10), (1, "denied"), (2, 30)):
            measured(on, day, sales=size)
        aggregate(["quarterly"], day=date(2026, 2, 2), which="current")
        row = DatabaseSizeAggregation.objects.get()
        assert (row.avg_bytes, row.min_bytes, row.data_points) == (20, 10, 2)

    def test_a_period_without_a_measured_day_says_so(self):
        measured(instance(), sales="denied")
        aggregate(["daily"], day=night().date())
        row = DatabaseSizeAggregation.objects.get()
        assert (row.avg_bytes, row.last_bytes, row.change_bytes, row.data_points) == (
            None,
            None,
            None,
            0,
        )

    def test_growth_from_nothing_has_no_percentage(self):
        on = instance()
        measured(on, 0, sales=0)
        measured(on, 1, sales=5)
        aggregate(["daily"], day=night(1).date())
        row = DatabaseSizeAggregation.objects.get()
        assert (row.change_bytes, row.change_percent) == (5, None)

    def test_a_late_reading_mends_the_period(self):
        on = instance()
        measured(on, 0, sales=10)
        aggregate(["daily"], day=night().date())
        measured(on, 0, hours=5, sales=30)
        aggregate(["daily"], day=night().date())
        assert DatabaseSizeAggregation.objects.get().avg_bytes == 30

    def test_twice_writes_nothing_the_second_time(self):
        measured(instance(), sales=10, stock=0, closed="denied")
        first = aggregate(day=night().date(), which="current")
        before = list(DatabaseSizeAggregation.objects.order_by("pk").values())
        second = aggregate(day=night().date(), which="current")
        assert [each.written for each in first] == [3, 1] * 4
        assert [each.written for each in second] == [0] * 8
        assert list(DatabaseSizeAggregation.objects.order_by("pk").values()) == before

    def test_one_instance_alone(self):
        orders, stock = instance("orders-db"), instance("stock-db")
        measured(orders, sales=1)
        measured(stock, parts=2)
        aggregate(["daily"], day=night().date(), instance_id=stock.pk)
        assert [row.instance for row in InstanceSizeAggregation.objects.all()] == [stock]
        assert [row.last_bytes for row in DatabaseSizeAggregation.objects.all()] == [2]

    def test_what_is_summed_up_stays_when_its_days_are_pruned(self):
        measured(instance(), sales=1)
        aggregate(["daily"], day=night().date())
        DatabaseSizeStat.objects.all().delete()
        aggregate(["daily"], day=night().date())
        assert DatabaseSizeAggregation.objects.count() == 1

    @pytest.mark.parametrize("size", [3, 300])
    def test_one_statement_per_period_and_scope_at_every_size(self, size):
        measured(instance(), **{f"db_{number}": number for number in range(size)})
        with CaptureQueriesContext(connection) as queries:
            done = aggregate(day=night().date(), which="current")
        assert len(queries) == len(done) == 8
        assert InstanceDatabase.objects.count() == size

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (
                {"periods": ["hourly"]},
                "Unknown period: hourly. Must be one of: daily, weekly, monthly, quarterly.",
            ),
            ({"scope": "fleet"}, "Unknown scope: fleet. Must be one of: all, database, instance."),
            ({"which": "next"}, "Unknown which: next. Must be one of: default, current, last."),
        ],
    )
    def test_what_is_not_known_is_refused_with_the_choices(self, words, message):
        with pytest.raises(ValueError, match=message):
            aggregate(**words)
