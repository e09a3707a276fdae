"""Two months of made-up daily counts, so that the start page has a yesterday and a last week.

They lead up to what was really counted today; days that were counted stay.
"""

from __future__ import annotations

import math
from datetime import timedelta

from classification import daily, risks
from classification.models import DailyCount

DAYS = 60


def make() -> int:
    """How many days were made up."""
    daily.count_today()
    today = risks.today()
    known = set(DailyCount.objects.values_list("day", flat=True).distinct())
    days = [back for back in range(1, DAYS + 1) if today - timedelta(days=back) not in known]
    latest = list(DailyCount.objects.filter(day=today))
    DailyCount.objects.bulk_create(
        DailyCount(
            day=today - timedelta(days=back),
            accounts=(number := earlier(row.accounts, back, row.pk)),
            accepted=min(row.accepted, number),
            **{name: getattr(row, name) for name in ("kind", "key", "name")},
        )
        for back in days
        for row in latest
    )
    return len(days)


def earlier(number: int, back: int, seed: int) -> int:
    """Fewer the longer ago, with a wave of its own: a fleet grows, and is tidied now and then."""
    wave = math.sin((back + seed % 9) / 4) * number / 14
    return max(0, round(number * (1 - back / 260) + wave - (back > 1 and number > 20)))
