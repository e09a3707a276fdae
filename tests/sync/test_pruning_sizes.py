"""Old days of sizes go when told so; sums of longer periods stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity.aggregation import aggregate
from capacity.collection import apply
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    InstanceSizeAggregation,
    InstanceSizeStat,
)
from sync import pruning
from tests.capacity.cast import COMPLETE, observed
from tests.sync import cast

pytestmark = pytest.mark.django_db


def measured(*ages):
    on = cast.instance()
    for age in ages:
        applied = apply(on, observed(sales=age), COMPLETE, now=timezone.now() - timedelta(days=age))
        aggregate(["daily", "monthly"], day=applied.day, which="current")


def kept():
    return sorted(row.size_bytes for row in DatabaseSizeStat.objects.all())


def test_old_days_go_and_the_sums_of_longer_periods_stay(settings):
    settings.KEEP_SIZES, settings.KEEP_DAY_SUMS = 300, 0
    measured(0, 299, 400)
    assert pruning.prune()["sizes"] == 4
    assert kept() == sorted(row.size_bytes for row in InstanceSizeStat.objects.all()) == [0, 299]
    sums = DatabaseSizeAggregation.objects
    assert sums.filter(period_type="daily").count() == 2
    assert sums.filter(period_type="monthly").count() == 3


def test_sums_of_the_days_of_databases_go_before_their_sizes(settings):
    settings.KEEP_SIZES, settings.KEEP_DAY_SUMS = 0, 100
    measured(0, 99, 250)
    pruning.prune()
    assert kept() == [0, 99, 250]
    assert DatabaseSizeAggregation.objects.filter(period_type="daily").count() == 2
    assert InstanceSizeAggregation.objects.filter(period_type="daily").count() == 3
    settings.KEEP_DAY_SUMS = 0
    assert pruning.prune()["sizes"] == 0


@pytest.mark.parametrize(("days", "expected"), [(0, [0, 150, 250]), (10, [0, 150])])
def test_nothing_goes_unless_told_and_never_what_the_last_quarter_needs(settings, days, expected):
    settings.KEEP_SIZES = days
    measured(0, 150, 250)
    pruning.prune()
    assert kept() == expected
