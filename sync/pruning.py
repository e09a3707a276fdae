"""Deletes history that is older than the settings keep, in steps that hold no lock for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import Failure

from accounts.models import AccountChangeLog, AccountSnapshot
from capacity import partitions
from classification.models import DailyCount
from sync.models import SyncSession
from whalefall.models import AuditEntry, LogEntry, Login, RateCount

STEP = 5_000
# The quarter that ended last is summed up from its days every night: they must all be there.
FEWEST_SIZE_DAYS = 200


def prune() -> dict[str, int]:
    """How many rows were deleted: `sessions`, `logs`, `audit`, `failed_tasks`, `changes`,
    `snapshots`, `sizes`, `counts`. Windows of rate limits and logins that ended go
    as well, uncounted.
    """
    RateCount.objects.filter(ends_at__lt=timezone.now()).delete()
    Login.objects.filter(expire_date__lt=timezone.now()).delete()
    sessions = SyncSession.objects.exclude(status=SyncSession.Status.RUNNING)
    return {
        "sessions": _delete(sessions, "completed_at", settings.KEEP_SESSIONS),
        "logs": _delete(LogEntry.objects.all(), "timestamp", settings.KEEP_LOGS),
        "audit": _delete(AuditEntry.objects.all(), "time", settings.KEEP_AUDIT),
        "failed_tasks": _delete(Failure.objects.all(), "stopped", settings.KEEP_LOGS),
        "changes": _delete(AccountChangeLog.objects.all(), "change_time", settings.KEEP_CHANGES),
        "snapshots": _delete(AccountSnapshot.objects.all(), "until", settings.KEEP_CHANGES),
        "sizes": _delete_sizes(settings.KEEP_SIZES, settings.KEEP_DAY_SUMS),
        "counts": _delete(DailyCount.objects.all(), "day", settings.KEEP_COUNTS),
    }


def _delete_sizes(days: int, sums: int) -> int:
    """Months of sizes by day and of sums of days, those of databases (half of all there is) after
    `sums` days; sums of longer periods are kept for ever.

    A month goes as a whole when its last day is older than is kept: that costs the same for any
    number of rows.
    """
    today, dropped = timezone.localdate(), 0
    if days:
        dropped += partitions.drop_before(today - timedelta(days=max(days, FEWEST_SIZE_DAYS)))
    if sums:
        first = today - timedelta(days=sums)
        dropped += partitions.drop_before(first, [partitions.SUMS_OF_DATABASES])
    return dropped


def _delete(rows: QuerySet[Any], time: str, days: int) -> int:
    """0 days keeps everything."""
    if not days:
        return 0
    old = rows.filter(**{f"{time}__lt": timezone.now() - timedelta(days=days)}).order_by()
    deleted = 0
    while pks := list(old.values_list("pk", flat=True)[:STEP]):
        deleted += len(pks)
        rows.filter(pk__in=pks).delete()
    return deleted
