"""Months of the daily tables: made ahead and on demand, dropped whole, read only where asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity import partitions
from capacity.aggregation import aggregate
from capacity.collection import apply
from capacity.models import DatabaseSizeAggregation, DatabaseSizeStat, InstanceSizeStat
from tests.capacity.cast import COMPLETE, instance, measured, night, observed

pytestmark = pytest.mark.django_db

SIZES = "database_size_stats"


def months(table=SIZES):
    return [month.first for month in partitions.known(table)]


def read_partitions(query):
    """The tables that the store's plan really reads."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return sorted(month.name for month in partitions.known(SIZES) if f" {month.name} " in plan)


def when(moment, **sizes):
    return apply(instance(f"db-{moment:%s}"), observed(**sizes), COMPLETE, now=moment)


def test_this_month_and_three_more_are_there_after_the_job():
    partitions.ensure_ahead(date(2031, 11, 30))
    for table in partitions.MONTHLY:
        assert months(table)[-4:] == [
            date(2031, 11, 1),
            date(2031, 12, 1),
            date(2032, 1, 1),
            date(2032, 2, 1),
        ]


def test_making_them_again_makes_nothing():
    assert partitions.ensure_ahead(date(2031, 11, 30)) == 16
    with CaptureQueriesContext(connection) as queries:
        assert partitions.ensure_ahead(date(2031, 11, 1)) == 0
    assert len(queries) == 1


def test_a_late_measurement_makes_its_month():
    assert date(2019, 2, 1) not in months()
    when(datetime(2019, 2, 28, 12, tzinfo=UTC), sales=7)
    aggregate(["daily"], day=date(2019, 2, 28))
    assert date(2019, 2, 1) in months()
    assert DatabaseSizeStat.objects.get().size_bytes == 7
    assert DatabaseSizeAggregation.objects.get().last_bytes == 7


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2024, 2, 29), "database_size_stats_2024_02"),
        (date(2024, 3, 1), "database_size_stats_2024_03"),
        (date(2023, 12, 31), "database_size_stats_2023_12"),
        (date(2024, 1, 1), "database_size_stats_2024_01"),
    ],
)
def test_the_last_day_of_a_month_lies_in_it_and_the_first_in_the_next(day, name):
    when(datetime(day.year, day.month, day.day, 3, tzinfo=UTC), sales=1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {SIZES}")
        assert cursor.fetchall() == [(name,)]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2024, 2, 29)),
        ("Pacific/Kiritimati", date(2024, 3, 1)),
        ("Pacific/Pago_Pago", date(2024, 2, 29)),
    ],
)
def test_the_month_is_that_of_the_day_in_the_time_zone(settings, zone, day):
    settings.TIME_ZONE = zone
    when(datetime(2024, 2, 29, 23, 30, tzinfo=UTC), sales=1)
    assert DatabaseSizeStat.objects.get().collected_date == day
    assert day.replace(day=1) in months()


def test_the_hour_before_midnight_that_comes_twice_is_one_day(settings):
    """The last clock change of Sao Paulo: 2019-02-17 00:00 became 2019-02-16 23:00."""
    settings.TIME_ZONE = "America/Sao_Paulo"
    on = instance()
    for hour in (1, 2):
        moment = datetime(2019, 2, 17, hour, 30, tzinfo=UTC)
        apply(on, observed(sales=hour), COMPLETE, now=moment)
    assert DatabaseSizeStat.objects.get().collected_date == date(2019, 2, 16)
    assert DatabaseSizeStat.objects.get().size_bytes == 2


def test_only_the_months_asked_for_are_read():
    partitions.ensure(date(2030, 1, 5), date(2030, 2, 5), date(2030, 3, 5))
    narrowed = f"SELECT * FROM {SIZES} WHERE collected_date BETWEEN '2030-01-31' AND '2030-02-01'"
    assert read_partitions(narrowed) == [f"{SIZES}_2030_01", f"{SIZES}_2030_02"]


