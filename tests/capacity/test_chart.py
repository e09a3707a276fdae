"""The line of a chart: in the right place, from zero up, readable marks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capacity.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart

FIRST = date(2026, 1, 1)
GIB = 1024**3


def days(*sizes):
    return [(FIRST + timedelta(days=n), size) for n, size in enumerate(sizes)]


def spots(text):
    return [tuple(map(float, spot.split(","))) for spot in text.split()]


@given(some.lists(some.integers(0, 2**62), min_size=1, max_size=40))
def test_every_day_is_inside_the_frame(sizes):
    drawn = chart(days(*sizes))
    assert len(spots(drawn.line)) == len(sizes)
    for x, y in spots(drawn.line):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1
    assert 2 <= len(drawn.sizes) <= 6


def test_sizes_are_drawn_from_zero_up():
    drawn = chart(days(0, 5 * GIB, 10 * GIB))
    (_, none), (_, half), (_, full) = spots(drawn.line)
    assert (none, full) == (HEIGHT - BOTTOM, TOP)
    assert half == pytest.approx((none + full) / 2, abs=0.1)
    assert [mark.value // GIB for mark in drawn.sizes] == [0, 2, 4, 6, 8, 10]


def test_a_missing_day_keeps_its_place():
    drawn = chart([days(1, 1, 1, 1)[n] for n in (0, 1, 3)])
    (first, _), (second, _), (last, _) = spots(drawn.line)
    assert last - second == pytest.approx(2 * (second - first), abs=0.2)


@pytest.mark.parametrize(
    ("limit", "is_drawn"), [(12 * GIB, True), (40 * GIB, False), (None, False)]
)
def test_a_limit_in_reach_is_drawn(limit, is_drawn):
    drawn = chart(days(9 * GIB, 10 * GIB), limit)
    assert (drawn.limit is not None) is is_drawn


def test_one_day_is_a_dot():
    assert len(chart(days(7)).dots) == 1


def test_no_day_is_no_chart():
    assert chart([]) is None
