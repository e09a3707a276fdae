"""Lines over days as SVG coordinates. Pure: the template draws, the styles colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 12, 26
AHEAD_DAYS = 90
MOST_MONTHS = 6
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60)
# Half of what the name of a month takes: nearer to an edge it is written inwards.
HALF_NAME = 30
STEPS = (1, 2, 4, 5, 8, 10, 20, 25, 50, 100, 200, 250, 500)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis and what it stands for: a day, or its month with `is_month`. `anchor` is
    the end of its text that is there.
    """

    at: float
    value: int | date
    anchor: str = "middle"
    is_month: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A measured day, and the strip of the chart that stands for it: pointing there tells it."""

    x: float
    y: float
    day: date
    size: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """The expected line from the last day on, and between what bounds."""

    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days without one missing between them: their line, and what lies under it."""

    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The days `first` to `last` were not measured; the strip of the chart that is empty for it."""

    first: date
    last: date
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`line` joins the measured days, `area` is what lies under it; `stretches` are the same in
    pieces between the `gaps`. `dots` are days that stand alone. `others` are further lines on the
    same axes.
    """

    line: str
    area: str
    sizes: list[Mark]
    days: list[Mark]
    limit: float | None = None
    ahead: Ahead | None = None
    dots: list[tuple[float, float]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    plot: int = HEIGHT - TOP - BOTTOM


@dataclass(frozen=True, slots=True)
class Frame:
    """What days and sizes the chart has room for."""

    first: int
    last: int
    top: int
    step: int

    def x(self, day: int) -> float:
        width = WIDTH - LEFT - RIGHT
        span = self.last - self.first
        return LEFT + (width * (day - self.first) / span if span else width / 2)

    def y(self, size: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * size / self.top

    def line(self, days: Iterable[tuple[int, float]]) -> str:
        return " ".join(f"{self.x(day):.1f},{self.y(size):.1f}" for day, size in days)

    def sizes(self) -> list[Mark]:
        return [Mark(self.y(size), size) for size in range(0, self.top + 1, self.step)]

    def area(self, days: Sequence[tuple[int, float]]) -> str:
        floor = HEIGHT - BOTTOM
        start, end = self.x(days[0][0]), self.x(days[-1][0])
        return f"{start:.1f},{floor} {self.line(days)} {end:.1f},{floor}"

    def days(self) -> list[Mark]:
        """First days of months, every so many; of shorter times at most five days."""
        return self._months() or [self._mark(day) for day in self._spread()]

    def _mark(self, day: int, is_month: bool = False) -> Mark:
        at = self.x(day)
        is_late, is_early = at > WIDTH - RIGHT - HALF_NAME, at < LEFT + HALF_NAME
        anchor = "end" if is_late and self.last > self.first else "start" if is_early else "middle"
        return Mark(at, date.fromordinal(day), anchor, is_month)

    def _months(self) -> list[Mark]:
        """Empty where there are fewer than three."""
        every = [date.fromordinal(day) for day in range(self.first, self.last + 1)]
        firsts = [day for day in every if day.day == 1]
        step = next((n for n in MONTH_STEPS if len(firsts) <= MOST_MONTHS * n), 60)
        chosen = [day for day in firsts if (12 * day.year + day.month - 1) % step == 0]
        return [self._mark(day.toordinal(), True) for day in chosen] if len(chosen) > 2 else []

    def _spread(self) -> list[int]:
        count = min(self.last - self.first, 4)
        span = self.last - self.first
        return [self.first + round(span * n / max(count, 1)) for n in range(count + 1)]


def _frame(days: Iterable[int], largest: float, unit: int = 1024) -> Frame:
    ordered = sorted(days)
    step = _step(math.ceil(largest), unit)
    top = step * -(-max(math.ceil(largest), 1) // step)
    return Frame(ordered[0], ordered[-1], top, step)


Days = Sequence[tuple[date, int]]


def chart(
    days: Days,
    limit: int | None = None,
    others: Sequence[Days] = (),
    unit: int = 1024,
    growth: tuple[float, float, float] | None = None,
    off: float = 0,
    every: int | None = None,
) -> Chart | None:
    """Numbers by day, oldest first, from zero up: growth looks as large as it is. None without
    days. `unit` is 1024 for sizes and 1000 for counts; `others` end and begin with `days`.

    The limit is drawn where it is in reach, which is up to three times the largest size. With
    `growth` (bytes per day: expected, least, most) the line goes on for a quarter of its length, at
    most AHEAD_DAYS, between bounds that are wider by `off`, the bytes that such forecasts miss by.
    Days more than `every` apart have a gap between them.
    """
    if not days:
        return None
    largest = max(size for each in (days, *others) for _day, size in each)
    shown = limit if limit is not None and limit <= 3 * largest else None
    first, last = days[0][0].toordinal(), days[-1][0].toordinal()
    further = min((last - first) // 4, AHEAD_DAYS) if growth else 0
    fan = _fan(last, days[-1][1], further, growth, off) if growth and further else []
    highest = max(largest, shown or 0, *(most for _day, _said, _least, most in fan), 1)
    frame = _frame((first, last + further), highest, unit)
    spots = [(day.toordinal(), size) for day, size in days]
    pieces = _pieces(spots, every)
    return Chart(
        line=frame.line(spots),
        area=frame.area(spots),
        sizes=frame.sizes(),
        days=frame.days(),
        limit=None if shown is None else frame.y(shown),
        ahead=_ahead(frame, fan),
        dots=[(frame.x(day), frame.y(size)) for (day, size), *more in pieces if not more],
        others=[frame.line((day.toordinal(), size) for day, size in each) for each in others],
        spots=_spots(frame, days),
        stretches=[Stretch(frame.line(each), frame.area(each)) for each in pieces if each[1:]],
        gaps=[_gap(frame, before[-1][0], after[0][0]) for before, after in pairwise(pieces)],
    )


def _pieces(
    spots: Sequence[tuple[int, float]], every: int | None
) -> list[Sequence[tuple[int, float]]]:
    """`spots` cut where they are more than `every` days apart."""
    if every is None:
        return [spots]
    cuts = [n for n in range(1, len(spots)) if spots[n][0] - spots[n - 1][0] > every]
    return [spots[start:end] for start, end in pairwise([0, *cuts, len(spots)])]


def _gap(frame: Frame, before: int, after: int) -> Gap:
    left, right = frame.x(before), frame.x(after)
    return Gap(date.fromordinal(before + 1), date.fromordinal(after - 1), left, right - left)


def _fan(
    last: int, size: int, further: int, growth: tuple[float, float, float], off: float
) -> list[tuple[int, float, float, float]]:
    """Day, expected, least and most size, of the last day and of the end; nothing below zero."""
    said, least, most = (size + further * slope for slope in growth)
    said, least, most = (max(end, 0) for end in (said, least - off, most + off))
    return [(last, size, size, size), (last + further, said, least, most)]


def _ahead(frame: Frame, fan: Sequence[tuple[int, float, float, float]]) -> Ahead | None:
    if not fan:
        return None
    low = frame.line((day, least) for day, _said, least, _most in fan)
    high = frame.line((day, most) for day, _said, _least, most in reversed(fan))
    return Ahead(frame.line((day, said) for day, said, _least, _most in fan), f"{low} {high}")


def _spots(frame: Frame, days: Days) -> list[Spot]:
    """Strips reach half-way to the neighbours."""
    xs = [frame.x(day.toordinal()) for day, _size in days]
    edges = [xs[0], *((one + two) / 2 for one, two in pairwise(xs)), xs[-1]]
    return [
        Spot(x, frame.y(size), day, size, left, max(right - left, 1))
        for x, (day, size), (left, right) in zip(xs, days, pairwise(edges), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Lines:
    """Several lines in one frame; `lines` and `ends` (x, y) in the order given. `spots` are the
    days on which at least one of them has a size.
    """

    lines: list[str]
    ends: list[tuple[float, float]]
    sizes: list[Mark]
    days: list[Mark]
    spots: list[Spot]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    plot: int = HEIGHT - TOP - BOTTOM


def lines(series: Sequence[Days]) -> Lines | None:
    """Each of them sizes by day, the oldest first. None without a day."""
    known = [[(day.toordinal(), size) for day, size in each] for each in series if each]
    if not known:
        return None
    every = [spot for each in known for spot in each]
    frame = _frame((day for day, _size in every), max(size for _day, size in every))
    return Lines(
        [frame.line(each) for each in known],
        [(frame.x(each[-1][0]), frame.y(each[-1][1])) for each in known],
        frame.sizes(),
        frame.days(),
        _spots(frame, [(date.fromordinal(day), size) for day, size in sorted(dict(every).items())]),
    )


def _step(largest: int, base: int) -> int:
    """Of the readable steps (5 MiB, 250 GiB ...) the smallest that makes at most five lines."""
    unit = 1
    while True:
        for step in STEPS:
            if step * unit * 5 >= largest:
                return step * unit
        unit *= base
