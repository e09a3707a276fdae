"""What lists of databases, sizes and sums can be narrowed by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import django_filters
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from capacity.aggregation import bounds
from capacity.models import (
    DatabaseGrowth,
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    InstanceDatabase,
    InstanceOutlook,
    InstanceSizeAggregation,
    InstanceSizeStat,
    InstanceVolume,
    PeriodType,
    Window,
)
from capacity.search import named
from whalefall.filters import ChoiceFilter, ListFilter, NumberListFilter
from whalefall.instances.models import DB_TYPE_CHOICES, Instance

NARROWING = ("database_id", "database_name", "instance_id", "start_date", "end_date")
STATUS_CHOICES = (("active", _("active")), ("gone", _("gone")), ("all", _("all")))


class OnInstances(django_filters.FilterSet):
    """Rows that belong to an instance."""

    instance_id = NumberListFilter(field_name="instance_id", lookup_expr="in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES, field_name="instance__db_type")
    tags = ListFilter(method="tagged")

    def tagged(self, queryset: QuerySet[Any], name: str, tags: list[str]) -> QuerySet[Any]:
        tagged = Instance.objects.filter(tags__name__in=tags)
        return queryset.filter(instance__in=tagged.values("pk"))


class AggregationFilter(OnInstances):
    """Days, unless another `period_type` is asked for: a list of several says nothing. A period
    is in the list when its first day is from `start_date` to `end_date`.
    """

    period_type = ChoiceFilter(choices=PeriodType.choices, method="unchanged")
    start_date = django_filters.DateFilter(field_name="period_start", lookup_expr="gte")
    end_date = django_filters.DateFilter(field_name="period_start", lookup_expr="lte")

    @property
    def period(self) -> str:
        return self.form.cleaned_data["period_type"] or PeriodType.DAILY

    def unchanged(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset).filter(period_type=self.period)


class SearchedByDatabase(django_filters.FilterSet):
    """`search`: a part of a database's name. Where few databases have it, their rows are looked up
    by the databases.
    """

    search = django_filters.CharFilter(method="searched")

    def searched(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(named(InstanceDatabase.objects.all(), text, "database__"))


class InstanceAggregationFilter(AggregationFilter):
    search = django_filters.CharFilter(field_name="instance__name", lookup_expr="icontains")

    class Meta:
        model = InstanceSizeAggregation
        fields: tuple[str, ...] = ()


class DatabaseAggregationFilter(SearchedByDatabase, AggregationFilter):
    """As above; only the current period and the one before it, unless days, an instance or a
    database are asked for: of everything there are a hundred million days.
    """

    database_id = NumberListFilter(field_name="database_id", lookup_expr="in")
    database_name = django_filters.CharFilter(field_name="database__database_name")

    class Meta:
        model = DatabaseSizeAggregation
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        if any(self.form.cleaned_data[name] for name in NARROWING):
            return found
        return found.filter(period_start__range=(since_last(self.period), timezone.localdate()))


class DatabaseFilter(OnInstances):
    """Databases that are gone are left out unless asked for with `status`."""

    search = django_filters.CharFilter(method="searched")
    database_name = django_filters.CharFilter()
    status = ChoiceFilter(choices=STATUS_CHOICES, method="unchanged")

    class Meta:
        model = InstanceDatabase
        fields: tuple[str, ...] = ()

    def searched(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(named(InstanceDatabase.objects.all(), text))

    def unchanged(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        status = self.form.cleaned_data["status"] or "active"
        return found if status == "all" else found.filter(is_active=status == "active")


class SizeFilter(OnInstances):
    """Only the newest day, unless days, an instance or a database are asked for."""

    database_id = NumberListFilter(field_name="database_id", lookup_expr="in")
    database_name = django_filters.CharFilter(field_name="database__database_name")
    start_date = django_filters.DateFilter(field_name="collected_date", lookup_expr="gte")
    end_date = django_filters.DateFilter(field_name="collected_date", lookup_expr="lte")

    class Meta:
        model = DatabaseSizeStat
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        if any(self.form.cleaned_data[name] for name in NARROWING):
            return found
        return found.filter(collected_date=_newest_day())


class MoverFilter(SearchedByDatabase, OnInstances):
    """Growth over 30 days, unless another `window` is asked for."""

    window = ChoiceFilter(
        choices=[(str(days), label) for days, label in Window.choices], method="unchanged"
    )
    database_name = django_filters.CharFilter(field_name="database__database_name")

    class Meta:
        model = DatabaseGrowth
        fields: tuple[str, ...] = ()

    def unchanged(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.form.cleaned_data["window"] or Window.MONTH
        return super().filter_queryset(queryset).filter(window_days=days)


class OutlookFilter(OnInstances):
    """`within`: full in so many days or less."""

    search = django_filters.CharFilter(field_name="instance__name", lookup_expr="icontains")
    within = django_filters.NumberFilter(field_name="days_to_full", lookup_expr="lte", min_value=0)

    class Meta:
        model = InstanceOutlook
        fields: tuple[str, ...] = ()


class VolumeFilter(OnInstances):
    search = django_filters.CharFilter(field_name="volume_name", lookup_expr="icontains")

    class Meta:
        model = InstanceVolume
        fields: tuple[str, ...] = ()


def asked_periods(query: Mapping[str, str]) -> tuple[str, date, date]:
    """The kind of periods that a valid query asks for, and between what days they begin: from the
    one before the current, where it does not say.
    """
    form = AggregationFilter(query, queryset=InstanceSizeAggregation.objects.none()).form
    form.is_valid()
    asked = form.cleaned_data
    period = asked["period_type"] or PeriodType.DAILY
    first = asked["start_date"] or since_last(period)
    return period, first, asked["end_date"] or timezone.localdate()


def since_last(period: str) -> date:
    """The first day of the period before the current one."""
    start, _end = bounds(period, timezone.localdate())
    return bounds(period, start - timedelta(days=1))[0]


def _newest_day() -> date | None:
    # Of the instances: their table is hundreds of times smaller. Up to today, whatever days a clock
    # that ran ahead has left.
    known = InstanceSizeStat.objects.filter(collected_date__lte=timezone.localdate())
    newest: date | None = known.aggregate(day=Max("collected_date"))["day"]
    return newest
