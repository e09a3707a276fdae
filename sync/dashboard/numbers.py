"""How many accounts there are by engine and by risk, as the list of accounts shows them.

A small fleet is counted when asked. A big one (LIVE_UP_TO) takes seconds to count: a worker does it
each minute in which something changed, and who asks is told when that was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.models import InstanceAccount
from classification import risks
from classification.models import DailyCount
from sync import locks
from sync.models import FleetCount

LIVE_UP_TO = 20_000
OLDEST = timedelta(minutes=10)
"""Older than this no worker counts: who asks counts, and waits for it."""

# Present, on an instance that is not in the recycle bin, not one of the product's own.
COUNT = """
    SELECT a.db_type, a.kind <> 'user', r.level, count(*)
    FROM instance_accounts a
    JOIN instances i ON i.id = a.instance_id AND i.deleted_at IS NULL
    LEFT JOIN account_permission p ON p.account_id = a.id
    LEFT JOIN account_risks r ON r.permission_id = p.id
    WHERE a.is_active AND NOT a.comes_with_product
    GROUP BY 1, 2, 3
"""
# What these tables went through since the store's statistics began: equal means unchanged.
STAMP = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text
    FROM pg_stat_user_tables WHERE relname = ANY(%s)
"""
COUNTED = ["instances", "instance_accounts", "account_permission", "account_risks"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """`levels`: accounts by risk level; 0 are those whose risk is accepted."""

    accounts: int
    roles: int
    superusers: int
    engines: dict[str, int]
    levels: dict[int, int]
    counted_at: datetime

    def at(self, level: str) -> int:
        return self.levels.get(risks.LEVELS.index(level) + 1, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """Accounts at a risk then and now; None where that day was not counted."""

    yesterday: int | None
    last_week: int | None


def numbers() -> Numbers:
    """In three statements for a big fleet, whatever its size."""
    risks.settle()
    if _is_small():
        return count()
    stored = FleetCount.objects.first()
    if stored is None or stored.counted_at < timezone.now() - OLDEST:
        return store() or count()
    return _loaded(stored)


def count() -> Numbers:
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        rows = cursor.fetchall()
    engines: dict[str, int] = {}
    levels: dict[int, int] = {}
    for db_type, _is_role, level, number in rows:
        engines[db_type] = engines.get(db_type, 0) + number
        if level is not None:
            levels[level] = levels.get(level, 0) + number
    return Numbers(
        accounts=sum(row[3] for row in rows),
        roles=sum(row[3] for row in rows if row[1]),
        superusers=_superusers(),
        engines=engines,
        levels=levels,
        counted_at=timezone.now(),
    )


def _superusers() -> int:
    # By the token index: the column would have to be read from every wide row.
    wanted = [tokens.capability("SUPERUSER")]
    present = InstanceAccount.objects.present().shown()
    return present.filter(permission__fact_tokens__contains=wanted).count()


def store() -> Numbers | None:
    """Count a big fleet and keep it; None while somebody else is at it."""
    with locks.held(locks.FLEET, 0) as free:
        if not free:
            return None
        # The stamp first: what changes while we count is counted next time.
        stamp, found = _stamp(), count()
        values = {
            "stamp": stamp,
            "counted_at": found.counted_at,
            "numbers": {
                "accounts": found.accounts,
                "roles": found.roles,
                "superusers": found.superusers,
                "engines": found.engines,
                "levels": found.levels,
            },
        }
        FleetCount.objects.update_or_create(pk=1, defaults=values)
    return found


def keep_fresh() -> bool:
    """For a worker, each minute: count a big fleet that changed. Whether it did."""
    if _is_small():
        return False
    stored = FleetCount.objects.filter(stamp=_stamp())
    now = timezone.now()
    if stored.update(counted_at=now):
        return False
    return store() is not None


def _loaded(stored: FleetCount) -> Numbers:
    kept: dict[str, Any] = stored.numbers
    levels = {int(level): number for level, number in kept["levels"].items()}
    return Numbers(**{**kept, "levels": levels}, counted_at=stored.counted_at)


def _is_small() -> bool:
    some = InstanceAccount.objects.order_by().values("pk")[: LIVE_UP_TO + 1]
    return some.count() <= LIVE_UP_TO


def _stamp() -> str:
    with connection.cursor() as cursor:
        cursor.execute(STAMP, [COUNTED])
        stamp: str = cursor.fetchone()[0]
    return stamp


def earlier() -> dict[str, Change]:
    """By risk level, how many accounts had it yesterday and a week ago (UTC)."""
    today = risks.today()
    days = (today - timedelta(days=1), today - timedelta(days=7))
    rows = DailyCount.objects.filter(kind=DailyCount.Kind.RISK, day__in=days)
    found = {(key, day): number for key, day, number in rows.values_list("key", "day", "accounts")}
    return {
        level: Change(found.get((level, days[0])), found.get((level, days[1])))
        for level in risks.LEVELS
    }
