"""A line of sizes over days as SVG coordinates. Pure: the template draws, the styles colour."""

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
    """`line` joins the measured days, `area` is what lies under it, `dots` are single days."""

    line: str
    area: str
    sizes: list[Mark]
    days: list[Mark]
    limit: float | None = None
    dots: list[tuple[float, float]] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def chart(days: Sequence[tuple[date, int]], limit: int | None = None) -> Chart | None:
    """Sizes by day, oldest first, from zero up: growth looks as large as it is. None without days.

    The limit is drawn where it is in reach, which is up to three times the largest size.
    """
    if not days:
        return None
    largest = max(size for _day, size in days)
    shown = limit if limit is not None and limit <= 3 * largest else None
    step = _step(max(largest, shown or 0))
    top = step * -(-max(largest, shown or 0, 1) // step)
    first, last = days[0][0].toordinal(), days[-1][0].toordinal()
    spots = [(_x(day.toordinal(), first, last), _y(size, top)) for day, size in days]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    floor = HEIGHT - BOTTOM
    return Chart(
        line=line,
        area=f"{spots[0][0]:.1f},{floor} {line} {spots[-1][0]:.1f},{floor}",
        sizes=[Mark(_y(size, top), size) for size in range(0, top + 1, step)],
        days=_days(first, last),
        limit=None if shown is None else _y(shown, top),
        dots=spots if len(spots) == 1 else [],
    )


def _step(largest: int) -> int:
    """Of the readable steps (5 MiB, 250 GiB ...) the smallest that makes at most five lines."""
    unit = 1
    while True:
        for step in STEPS:
            if step * unit * 5 >= largest:
                return step * unit
        unit *= 1024


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
