"""Sizes summed up by day, week, month and quarter, per database and per instance.

One statement per period and scope, whatever the number of databases. A period's row counts the
days that were measured; where no day was, it has NULLs and 0 days. Doing it again writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.models import PeriodType

SCOPES = ("database", "instance")
MONTHS = {PeriodType.MONTHLY: 1, PeriodType.QUARTERLY: 3}

# `before` is the last size known before the period: so the changes of its days add up to that of
# the period. The first period of all counts from its own first size.
AGGREGATE = """
INSERT INTO {table} AS old ({key}period_type, period_start, period_end,
    avg_bytes, min_bytes, max_bytes, first_bytes, last_bytes, change_bytes, change_percent,
    data_points, calculated_at)
SELECT {select}%(period)s, %(start)s, %(end)s, average, smallest, largest, first, last,
    last - coalesce(before, first), (last - coalesce(before, first)) * 100.0
        / nullif(coalesce(before, first), 0), days, %(now)s
FROM (
    SELECT {group}, round(avg(size_bytes))::bigint AS average, min(size_bytes) AS smallest,
        max(size_bytes) AS largest, count(size_bytes) AS days,
        (array_agg(size_bytes ORDER BY collected_date)
            FILTER (WHERE size_bytes IS NOT NULL))[1] AS first,
        (array_agg(size_bytes ORDER BY collected_date DESC)
            FILTER (WHERE size_bytes IS NOT NULL))[1] AS last
    FROM {stats} WHERE collected_date BETWEEN %(start)s AND %(end)s {narrowed}
    GROUP BY {group}
) period
LEFT JOIN LATERAL (
    SELECT size_bytes AS before FROM {stats} stat
    WHERE stat.{one} = period.{one} AND stat.collected_date < %(start)s
        AND stat.size_bytes IS NOT NULL
    ORDER BY stat.collected_date DESC LIMIT 1
) earlier ON true
ORDER BY period.{one}
ON CONFLICT ({one}, period_type, period_start) DO UPDATE SET {assigned},
    calculated_at = excluded.calculated_at
WHERE ({old}) IS DISTINCT FROM ({new})
"""
VALUES = (
    "period_end",
    "avg_bytes",
    "min_bytes",
    "max_bytes",
    "first_bytes",
    "last_bytes",
    "change_bytes",
    "change_percent",
    "data_points",
)


def _statement(scope: str, narrowed: bool) -> str:
    columns = ("database_id", "instance_id") if scope == "database" else ("instance_id",)
    return AGGREGATE.format(
        table=f"{scope}_size_aggregations",
        stats=f"{scope}_size_stats",
        one=f"{scope}_id",
        key="".join(f"{name}, " for name in columns),
        select="".join(f"period.{name}, " for name in columns),
        group=", ".join(columns),
        narrowed="AND instance_id = %(instance)s" if narrowed else "",
        assigned=", ".join(f"{name} = excluded.{name}" for name in VALUES),
        old=", ".join(f"old.{name}" for name in VALUES),
        new=", ".join(f"excluded.{name}" for name in VALUES),
    )


@dataclass(frozen=True, slots=True)
class Aggregated:
    """One statement's work; `written` rows are new or differ from before."""

    period_type: str
    scope: str
    period_start: date
    period_end: date
    written: int

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        return found | {key: str(found[key]) for key in ("period_start", "period_end")}


def aggregate(
    periods: Iterable[str] | None = None,
    scope: str = "all",
    *,
    day: date | None = None,
    instance_id: int | None = None,
    which: str = "default",
) -> list[Aggregated]:
    """Sum up `periods` (all without) per database, per instance or both, seen from `day` (today).

    `which`: `current` is the period that holds the day, `last` the one before it; `default` takes
    the current day, and of the others the last, which is the one that is over. Raises ValueError
    naming the choices.
    """
    chosen = [_known(_("period"), each, PeriodType.values) for each in periods or PeriodType.values]
    scopes = SCOPES if _known(_("scope"), scope, ("all", *SCOPES)) == "all" else (scope,)
    _known(_("which"), which, ("default", "current", "last"))
    day = day or timezone.localdate()
    return [
        _aggregate(period, each, *_bounds(period, day, which), instance_id)
        for period in chosen
        for each in scopes
    ]


def _aggregate(
    period: str, scope: str, start: date, end: date, instance_id: int | None
) -> Aggregated:
    values: dict[str, Any] = {
        "period": period,
        "start": start,
        "end": end,
        "instance": instance_id,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(scope, instance_id is not None), values)
        return Aggregated(period, scope, start, end, cursor.rowcount)


def _bounds(period: str, day: date, which: str) -> tuple[date, date]:
    is_current = which == "current" or (which == "default" and period == PeriodType.DAILY)
    start, end = bounds(period, day)
    return (start, end) if is_current else bounds(period, start - timedelta(days=1))


def bounds(period: str, day: date) -> tuple[date, date]:
    """First and last day of the period that holds `day`. Weeks begin on Monday (ISO 8601)."""
    if period == PeriodType.DAILY:
        return day, day
    if period == PeriodType.WEEKLY:
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=6)
    months = MONTHS[PeriodType(period)]
    start = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    # 32 days after the first of a month is always in the next one.
    following = start
    for _month in range(months):
        following = (following + timedelta(days=32)).replace(day=1)
    return start, following - timedelta(days=1)


def _known(what: str, value: str, choices: Iterable[str]) -> str:
    if value not in choices:
        message = _("Unknown %(what)s: %(value)s. Must be one of: %(choices)s.")
        raise ValueError(message % {"what": what, "value": value, "choices": ", ".join(choices)})
    return value
