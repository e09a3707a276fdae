"""Sizes by day as a table of months."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as some

from capacity.by_month import months, side_by_side

DAYS = [
    (date(2026, 1, 30), 10),
    (date(2026, 1, 31), 12),
    (date(2026, 2, 1), 11),
    (date(2026, 4, 30), 40),
]


def test_a_month_has_the_size_of_its_last_measured_day():
    assert [(each.first.month, each.size, each.measured) for each in months(DAYS)] == [
        (1, 12, 2),
        (2, 11, 1),
        (4, 40, 1),
    ]


def test_the_change_is_counted_from_the_month_before_that_was_measured():
    assert [each.change for each in months(DAYS)] == [None, -1, 29]


def test_no_day_is_no_month():
    assert months([]) == []


@given(some.dictionaries(some.integers(0, 900), some.integers(0, 2**50), max_size=40))
def test_no_day_is_lost_and_the_changes_add_up(sizes):
    days = [(date(2025, 1, 1) + timedelta(days=n), size) for n, size in sorted(sizes.items())]
    found = months(days)
    assert sum(each.measured for each in found) == len(days)
    if found:
        assert found[0].size + sum(each.change or 0 for each in found) == days[-1][1]


def test_several_stand_side_by_side_the_newest_month_first():
    found = side_by_side([DAYS, [(date(2026, 3, 1), 7), (date(2026, 4, 2), 8)]])
    assert found == [
        (date(2026, 4, 1), [40, 8]),
        (date(2026, 3, 1), [None, 7]),
        (date(2026, 2, 1), [11, None]),
        (date(2026, 1, 1), [12, None]),
    ]
