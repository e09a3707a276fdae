"""Months of the tables that hold a row for each day: partitions, made ahead and dropped whole.

There is no partition for "the rest": it would have to be searched whenever a month is made, and a
month could not be dropped that lies in it. Whoever writes a day asks for its month first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from django.db import OperationalError, connection, transaction

MONTHLY = {
    "database_size_stats": "collected_date",
    "instance_size_stats": "collected_date",
    "database_size_aggregations_daily": "period_start",
    "instance_size_aggregations_daily": "period_start",
}
"""Table, and the day that says which month a row belongs to."""

SUMS_OF_DATABASES = "database_size_aggregations_daily"

MONTHS_AHEAD = 3
LOCK = 0x63617061  # of those who make months; "capa"
# Longer than a write takes, shorter than people notice that theirs wait behind us.
WAIT_FOR_WRITERS = "2s"

PRESENT = "SELECT count(*) FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
KNOWN = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = to_regclass(%s) ORDER BY child.relname
"""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Month:
    """A partition of `table`, from its first day to the first of the next month."""

    table: str
    first: date

    @property
    def name(self) -> str:
        return f"{self.table}_{self.first:%Y_%m}"

    @property
    def following(self) -> date:
        return next_month(self.first)


def next_month(first: date) -> date:
    # 32 days after the first of a month is always in the next one.
    return (first + timedelta(days=32)).replace(day=1)


def ensure(*days: date) -> int:
    """Make the months of these days where they are missing; how many tables that were.

    One statement where all is there. Does not keep others from reading or writing: a table is
    filled in as a partition (ATTACH), which waits for nobody who writes.
    """
    months = [Month(table, first) for first in sorted(_firsts(days)) for table in MONTHLY]
    with connection.cursor() as cursor:
        cursor.execute(PRESENT, [[month.name for month in months]])
        (found,) = cursor.fetchone()
    return 0 if found == len(months) else _make(months)


def ensure_ahead(day: date) -> int:
    """The month of `day` and the MONTHS_AHEAD after it."""
    firsts = [day.replace(day=1)]
    for _month in range(MONTHS_AHEAD):
        firsts.append(next_month(firsts[-1]))
    return ensure(*firsts)


def _firsts(days: Iterable[date]) -> set[date]:
    return {day.replace(day=1) for day in days}


def _make(months: Iterable[Month]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # The references need these locks; taken one by one as writers take them, nobody deadlocks.
        cursor.execute("LOCK TABLE instances IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE instance_databases IN SHARE ROW EXCLUSIVE MODE")
        made = 0
        for month in months:
            cursor.execute("SELECT to_regclass(%s) IS NULL", [month.name])
            if not cursor.fetchone()[0]:
                continue  # made by another while we waited
            cursor.execute(f"CREATE TABLE {month.name} (LIKE {month.table} INCLUDING CONSTRAINTS)")
            cursor.execute(
                f"ALTER TABLE {month.table} ATTACH PARTITION {month.name}"
                f" FOR VALUES FROM ('{month.first}') TO ('{month.following}')"
            )
            made += 1
    return made


def known(table: str) -> Iterator[Month]:
    """The months that there are, the oldest first. Partitions made by others are left out."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [table])
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        year, _sign, month = name.removeprefix(f"{table}_").partition("_")
        if year.isdecimal() and month.isdecimal():
            yield Month(table, date(int(year), int(month), 1))


def drop_before(day: date, tables: Iterable[str] = tuple(MONTHLY)) -> int:
    """Drop the months of `tables` that ended before `day`; how many rows went with them.

    A month that is in use for too long stays until the next night, with a line in the log.
    """
    return sum(
        _drop(month) for table in tables for month in list(known(table)) if month.following <= day
    )


def _drop(month: Month) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Rows that this transaction wrote may wait for their references to be checked.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(f"SELECT count(*) FROM {month.name}")  # noqa: S608
            (rows,) = cursor.fetchone()
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_FOR_WRITERS}'")
            cursor.execute(f"DROP TABLE {month.name}")
    except OperationalError as exc:
        logger.warning("month_not_dropped", table=month.name, reason=str(exc).strip())
        return 0
    return int(rows)
