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
STEPS = (1, 2, 4, 5, 8, 10, 20, 25, 50, 100, 200, 250, 500)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis and what it stands for."""

    at: float
    value: int | date


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
class Chart:
    """`line` joins the measured days, `area` is what lies under it, `dots` are single days.
    `others` are further lines on the same axes.
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
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


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

    def days(self) -> list[Mark]:
        """At most five days, evenly spread."""
        count = min(self.last - self.first, 4)
        if not count:
            return [Mark(self.x(self.first), date.fromordinal(self.first))]
        span = self.last - self.first
        chosen = (self.first + round(span * n / count) for n in range(count + 1))
        return [Mark(self.x(day), date.fromordinal(day)) for day in chosen]


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
) -> Chart | None:
    """Numbers by day, oldest first, from zero up: growth looks as large as it is. None without
    days. `unit` is 1024 for sizes and 1000 for counts; `others` end and begin with `days`.

    The limit is drawn where it is in reach, which is up to three times the largest size. With
    `growth` (bytes per day: expected, least, most) the line goes on for a quarter of its length, at
    most AHEAD_DAYS.
    """
    if not days:
        return None
    largest = max(size for each in (days, *others) for _day, size in each)
    shown = limit if limit is not None and limit <= 3 * largest else None
    first, last = days[0][0].toordinal(), days[-1][0].toordinal()
    further = min((last - first) // 4, AHEAD_DAYS) if growth else 0
    fan = _fan(last, days[-1][1], further, growth) if growth and further else []
    highest = max(largest, shown or 0, *(most for _day, _said, _least, most in fan), 1)
    frame = _frame((first, last + further), highest, unit)
    spots = [(day.toordinal(), size) for day, size in days]
    line = frame.line(spots)
    floor = HEIGHT - BOTTOM
    start, end = frame.x(first), frame.x(last)
    return Chart(
        line=line,
        area=f"{start:.1f},{floor} {line} {end:.1f},{floor}",
        sizes=frame.sizes(),
        days=frame.days(),
        limit=None if shown is None else frame.y(shown),
        ahead=_ahead(frame, fan),
        dots=[(frame.x(day), frame.y(size)) for day, size in spots] if len(spots) == 1 else [],
        others=[frame.line((day.toordinal(), size) for day, size in each) for each in others],
        spots=_spots(frame, days),
    )


def _fan(
    last: int, size: int, further: int, growth: tuple[float, float, float]
) -> list[tuple[int, float, float, float]]:
    """Day, expected, least and most size, of the last day and of the end; nothing below zero."""
    said, least, most = (max(size + further * slope, 0) for slope in growth)
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
    """Several lines in one frame; `lines` and `ends` (x, y) in the order given."""

    lines: list[str]
    ends: list[tuple[float, float]]
    sizes: list[Mark]
    days: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


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
    )


def _step(largest: int, base: int) -> int:
    """Of the readable steps (5 MiB, 250 GiB ...) the smallest that makes at most five lines."""
    unit = 1
    while True:
        for step in STEPS:
            if step * unit * 5 >= largest:
                return step * unit
        unit *= base
