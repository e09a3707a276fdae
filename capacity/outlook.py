"""When each instance is full, kept as a row per instance: a list of a fleet needs no forecasts.

Made when an instance was measured, when its limit changes, and for all of them every night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils import timezone

from capacity import history
from capacity.forecast import Day, Forecast, TooLittle, forecast
from capacity.models import InstanceOutlook
from whalefall.instances.models import Instance

DAYS = 180
BATCH = 200
# What PostgreSQL holds in an integer; further away is as good as never.
FAR = 2**31 - 1
NUMBERS = [
    field.name
    for field in InstanceOutlook._meta.fields
    if field.name not in ("id", "instance", "calculated_at")
]


def calculate(instance_ids: Sequence[int] | None = None) -> int:
    """Of these instances, or of all that are not in the recycle bin; how many that were."""
    wanted = Instance.objects.present().order_by("pk")
    if instance_ids is not None:
        wanted = wanted.filter(pk__in=instance_ids)
    done = 0
    for some in _batches(list(wanted)):
        days = _days(some)
        free = history.free_on_volumes([instance.pk for instance in some])
        rows = [_outlook(each, days.get(each.pk, []), free.get(each.pk)) for each in some]
        InstanceOutlook.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["instance"],
            update_fields=[*NUMBERS, "calculated_at"],
        )
        done += len(rows)
    return done


def _batches(instances: list[Instance]) -> Iterator[list[Instance]]:
    for start in range(0, len(instances), BATCH):
        yield instances[start : start + BATCH]


def _days(instances: Sequence[Instance]) -> dict[int, list[Day]]:
    found: dict[int, list[history.Total]] = {}
    rows = history.totals(DAYS).filter(instance__in=[each.pk for each in instances])
    for pk, *total in rows.values_list("instance_id", *history.TOTAL):
        found.setdefault(pk, []).append(tuple(total))  # type: ignore[arg-type]
    return {pk: history.comparable(rows) for pk, rows in found.items()}


def _outlook(instance: Instance, days: list[Day], free: int | None) -> InstanceOutlook:
    limit, source = history.limit_of(instance, days, free)
    row = InstanceOutlook(
        instance=instance,
        calculated_at=timezone.now(),
        days_measured=len(days),
        limit_bytes=limit,
        limit_source=source,
    )
    if days:
        row.last_day, row.last_bytes = days[-1]
    try:
        _fill(row, forecast(days, limit))
    except TooLittle as exc:
        row.reason = str(exc)
    return row


def _fill(row: InstanceOutlook, found: Forecast) -> None:
    growth, full, accuracy = found.growth, found.full, found.accuracy
    row.growth_per_day, row.growth_low, row.growth_high = growth.per_day, growth.low, growth.high
    row.days_to_full, row.earliest_days, row.latest_days = (
        days if days is None or days <= FAR else None
        for days in (full.days, full.earliest_days, full.latest_days)
    )
    row.full_on, row.reason = full.on, full.reason
    row.error_percent = accuracy.error_percent
    row.unchanged_error_percent = accuracy.unchanged_error_percent
    row.horizon_days = accuracy.horizon_days
