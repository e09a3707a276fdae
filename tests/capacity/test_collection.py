"""From what a server measured to the rows of the day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from capacity.collection import IncompleteDatabases, ReadTables, apply, apply_tables
from capacity.models import (
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeStat,
)
from tests.capacity.cast import COMPLETE, denied, instance, measured, night, observed, tables
from whalefall.engines.observed import ObservedDatabase

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders_db():
    return instance()


def database(name):
    return InstanceDatabase.objects.get(database_name=name)


def sizes(name):
    """Day of the month -> size."""
    found = DatabaseSizeStat.objects.filter(database__database_name=name)
    return {row.collected_date.day: row.size_bytes for row in found}


def totals():
    """Day of the month -> size, measured, databases."""
    return {
        row.collected_date.day: (row.size_bytes, row.measured_count, row.database_count)
        for row in InstanceSizeStat.objects.all()
    }


def test_a_first_reading_makes_databases_sizes_and_the_total(orders_db):
    applied = measured(orders_db, sales=100, stock=20)
    assert applied.counts["created"] == applied.counts["measured"] == 2
    assert applied.total_bytes == 120
    assert (sizes("sales"), totals()) == ({30: 100}, {30: (120, 2, 2)})
    assert (database("sales").size_bytes, database("sales").measured_at) == (100, night())


def test_the_log_counts_where_there_is_one(orders_db):
    apply(orders_db, [ObservedDatabase("sales", None, 100, 7)], COMPLETE, now=night())
    stored = DatabaseSizeStat.objects.get()
    assert (stored.size_bytes, stored.data_bytes, stored.log_bytes) == (107, 100, 7)


def test_a_database_that_is_not_named_any_more_is_gone_and_stays_known(orders_db):
    measured(orders_db, sales=100, stock=20)
    applied = measured(orders_db, 1, sales=100)
    assert (applied.counts["deleted"], totals()[31]) == (1, (100, 1, 1))
    stock = database("stock")
    assert (stock.is_active, stock.deleted_at, stock.size_bytes) == (False, night(1), 20)


def test_one_that_comes_back_is_active_again_under_its_history(orders_db):
    measured(orders_db, sales=100, stock=20)
    measured(orders_db, 1, sales=100)
    applied = measured(orders_db, 2, sales=100, stock=30)
    assert (applied.counts["restored"], applied.counts["created"]) == (1, 0)
    assert sizes("stock") == {30: 20, 1: 30}
    assert (database("stock").is_active, database("stock").deleted_at) == (True, None)


def test_nothing_is_gone_on_the_strength_of_names_that_were_denied(orders_db):
    measured(orders_db, sales=100, stock=20)
    applied = measured(orders_db, 1, sections=denied("databases"), sales=100)
    assert applied.counts["deleted"] == 0
    assert database("stock").is_active
    assert totals()[31] == (100, 1, 2)


def test_no_name_at_all_stores_nothing(orders_db):
    message = "The databases could not be read: SHOW DATABASES command denied"
    with pytest.raises(IncompleteDatabases, match=message):
        measured(orders_db, sections=denied("databases"))
    assert not InstanceSizeStat.objects.exists()


def test_what_was_not_measured_is_null_with_the_reason_and_never_zero(orders_db):
    measured(orders_db, sales=100, closed="needs CONNECT on the database")
    stat = DatabaseSizeStat.objects.get(database__database_name="closed")
    assert (stat.size_bytes, stat.reason) == (None, "needs CONNECT on the database")
    total = InstanceSizeStat.objects.get()
    assert (total.size_bytes, total.measured_count, total.database_count) == (100, 1, 2)
    assert total.reason == "needs CONNECT on the database"


def test_a_size_of_zero_was_measured(orders_db):
    measured(orders_db, empty=0)
    assert (sizes("empty"), totals()) == ({30: 0}, {30: (0, 1, 1)})


def test_an_instance_of_which_nothing_was_measured_has_no_total(orders_db):
    assert measured(orders_db, sales="denied", stock="denied").total_bytes is None
    assert totals() == {30: (None, 0, 2)}


def test_a_reason_is_never_empty(orders_db):
    measured(orders_db, sales=None)
    assert DatabaseSizeStat.objects.get().reason == "The server did not tell its size."


def test_the_last_reading_of_a_day_counts(orders_db):
    measured(orders_db, sales=100)
    measured(orders_db, hours=9, sales=130)
    assert (sizes("sales"), totals()) == ({30: 130}, {30: (130, 1, 1)})


def test_a_reading_without_sizes_takes_none_away(orders_db):
    measured(orders_db, sales=100)
    measured(orders_db, hours=9, sales="denied")
    assert (sizes("sales"), totals()) == ({30: 100}, {30: (100, 1, 1)})
    assert (database("sales").size_bytes, database("sales").reason) == (100, "denied")


def test_a_database_dropped_during_the_day_is_not_counted_beside_its_new_name(orders_db):
    measured(orders_db, sales=100)
    measured(orders_db, hours=9, sales_2026=100)
    assert totals() == {30: (100, 1, 1)}
    stat = DatabaseSizeStat.objects.get(database__database_name="sales")
    assert (stat.size_bytes, stat.reason) == (None, "No longer on the server.")


def test_the_same_reading_twice_changes_nothing(orders_db):
    kinds = (InstanceDatabase, DatabaseSizeStat, InstanceSizeStat, DatabaseTableSizeStat)
    reading = {"sales": 100, "closed": "denied", "tables": {"sales": tables(orders=90)}}
    measured(orders_db, **reading)
    before = [list(kind.objects.order_by("pk").values()) for kind in kinds]
    measured(orders_db, **reading)
    assert [list(kind.objects.order_by("pk").values()) for kind in kinds] == before


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", date(2026, 3, 28)), ("Asia/Shanghai", date(2026, 3, 29))]
)
def test_the_day_is_that_of_the_time_zone(orders_db, settings, zone, day):
    settings.TIME_ZONE = zone
    late = datetime(2026, 3, 28, 19, 0, tzinfo=UTC)
    assert apply(orders_db, observed(sales=1), COMPLETE, now=late).day == day


def test_a_change_of_the_clock_makes_no_day_twice(orders_db, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    # 02:30 comes twice in the night to 25 October 2026: half an hour to and after 01:00 UTC.
    for moment in (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ):
        apply(orders_db, observed(sales=moment.hour), COMPLETE, now=moment)
    assert sizes("sales") == {25: 1}


def test_a_clock_that_is_set_back_on_the_same_day_leaves_one_row_with_the_newest_reading(orders_db):
    measured(orders_db, hours=9, sales=100)
    measured(orders_db, hours=1, sales=130)
    assert (sizes("sales"), totals()) == ({30: 130}, {30: (130, 1, 1)})
    assert database("sales").measured_at == night(hours=1)


def test_a_clock_that_is_set_back_over_midnight_keeps_each_day_once(orders_db):
    measured(orders_db, 0, sales=100)
    measured(orders_db, 1, sales=110)
    measured(orders_db, 0, hours=5, sales=120)
    measured(orders_db, 1, hours=5, sales=125)
    assert (sizes("sales"), totals()) == (
        {30: 120, 31: 125},
        {30: (120, 1, 1), 31: (125, 1, 1)},
    )


def test_names_the_store_cannot_hold_stop_nothing(orders_db):
    apply(orders_db, [ObservedDatabase("a\x00b\ud800" + "c" * 300, data_bytes=1)], COMPLETE)
    assert InstanceDatabase.objects.get().database_name == "a\ufffdb\ufffd" + "c" * 252


def test_two_instances_do_not_touch_each_other(orders_db):
    measured(orders_db, sales=100)
    measured(instance("stock-db"), sales=5)
    assert [row.size_bytes for row in InstanceSizeStat.objects.order_by("pk")] == [100, 5]
    assert InstanceDatabase.objects.filter(is_active=True).count() == 2


def test_tables_are_replaced_by_what_was_read(orders_db):
    measured(orders_db, sales=100, tables={"sales": tables(orders=90, parts=10)})
    apply_tables(orders_db, {"sales": tables(orders=95)}, now=night(1))
    stored = DatabaseTableSizeStat.objects.get()
    assert (stored.table_name, stored.data_bytes, stored.index_bytes) == ("orders", 95, 9)
    assert database("sales").tables_measured_at == night(1)


def test_tables_that_were_not_read_stay_beside_the_reason(orders_db):
    measured(orders_db, sales=100, tables={"sales": tables(orders=90)})
    apply_tables(orders_db, {"sales": ReadTables(reason="more than 3 tables")}, now=night(1))
    assert DatabaseTableSizeStat.objects.count() == 1
    sales = database("sales")
    assert (sales.tables_reason, sales.tables_measured_at) == ("more than 3 tables", night())


def statements(orders_db, size, day):
    fleet = {f"db_{number}": number for number in range(size)}
    read = {"db_1": tables(**{f"t{number}": number for number in range(size)})}
    with CaptureQueriesContext(connection) as queries:
        measured(orders_db, day, tables=read, **fleet)
    return len(queries)


def test_the_statements_do_not_depend_on_the_number_of_databases_or_tables(orders_db):
    assert statements(orders_db, 5, 0) == statements(orders_db, 500, 1) <= 18
