"""Growth, its interval, when it is full, and how good such forecasts were."""

from __future__ import annotations

import random
from datetime import date, timedelta
from statistics import linear_regression

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capacity.forecast import TooLittle, accuracy, forecast, growth_of

FIRST = date(2026, 1, 1)


def history(*sizes, every=1):
    return [(FIRST + timedelta(days=every * n), size) for n, size in enumerate(sizes)]


def line(days, per_day=10, start=1000):
    return history(*(start + per_day * n for n in range(days)))


def noisy(days, per_day, spread, seed=1):
    dice = random.Random(seed)
    return history(*(10**6 + per_day * n + dice.randint(-spread, spread) for n in range(days)))


@given(per_day=some.integers(-1000, 1000), days=some.integers(14, 60))
def test_a_straight_line_has_its_own_slope_and_no_doubt(per_day, days):
    growth = growth_of(line(days, per_day, 10**6))
    assert growth.per_day == growth.low == growth.high == per_day


@given(days=some.lists(some.integers(0, 400), min_size=10, max_size=30, unique=True))
def test_missing_days_do_not_bend_it(days):
    found = [(FIRST + timedelta(days=n), 5000 + 7 * n) for n in sorted(days)]
    assert growth_of(found).per_day == 7


def test_outliers_that_bend_least_squares_do_not_bend_it():
    sizes = [1000 + 10 * n for n in range(60)]
    for n in (5, 30, 31, 58):
        sizes[n] = 90_000
    found = history(*sizes)
    squares = linear_regression([day.toordinal() for day, _ in found], sizes).slope
    assert abs(growth_of(found).per_day - 10) < 1
    assert abs(squares - 10) > 20


def test_a_purge_in_the_middle_leaves_the_growth_on_both_sides():
    found = history(*(10 * n + (100_000 if n < 12 else 0) for n in range(90)))
    assert growth_of(found).per_day == pytest.approx(10, abs=1)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    growths = [growth_of(noisy(60, 50, 2000, seed)) for seed in range(200)]
    hits = sum(growth.low <= 50 <= growth.high for growth in growths)
    assert 180 <= hits <= 199


def test_more_noise_is_more_doubt():
    calm, wild = growth_of(noisy(60, 50, 100)), growth_of(noisy(60, 50, 5000))
    assert (calm.high - calm.low) * 5 < wild.high - wild.low


def test_days_until_the_limit():
    full = forecast(line(30), limit=2000).full  # the last day has 1290 bytes
    assert (full.days, full.earliest_days, full.latest_days) == (71, 71, 71)
    assert full.on == date(2026, 1, 30) + timedelta(days=71)


def test_the_earliest_day_is_that_of_the_steepest_growth():
    full = forecast(noisy(60, 50, 500), limit=10**6 + 20_000).full
    assert full.earliest_days < full.days < full.latest_days


def test_what_is_full_is_full_today():
    full = forecast(line(30), limit=1290).full
    assert (full.days, full.on) == (0, date(2026, 1, 30))


@pytest.mark.parametrize("per_day", [0, -10])
def test_what_does_not_grow_is_never_full(per_day):
    full = forecast(line(30, per_day), limit=5000).full
    assert (full.days, full.on, full.reason) == (None, None, "It does not grow.")


def test_growth_that_may_be_none_has_no_latest_day():
    full = forecast(noisy(20, 1, 5000), limit=10**7).full
    assert full.latest_days is None


def test_without_a_limit_there_is_no_day_and_the_reason():
    full = forecast(line(30)).full
    assert (full.days, full.reason) == (None, "No limit is set on the instance.")


def test_a_day_behind_the_end_of_the_calendar_is_none():
    full = forecast(history(*(10**15 + n for n in range(20))), limit=9 * 10**18).full
    assert full.days > 10**18
    assert full.on is None


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "Too little history: 0 measured days over 0 days."),
        (line(9), "Too little history: 9 measured days over 9 days."),
        (line(13), "Too little history: 13 measured days over 13 days."),
        (history(*range(9), every=30), "Too little history: 9 measured days over 241 days."),
    ],
)
def test_too_little_history_is_refused_with_what_there_is(found, message):
    with pytest.raises(TooLittle, match=message) as refused:
        forecast(found)
    assert str(refused.value).endswith("A forecast takes 10 measured days over 14 days.")


def test_back_testing_a_straight_line_finds_no_error():
    found = accuracy(line(120))
    assert (found.horizon_days, found.trials) == (30, 6)
    assert found.error_percent == pytest.approx(0)
    assert found.unchanged_error_percent > 10


def test_back_testing_shows_growth_that_a_line_does_not_follow():
    doubling = history(*(round(1000 * 2 ** (n / 20)) for n in range(120)))
    assert accuracy(doubling).error_percent > 20


def test_back_testing_says_when_there_is_too_little_for_it():
    found = accuracy(line(14))
    assert (found.trials, found.error_percent) == (0, None)


def test_empty_days_are_no_error():
    assert accuracy(line(60, 0, 0)).trials == 0
