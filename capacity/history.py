"""The measured days that a forecast is made from, and the limits that it runs into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.forecast import Day, Forecast, Full, forecast
from capacity.models import DatabaseSizeStat, InstanceDatabase, InstanceSizeStat, LimitSource
from whalefall.instances.models import Instance

TOTAL = ("collected_date", "size_bytes", "measured_count", "database_count")
Total = tuple[date, int, int, int]


def forecast_instance(instance: Instance, days: int) -> Forecast:
    """From its last `days` days, until its limit. Raises TooLittle."""
    found = instance_days(instance, days)
    free = free_on_volumes([instance.pk]).get(instance.pk)
    return forecast(found, limit_of(instance, found, free)[0])


def forecast_database(database: InstanceDatabase, days: int) -> Forecast:
    """The growth of one database, or of what is used in its files where these have a limit: then
    also when that is reached. Raises TooLittle.
    """
    if database.limit_bytes is not None:
        return forecast(used_days(database, days), database.limit_bytes)
    found = forecast(database_days(database, days))
    return replace(found, full=Full(None, reason=_("A database has no limit of its own.")))


def limit_of(instance: Instance, days: Sequence[Day], free: int | None) -> tuple[int | None, str]:
    """The limit that is set on it, else the newest size and what its volumes had free; and which of
    both it is. (None, "") where neither is known.
    """
    if instance.capacity_limit_bytes is not None:
        return instance.capacity_limit_bytes, LimitSource.SET
    if free is None or not days:
        return None, ""
    return days[-1][1] + free, LimitSource.VOLUME


def free_on_volumes(instance_ids: Sequence[int]) -> dict[int, int]:
    """Free bytes by instance, of those all of whose volumes told."""
    volumes = Instance.objects.filter(pk__in=instance_ids, volumes__isnull=False).annotate(
        free=Sum("volumes__free_bytes"),
        untold=Count("volumes", filter=Q(volumes__free_bytes=None)),
    )
    return {row.pk: int(row.free) for row in volumes if not row.untold}


def database_days(database: InstanceDatabase, days: int) -> list[Day]:
    """The days of the last `days` on which it was measured, the oldest first."""
    stats = DatabaseSizeStat.objects.filter(database=database, size_bytes__isnull=False)
    return list(_since(stats, days).values_list("collected_date", "size_bytes"))


def used_days(database: InstanceDatabase, days: int) -> list[Day]:
    """The same of what its data files really hold: they may be as large as they may grow and be
    nearly empty.
    """
    stats = DatabaseSizeStat.objects.filter(database=database, data_bytes__isnull=False)
    rows = _since(stats, days).values_list("collected_date", "data_bytes", "free_bytes")
    return [(day, data - (free or 0)) for day, data, free in rows]


def instance_days(instance: Instance, days: int) -> list[Day]:
    """The days of an instance that can be compared with each other, the oldest first."""
    return comparable(list(totals(days).filter(instance=instance).values_list(*TOTAL)))


def totals(days: int) -> QuerySet[InstanceSizeStat]:
    """What was measured of instances in the last `days` days, the oldest first."""
    return _since(InstanceSizeStat.objects.filter(size_bytes__isnull=False), days)


def comparable(rows: Sequence[Total]) -> list[Day]:
    """Days on which as large a part of its databases was measured as on the best day: a total
    that lacks some of them would look like a loss.
    """
    best = max((measured / count for _day, _size, measured, count in rows if count), default=0)
    return [(day, size) for day, size, measured, count in rows if measured >= best * count]


def _since(stats: QuerySet[Any], days: int) -> QuerySet[Any]:
    # To today: a machine whose clock ran ahead for a while left days that have not been yet.
    today = timezone.localdate()
    since = today - timedelta(days=days - 1)
    return stats.filter(collected_date__range=(since, today)).order_by("collected_date")
