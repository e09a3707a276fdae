"""Lines over days as SVG coordinates. Pure: the template draws, the styles colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 12, 26
STEPS = (1, 2, 4, 5, 8, 10, 20, 25, 50, 100, 200, 250, 500)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis and what it stands for."""

    at: float
    value: int | date


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
    dots: list[tuple[float, float]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


Days = Sequence[tuple[date, int]]


def chart(
    days: Days, limit: int | None = None, others: Sequence[Days] = (), unit: int = 1024
) -> Chart | None:
    """Numbers by day, oldest first, from zero up: growth looks as large as it is. None without
    days. `unit` is 1024 for sizes and 1000 for counts; `others` end and begin with `days`.

    The limit is drawn where it is in reach, which is up to three times the largest size.
    """
    if not days:
        return None
    largest = max(size for each in (days, *others) for _day, size in each)
    shown = limit if limit is not None and limit <= 3 * largest else None
    step = _step(max(largest, shown or 0), unit)
    top = step * -(-max(largest, shown or 0, 1) // step)
    first, last = days[0][0].toordinal(), days[-1][0].toordinal()
    spots = _spots(days, first, last, top)
    line, floor = _line(spots), HEIGHT - BOTTOM
    return Chart(
        line=line,
        area=f"{spots[0][0]:.1f},{floor} {line} {spots[-1][0]:.1f},{floor}",
        sizes=[Mark(_y(size, top), size) for size in range(0, top + 1, step)],
        days=_days(first, last),
        limit=None if shown is None else _y(shown, top),
        dots=spots if len(spots) == 1 else [],
        others=[_line(_spots(each, first, last, top)) for each in others],
    )


def _spots(days: Days, first: int, last: int, top: int) -> list[tuple[float, float]]:
    return [(_x(day.toordinal(), first, last), _y(size, top)) for day, size in days]


def _line(spots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)


def _step(largest: int, base: int) -> int:
    """Of the readable steps (5 MiB, 250 GiB ...) the smallest that makes at most five lines."""
    unit = 1
    while True:
        for step in STEPS:
            if step * unit * 5 >= largest:
                return step * unit
        unit *= base


def _x(day: int, first: int, last: int) -> float:
    width = WIDTH - LEFT - RIGHT
    return LEFT + (width * (day - first) / (last - first) if last > first else width / 2)


def _y(size: int, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * size / top


def _days(first: int, last: int) -> list[Mark]:
    """At most five days, evenly spread."""
    count = min(last - first, 4)
    if not count:
        return [Mark(_x(first, first, last), date.fromordinal(first))]
    chosen = (first + round((last - first) * n / count) for n in range(count + 1))
    return [Mark(_x(day, first, last), date.fromordinal(day)) for day in chosen]
