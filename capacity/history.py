"""The measured days that a forecast is made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.forecast import Day, Forecast, Full, forecast
from capacity.models import DatabaseSizeStat, InstanceDatabase, InstanceSizeStat
from whalefall.instances.models import Instance


def forecast_instance(instance: Instance, days: int) -> Forecast:
    """From its last `days` days, until its limit. Raises TooLittle."""
    return forecast(instance_days(instance, days), instance.capacity_limit_bytes)


def forecast_database(database: InstanceDatabase, days: int) -> Forecast:
    """The growth of one database; the limit is its instance's. Raises TooLittle."""
    found = forecast(database_days(database, days))
    return replace(found, full=Full(None, reason=_("A database has no limit of its own.")))


def database_days(database: InstanceDatabase, days: int) -> list[Day]:
    """The days of the last `days` on which it was measured, the oldest first."""
    stats = DatabaseSizeStat.objects.filter(database=database, size_bytes__isnull=False)
    return list(_since(stats, days).values_list("collected_date", "size_bytes"))


def instance_days(instance: Instance, days: int) -> list[Day]:
    """Days on which as large a part of its databases was measured as on the best day: a total
    that lacks some of them would look like a loss.
    """
    stats = InstanceSizeStat.objects.filter(instance=instance, size_bytes__isnull=False)
    rows = list(
        _since(stats, days).values_list(
            "collected_date", "size_bytes", "measured_count", "database_count"
        )
    )
    best = max((measured / count for _day, _size, measured, count in rows if count), default=0)
    return [(day, size) for day, size, measured, count in rows if measured >= best * count]


def _since(stats: QuerySet[Any], days: int) -> QuerySet[Any]:
    first = timezone.localdate() - timedelta(days=days)
    return stats.filter(collected_date__gt=first).order_by("collected_date")
