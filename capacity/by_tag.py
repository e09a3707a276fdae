"""Sizes by tag: the sums of instances by period, added up over those with the same tag."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count, F, Sum

from capacity.models import InstanceSizeAggregation


def by_tag(period_type: str, first: date, last: date) -> list[dict[str, Any]]:
    """Rows of `tag` (None: no tag), `start`, `instances`, `total_bytes`, `change`, of the
    periods that begin from `first` to `last`; by tag, the oldest first. Instances in the recycle
    bin are left out.
    """
    sums = InstanceSizeAggregation.objects.filter(
        instance__deleted_at=None,
        period_type=period_type,
        period_start__range=(first, last),
        last_bytes__isnull=False,
    )
    rows = (
        sums.values(tag=F("instance__tags__name"), start=F("period_start"))
        .annotate(
            instances=Count("instance"),
            total_bytes=Sum("last_bytes"),
            change=Sum("change_bytes"),
        )
        .order_by(F("tag").asc(nulls_last=True), "start")
    )
    return [dict(row) for row in rows]
