"""How big the fleet is, how it grows, and what is full soonest. Bytes and days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from capacity.models import InstanceOutlook, InstanceSizeStat

SHOWN = 6
SOON = 90


@dataclass(frozen=True, slots=True)
class Sizes:
    """Over instances that were measured; `soon` are full within SOON days. None: not measured."""

    total_bytes: int | None
    growth_per_day: float | None
    soon: int


def _outlooks() -> QuerySet[InstanceOutlook]:
    return InstanceOutlook.objects.filter(instance__deleted_at=None)


def sizes() -> Sizes:
    found = _outlooks().aggregate(total=Sum("last_bytes"), growth=Sum("growth_per_day"))
    soon = _outlooks().filter(days_to_full__lte=SOON).count()
    return Sizes(found["total"], found["growth"], soon)


def soonest() -> list[InstanceOutlook]:
    """Those that are full first; then those without a limit that grow most."""
    rows = _outlooks().select_related("instance")
    full = list(rows.filter(days_to_full__isnull=False).order_by("days_to_full", "pk")[:SHOWN])
    growing = rows.filter(Q(days_to_full=None), growth_per_day__gt=0).order_by("-growth_per_day")
    return [*full, *growing[: SHOWN - len(full)]]


def by_day(days: int) -> list[tuple[date, int]]:
    """The sum over all instances of each day on which something was measured."""
    first = timezone.localdate() - timedelta(days=days)
    rows = InstanceSizeStat.objects.filter(
        collected_date__gt=first, size_bytes__isnull=False, instance__deleted_at=None
    )
    summed = rows.order_by("collected_date").values("collected_date").annotate(n=Sum("size_bytes"))
    return list(summed.values_list("collected_date", "n"))
