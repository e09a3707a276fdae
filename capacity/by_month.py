"""Sizes by day as a table of months, for those who do not see a chart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

Days = Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Month:
    """`size` is that of its last measured day, `change` since the last one of the month before it
    (None in the first); `measured` of its days were.
    """

    first: date
    size: int
    change: int | None
    measured: int


def months(days: Days) -> list[Month]:
    """`days`: day and size, the oldest first. Months without a measured day are left out."""
    found: list[Month] = []
    for first, each in groupby(days, key=lambda day: day[0].replace(day=1)):
        sizes = [size for _day, size in each]
        change = sizes[-1] - found[-1].size if found else None
        found.append(Month(first, sizes[-1], change, len(sizes)))
    return found


def side_by_side(series: Sequence[Days]) -> list[tuple[date, list[int | None]]]:
    """Months, the newest first, and in each the size of every one of `series`; None where it was
    not measured.
    """
    known = [{month.first: month.size for month in months(days)} for days in series]
    every = sorted({first for sizes in known for first in sizes}, reverse=True)
    return [(first, [sizes.get(first) for sizes in known]) for first in every]