def test_months_are_dropped_when_their_last_day_is_old_enough():
    for day in (date(2018, 1, 31), date(2018, 2, 1), date(2018, 2, 28)):
        when(datetime(day.year, day.month, day.day, 3, tzinfo=UTC), sales=1)
        aggregate(["daily"], day=day)
    assert partitions.drop_before(date(2018, 2, 28)) == 4  # each scope's day and its sum
    assert DatabaseSizeStat.objects.count() == InstanceSizeStat.objects.count() == 2
    assert date(2018, 1, 1) not in months()
    assert date(2018, 2, 1) in months()


def test_dropping_costs_the_same_for_any_number_of_rows():
    counted = []
    for size in (2, 200):
        sizes = {f"db_{number}": number for number in range(size)}
        when(datetime(2018, 1, size % 30 + 1, tzinfo=UTC), **sizes)
        with CaptureQueriesContext(connection) as queries:
            partitions.drop_before(date(2018, 2, 1))
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_sums_of_longer_periods_outlive_their_days():
    on = instance()
    measured(on, sales=5)
    aggregate(day=night().date(), which="current")
    partitions.drop_before(date(2026, 2, 1))
    kept = DatabaseSizeAggregation.objects.values_list("period_type", flat=True)
    assert sorted(kept) == ["monthly", "quarterly", "weekly"]


def test_rows_of_an_instance_go_with_it_from_every_month():
    on = instance()
    measured(on, 0, sales=1)
    measured(on, 2, sales=1)  # the next month
    on.delete()
    assert not DatabaseSizeStat.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestBesideOthers:
    def test_a_month_is_made_while_another_writes(self):
        """Two connections: one has written and not committed, the other makes a month."""
        other = connection.copy()
        on = instance()
        measured(on, sales=1)
        try:
            with other.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE {SIZES} SET size_bytes = 2")
                with connection.cursor() as mine:
                    mine.execute("SET statement_timeout = '5s'")
                assert partitions.ensure(date(2033, 5, 1)) == 4
                cursor.execute("COMMIT")
        finally:
            with connection.cursor() as mine:
                mine.execute("RESET statement_timeout")
            other.close()
            partitions_gone("2033_05")

    def test_a_month_in_use_stays_until_the_next_night(self, monkeypatch):
        monkeypatch.setattr(partitions, "WAIT_FOR_WRITERS", "100ms")
        on = instance()
        apply(on, observed(sales=1), COMPLETE, now=datetime(2017, 1, 2, tzinfo=UTC))
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE {SIZES} SET size_bytes = 2")
                partitions.drop_before(date(2017, 2, 1))
                cursor.execute("COMMIT")
            assert DatabaseSizeStat.objects.get().size_bytes == 2
            assert partitions.drop_before(date(2017, 2, 1)) == 1
        finally:
            other.close()


def partitions_gone(month):
    with connection.cursor() as cursor:
        for table in partitions.MONTHLY:
            cursor.execute(f"DROP TABLE IF EXISTS {table}_{month}")


@pytest.mark.django_db(transaction=True)
def test_what_was_measured_before_the_months_came_is_kept():
    """Down to one table and up again, with the rows, their numbers and their order."""
    on = instance()
    today = timezone.now()
    for back in (0, 40, 400):
        apply(on, observed(sales=1000 - back), COMPLETE, now=today - timedelta(days=back))
    aggregate(day=today.date(), which="current")
    models = (DatabaseSizeStat, InstanceSizeStat, DatabaseSizeAggregation)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    executor = MigrationExecutor(connection)
    newest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "capacity"]
    try:
        executor.migrate([("capacity", "0002_measured_databases")])
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT relkind FROM pg_class WHERE relname = '{SIZES}'")
            assert cursor.fetchone() == ("r",)
            cursor.execute(f"SELECT count(*) FROM {SIZES}")
            assert cursor.fetchone() == (3,)
    finally:
        MigrationExecutor(connection).migrate(newest)
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    measured(on, sales=1)  # new rows get new numbers
