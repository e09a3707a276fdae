"""A made-up year of capacity, so that charts, movers and days to full have something to show.

The instances are named `generated-...`, carry the tag `generated`, say so in their description and
are not watched: no server of that name exists. Days are added up to today on every run; what is
there stays.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from capacity import collection, growth, outlook, partitions
from capacity.aggregation import aggregate
from capacity.models import DatabaseSizeStat, InstanceDatabase, InstanceSizeStat
from tags.models import Tag
from whalefall.engines.observed import ObservedTable, ObservedVolume
from whalefall.instances.models import Instance

TAG = "generated"
DESCRIPTION = "Made up by the demo: there is no such server."
DAYS = 400
GIB = 2**30
TABLE_NAMES = ("entries", "entry_lines", "people", "addresses", "prices", "notes", "settings")
REFUSED = "the collector may not measure it (made up)"

Shape = Callable[[int], float]
"""Day (0 is the first) -> size in GiB."""


def steady(start: float, per_day: float) -> Shape:
    return lambda day: start + per_day * day


def doubling(start: float, days: float) -> Shape:
    return lambda day: start * 2 ** (day / days)


def purged(low: float, per_day: float, every: int) -> Shape:
    """Grows, and is emptied again every so many days."""
    return lambda day: low + per_day * (day % every) + low * day / 4000


def seasonal(start: float, per_day: float, extra: float) -> Shape:
    """With a season once a year, towards the end of what is shown."""
    return lambda day: start + per_day * day + extra * math.exp(-(((day - DAYS + 60) / 35) ** 2))


def migrated(start: float, per_day: float, at: int, more: float) -> Shape:
    """Much came in on one day."""
    return lambda day: start + per_day * day + (more if day >= at else 0)


def born(at: int, shape: Shape) -> Shape:
    """Not there before that day."""
    return lambda day: shape(day - at) if day >= at else -1


@dataclass(frozen=True)
class Made:
    """An instance: `limit` in GiB, or `volume` (total in GiB) where the limit is measured; `away`
    are days without a reading, `refused` days on which the first database was not measured.
    """

    name: str
    db_type: str
    teams: tuple[str, ...]
    databases: dict[str, Shape]
    limit: float | None = None
    volume: float | None = None
    away: range = range(0)
    refused: range = range(0)


FLEET = (
    Made(
        "generated-shop",
        "mysql",
        ("team-shop", "prod"),
        {
            "orders": seasonal(220, 0.55, 90),
            "catalog": steady(64, 0.02),
            "sessions": purged(18, 0.9, 30),
            "reviews": steady(22, 0.06),
        },
        limit=820,
    ),
    Made(
        "generated-shop-replica",
        "mysql",
        ("team-shop", "prod"),
        {
            "orders": seasonal(220, 0.55, 90),
            "catalog": steady(64, 0.02),
            "sessions": purged(18, 0.9, 30),
            "reviews": steady(22, 0.06),
        },
        limit=1600,
        away=range(240, 243),
    ),
    Made(
        "generated-billing",
        "postgresql",
        ("team-finance", "prod"),
        {
            "invoices": steady(310, 0.48),
            "ledger": steady(180, 0.21),
            "audit": migrated(40, 0.15, 270, 120),
            "archive": steady(260, -0.12),
        },
        limit=1500,
        refused=range(151, 153),
    ),
    Made(
        "generated-warehouse",
        "postgresql",
        ("team-data", "prod"),
        {
            "events": doubling(420, 330),
            "marts": steady(380, 0.9),
            "scratch": purged(60, 4.5, 21),
        },
        limit=1990,
    ),
    Made(
        "generated-crm",
        "sqlserver",
        ("team-sales", "prod"),
        {"CRM": steady(140, 0.33), "Mail": steady(95, 0.52), "Reporting": steady(70, 0.01)},
        volume=800,
    ),
    Made(
        "generated-erp",
        "oracle",
        ("team-finance", "prod"),
        {"DATA": steady(510, 0.18), "INDX": steady(230, 0.09), "UNDO": purged(24, 1.1, 9)},
        limit=2048,
    ),
    Made(
        "generated-logs",
        "mysql",
        ("team-data",),
        {"access": purged(90, 2.6, 45), "errors": steady(12, 0.11)},
        volume=420,
    ),
    Made(
        "generated-staging",
        "postgresql",
        ("team-shop", "staging"),
        {"orders": migrated(60, 0.02, 200, -35), "feature_x": born(352, steady(1, 0.6))},
    ),
    Made("generated-new", "mysql", ("team-sales",), {"pilot": born(DAYS - 6, steady(2, 0.2))}),
)


def make() -> str:
    """Add the days that are missing up to today; a line that says what there is."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    partitions.ensure(*(first + timedelta(days=n) for n in range(0, DAYS + 20, 20)))
    with transaction.atomic():
        rows = sum(_instance(made, first, today) for made in FLEET)
    if rows:
        _sum_up(first, today)
    growth.calculate()
    outlook.calculate()
    return f"{len(FLEET)} instances generated-*, {DAYS} days, {rows} days of databases made"


