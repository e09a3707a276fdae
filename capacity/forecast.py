"""How fast something grows and when it is full, from its measured days. Pure; bytes and days.

The slope is Theil and Sen's: the median of the slopes between all pairs of days, which a purge, a
migration or a bad day does not bend (up to 29 % of such days). Its interval is Kendall's, after
Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), 16.5. It takes days to
be independent of each other, which sizes are not quite: read it as the narrowest likely range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

from django.utils.translation import gettext as _

Day = tuple[date, int]

FEWEST_DAYS = 10
SHORTEST_SPAN = 14
LONGEST_HORIZON = 30
TRIALS = 6
Z_95 = 1.959964  # of the normal distribution, 95 % within


class TooLittle(Exception):
    """Not enough history to say anything; the text says what there is and what it takes."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes per day, and between what bounds with 95 % confidence."""

    per_day: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far off forecasts `horizon_days` ahead would have been, over `trials` starts in the
    stored history: the mean of their errors in percent of the real size; beside it that of saying
    that nothing changes. None where there is not enough history to try it.
    """

    horizon_days: int
    trials: int
    error_percent: float | None
    unchanged_error_percent: float | None


@dataclass(frozen=True, slots=True)
class Full:
    """Days from the last measured day until the limit; 0 where it is reached. `earliest_days` and
    `latest_days` by the bounds of the growth. None: never, at that growth; `reason` says why.
    """

    limit_bytes: int | None
    days: int | None = None
    earliest_days: int | None = None
    latest_days: int | None = None
    on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`days_measured` of `first_day` to `last_day` carry it."""

    first_day: date
    last_day: date
    days_measured: int
    last_bytes: int
    growth: Growth
    full: Full
    accuracy: Accuracy


def forecast(history: Sequence[Day], limit: int | None = None) -> Forecast:
    """`history`: day and size, oldest first, one for each measured day. Raises TooLittle."""
    _require(history)
    growth = growth_of(history)
    (first_day, _first), (last_day, last) = history[0], history[-1]
    full = full_after(last_day, last, growth, limit)
    return Forecast(first_day, last_day, len(history), last, growth, full, accuracy(history))


def _require(history: Sequence[Day]) -> None:
    if _is_enough(history):
        return
    found = {
        "days": len(history),
        "span": _span(history),
        "fewest": FEWEST_DAYS,
        "shortest": SHORTEST_SPAN,
    }
    message = _(
        "Too little history: %(days)d measured days over %(span)d days. "
        "A forecast takes %(fewest)d measured days over %(shortest)d days."
    )
    raise TooLittle(message % found)


def _is_enough(history: Sequence[Day]) -> bool:
    return len(history) >= FEWEST_DAYS and _span(history) >= SHORTEST_SPAN


def _span(history: Sequence[Day]) -> int:
    return (history[-1][0] - history[0][0]).days + 1 if history else 0


def growth_of(history: Sequence[Day]) -> Growth:
    """The slope with its interval; `history` has at least two days."""
    days = [(day.toordinal(), size) for day, size in history]
    slopes = sorted(
        (later - earlier) / (day - before)
        for index, (before, earlier) in enumerate(days)
        for day, later in days[index + 1 :]
    )
    count = len(days)
    width = Z_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(math.floor((len(slopes) - width) / 2), 0)
    high = min(math.ceil((len(slopes) + width) / 2), len(slopes) - 1)
    return Growth(median(slopes), slopes[low], slopes[high])


def full_after(day: date, size: int, growth: Growth, limit: int | None) -> Full:
    """When `limit` is reached, from `size` on `day`."""
    if limit is None:
        return Full(None, reason=_("No limit is set on the instance."))
    if size >= limit:
        return Full(limit, 0, 0, 0, day)
    left = limit - size
    days, earliest, latest = (
        _days(left, slope) for slope in (growth.per_day, growth.high, growth.low)
    )
    if days is None:
        return Full(limit, None, earliest, latest, reason=_("It does not grow."))
    return Full(limit, days, earliest, latest, _after(day, days))


def _days(left: int, slope: float) -> int | None:
    return math.ceil(left / slope) if slope > 0 else None


def _after(day: date, days: int) -> date | None:
    """None behind the end of the calendar."""
    return day + timedelta(days=days) if days <= (date.max - day).days else None


def accuracy(history: Sequence[Day]) -> Accuracy:
    """Forecasts from earlier days against what was measured then. The horizon is a quarter of the
    history, at most 30 days; the starts are spread evenly over what leaves enough before them.
    """
    horizon = min(_span(history) // 4, LONGEST_HORIZON)
    starts = [
        end
        for end in range(FEWEST_DAYS, len(history))
        if _is_enough(history[:end]) and (history[-1][0] - history[end - 1][0]).days >= horizon
    ]
    errors = [_errors(history, end, horizon) for end in _spread(starts, TRIALS)]
    found = [error for error in errors if error is not None]
    if not found:
        return Accuracy(horizon, 0, None, None)
    ours, unchanged = zip(*found, strict=True)
    return Accuracy(horizon, len(found), 100 * fmean(ours), 100 * fmean(unchanged))


def _spread(starts: Sequence[int], count: int) -> list[int]:
    if len(starts) <= count:
        return list(starts)
    return [starts[round(n * (len(starts) - 1) / (count - 1))] for n in range(count)]


def _errors(history: Sequence[Day], end: int, horizon: int) -> tuple[float, float] | None:
    """Relative errors of a forecast made on the day before `end`, and of saying "unchanged", at the
    first day measured at least `horizon` days later; None where that was empty.
    """
    start, size = history[end - 1]
    day, real = next(each for each in history[end:] if (each[0] - start).days >= horizon)
    if real == 0:
        return None
    said = size + growth_of(history[:end]).per_day * (day - start).days
    return abs(said - real) / real, abs(size - real) / real
