"""How databases grew over a week, month, quarter and year: rows that lists are made of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity import growth
from capacity.collection import apply
from capacity.models import DatabaseGrowth
from tests.capacity.cast import COMPLETE, instance, observed

pytestmark = pytest.mark.django_db


def measured(on, back, **sizes):
    apply(on, observed(**sizes), COMPLETE, now=timezone.now() - timedelta(days=back))


def grown(name="sales"):
    """window -> (change, percent)"""
    rows = DatabaseGrowth.objects.filter(database__database_name=name)
    return {row.window_days: (row.change_bytes, row.change_percent) for row in rows}


def test_each_window_counts_from_the_day_that_long_ago():
    on = instance()
    for back, size in ((365, 100), (90, 200), (30, 400), (7, 500), (0, 600)):
        measured(on, back, sales=size)
    growth.calculate()
    assert grown() == {7: (100, 20.0), 30: (200, 50.0), 90: (400, 200.0), 365: (500, 500.0)}


def test_where_the_server_was_away_the_newest_day_before_counts():
    on = instance()
    for back, size in ((36, 1), (33, 2), (29, 3), (0, 10)):
        measured(on, back, sales=size)
    growth.calculate()
    assert grown() == {30: (8, 400.0)}
    row = DatabaseGrowth.objects.get()
    assert (row.to_day - row.from_day).days == 33


def test_a_day_too_far_back_says_nothing():
    on = instance()
    measured(on, 38, sales=1)
    measured(on, 0, sales=10)
    growth.calculate()
    assert grown() == {}


def test_days_without_a_size_are_passed_over():
    on = instance()
    measured(on, 8, sales=4)
    measured(on, 7, sales="denied")
    measured(on, 0, sales=6)
    growth.calculate()
    assert grown() == {7: (2, 50.0)}


def test_growth_from_nothing_has_no_percentage():
    on = instance()
    measured(on, 7, sales=0)
    measured(on, 0, sales=6)
    growth.calculate()
    assert grown() == {7: (6, None)}


def test_what_is_gone_leaves_the_list():
    on = instance()
    measured(on, 7, sales=5, stock=5)
    measured(on, 0, sales=6, stock=7)
    growth.calculate()
    assert grown("stock")
    measured(on, 0, sales=6)
    growth.calculate()
    assert grown("stock") == {}
    assert grown() == {7: (1, 20.0)}


def test_a_row_that_no_day_carries_any_more_goes():
    on = instance()
    measured(on, 12, sales=5)
    measured(on, 5, sales=6)
    growth.calculate()
    assert set(grown()) == {7}
    measured(on, -5, sales=7)  # nothing within a week of 7 days before that
    growth.calculate()
    assert grown() == {7: (1, pytest.approx(100 / 6))}
    measured(on, -20, sales=7)
    growth.calculate()
    assert 7 not in grown()


def test_twice_writes_nothing_the_second_time():
    on = instance()
    measured(on, 7, sales=5)
    measured(on, 0, sales=6)
    assert growth.calculate() == 1
    before = list(DatabaseGrowth.objects.values())
    assert growth.calculate() == 0
    assert list(DatabaseGrowth.objects.values()) == before


def test_one_instance_alone():
    orders, stock = instance("orders-db"), instance("stock-db")
    for on in (orders, stock):
        measured(on, 7, sales=5)
        measured(on, 0, sales=6)
    growth.calculate(stock.pk)
    assert DatabaseGrowth.objects.get().instance == stock


@pytest.mark.parametrize("size", [2, 200])
def test_two_statements_at_every_size(size):
    on = instance()
    for back in (7, 0):
        measured(on, back, **{f"db_{number}": number for number in range(size)})
    with CaptureQueriesContext(connection) as queries:
        assert growth.calculate() == size
    assert len(queries) == 2
