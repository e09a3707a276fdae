"""The line of a chart: in the right place, from zero up, readable marks."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capacity.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart, lines

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


def test_the_line_goes_on_as_it_is_expected_to_grow():
    drawn = chart(days(*range(0, 40 * GIB, GIB)), growth=(GIB, GIB / 2, 2 * GIB))
    (x, y), (end, high) = spots(drawn.ahead.line)
    assert (x, y) == spots(drawn.line)[-1]
    assert end == WIDTH - RIGHT
    assert high < y
    least, most = spots(drawn.ahead.area)[1], spots(drawn.ahead.area)[2]
    assert most[1] < high < least[1]


@given(some.lists(some.integers(0, 2**50), min_size=5, max_size=30), some.floats(-1e12, 1e12))
def test_what_is_expected_stays_inside_the_frame(sizes, slope):
    drawn = chart(days(*sizes), growth=(slope, slope - 1e9, slope + 1e9))
    for _x, y in spots(drawn.ahead.line) + spots(drawn.ahead.area):
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1


def test_pointing_anywhere_meets_a_day():
    drawn = chart(days(*range(9)))
    strips = [(spot.left, spot.left + spot.width) for spot in drawn.spots]
    assert strips[0][0] == LEFT
    assert strips[-1][1] == pytest.approx(WIDTH - RIGHT)
    for (_, end), (start, _) in pairwise(strips):
        assert end == pytest.approx(start)
    assert [spot.size for spot in drawn.spots] == list(range(9))


def test_missing_days_are_a_gap_in_the_line_and_not_a_straight_one():
    drawn = chart([days(5, 5, 5, 5, 5, 5, 5)[n] for n in (0, 1, 4, 5, 6)], every=1)
    first, second = (spots(stretch.line) for stretch in drawn.stretches)
    assert (len(first), len(second), drawn.dots) == (2, 3, [])
    (gap,) = drawn.gaps
    assert (gap.first.day, gap.last.day) == (3, 4)
    assert gap.left == pytest.approx(first[-1][0], abs=0.1)
    assert gap.left + gap.width == pytest.approx(second[0][0], abs=0.1)


def test_a_day_alone_between_gaps_is_a_dot():
    drawn = chart([days(*range(9))[n] for n in (0, 1, 4, 7, 8)], every=1)
    assert (len(drawn.stretches), len(drawn.gaps), len(drawn.dots)) == (2, 2, 1)


@pytest.mark.parametrize(
    ("length", "marked"),
    [
        (20, ["2026-01-01", "2026-01-06", "2026-01-11", "2026-01-15", "2026-01-20"]),
        (100, ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
        (365, ["2026-01-01", "2026-03-01", "2026-05-01", "2026-07-01", "2026-09-01", "2026-11-01"]),
        (730, ["2026-01-01", "2026-07-01", "2027-01-01", "2027-07-01"]),
    ],
)
def test_long_times_are_marked_by_months_and_short_ones_by_days(length, marked):
    drawn = chart(days(*[GIB] * length))
    assert [str(mark.value) for mark in drawn.days] == marked
    assert {mark.is_month for mark in drawn.days} == {length > 60}


@given(some.integers(1, 1500), some.integers(0, 800))
def test_the_names_of_days_stand_apart_and_inside(length, start):
    first = FIRST + timedelta(days=start)
    drawn = chart([(first, 1), (first + timedelta(days=length), 2)])
    for one, two in pairwise(drawn.days):
        assert two.at - one.at > 60 or (length < 4)
    assert all(LEFT <= mark.at <= WIDTH - RIGHT for mark in drawn.days)


def test_bounds_are_wider_by_what_such_forecasts_missed():
    sizes = days(*range(0, 40 * GIB, GIB))
    narrow = chart(sizes, 100 * GIB, growth=(GIB, GIB, GIB))
    wide = chart(sizes, 100 * GIB, growth=(GIB, GIB, GIB), off=10 * GIB)
    assert narrow.ahead.line == wide.ahead.line
    (_, least), (_, most) = spots(wide.ahead.area)[1:3]
    assert least > spots(wide.ahead.line)[1][1] > most


def test_several_lines_share_one_frame():
    drawn = lines([days(GIB, 2 * GIB), [], [(FIRST + timedelta(days=2), 4 * GIB)]])
    first, second = map(spots, drawn.lines)
    assert first[0][0] == LEFT
    assert second[0] == (WIDTH - RIGHT, TOP)
    assert drawn.ends == [pytest.approx(first[-1], abs=0.1), pytest.approx(second[0], abs=0.1)]


def test_no_line_is_no_chart():
    assert lines([[], []]) is None