def _instance(made: Made, first: date, today: date) -> int:
    found, _ = Instance.objects.get_or_create(
        name=made.name,
        defaults={
            "db_type": made.db_type,
            "host": f"{made.name}.invalid",
            "port": 1024,
            "description": DESCRIPTION,
            "environment": TAG,
            "is_active": False,
            "capacity_limit_bytes": int(made.limit * GIB) if made.limit else None,
        },
    )
    for name in (TAG, *made.teams):
        tag, _ = Tag.objects.get_or_create(
            name=name, defaults={"display_name": name.replace("-", " ").capitalize()}
        )
        tag.instances.add(found)
    newest = InstanceSizeStat.objects.filter(instance=found).aggregate(day=Max("collected_date"))
    since = newest["day"] + timedelta(days=1) if newest["day"] else first
    count = _days(found, made, first, since, today)
    _totals(found, since)
    _volume(found, made)
    _tables(found)
    return count


def _days(on: Instance, made: Made, first: date, since: date, today: date) -> int:
    # Always from the first day on: so the noise of a day is the same on every run.
    numbers = range((today - first).days + 1)
    count = 0
    for position, (name, shape) in enumerate(made.databases.items()):
        noise = _noise(f"{made.name}/{name}", numbers)
        rows = [
            (first + timedelta(days=day), int(shape(day) * next(noise) * GIB))
            for day in numbers
            if shape(day) >= 0
        ]
        kept = [
            (day, None if position == 0 and (day - first).days in made.refused else size)
            for day, size in rows
            if day >= since and (day - first).days not in made.away
        ]
        if kept:
            _store(on, name, kept, rows[0][0])
        count += len(kept)
    return count


def _noise(seed: str, days: range) -> Iterator[float]:
    dice = random.Random(seed)
    level = 1.0
    for _day in days:
        level = 1 + (level - 1) * 0.8 + dice.gauss(0, 0.0012)
        yield level


def _night(day: date) -> datetime:
    return datetime.combine(day, time(3), UTC)


def _store(on: Instance, name: str, days: list[tuple[date, int | None]], born_on: date) -> None:
    last, size = days[-1]
    database, _ = InstanceDatabase.objects.update_or_create(
        instance=on,
        database_name=name,
        defaults={"last_seen_at": _night(last), "size_bytes": size, "measured_at": _night(last)},
        create_defaults={
            "first_seen_at": _night(born_on),
            "last_seen_at": _night(last),
            "size_bytes": size,
            "measured_at": _night(last),
        },
    )
    DatabaseSizeStat.objects.bulk_create(
        DatabaseSizeStat(
            database=database,
            instance=on,
            collected_date=day,
            collected_at=_night(day),
            size_bytes=bytes_,
            data_bytes=bytes_,
            reason=REFUSED if bytes_ is None else "",
        )
        for day, bytes_ in days
    )


TOTALS = """
INSERT INTO instance_size_stats (instance_id, collected_date, collected_at, size_bytes,
    database_count, measured_count, reason)
SELECT instance_id, collected_date, max(collected_at), sum(size_bytes), count(*),
    count(size_bytes), coalesce(max(reason), '')
FROM database_size_stats WHERE instance_id = %s AND collected_date >= %s
GROUP BY instance_id, collected_date ORDER BY collected_date
"""


def _totals(on: Instance, since: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, [on.pk, since])


def _tables(on: Instance) -> None:
    """Each database has tables of its newest size: the largest has 60 % of it."""
    found: dict[str, collection.ReadTables] = {}
    for database in on.databases.all():
        left, tables = database.size_bytes or 0, []
        for name in TABLE_NAMES:
            size = left * 6 // 10
            left -= size
            tables.append(
                ObservedTable(
                    database.database_name, None, name, size * 7 // 10, size * 3 // 10, size // 512
                )
            )
        found[database.database_name] = collection.ReadTables(tuple(tables))
    collection.apply_tables(on, found)


def _volume(on: Instance, made: Made) -> None:
    newest = InstanceSizeStat.objects.filter(instance=on).order_by("-collected_date").first()
    if made.volume is None or newest is None or newest.size_bytes is None:
        return
    total = int(made.volume * GIB)
    free = max(total - newest.size_bytes, 0)
    collection.apply_volumes(on, [ObservedVolume("/var/lib/data", total, free)])


def _sum_up(first: date, today: date) -> None:
    """The last weeks by day, and every week, month and quarter."""
    for back in reversed(range(60)):
        aggregate(["daily"], day=today - timedelta(days=back))
    day = first
    while day <= today:
        aggregate(["weekly"], day=day, which="current")
        if day.day <= 7:
            aggregate(["monthly"], day=day, which="current")
        if day.day <= 7 and day.month % 3 == 1:
            aggregate(["quarterly"], day=day, which="current")
        day += timedelta(days=7)
    aggregate(["monthly", "quarterly"], day=first, which="current")
    aggregate(["weekly", "monthly", "quarterly"], day=today, which="current")
