"""Filters of lists that unfold's own do not do well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from unfold.contrib.filters.admin import RangeDateTimeFilter


class TimeRangeFilter(RangeDateTimeFilter):
    """From and to, in the time zone of the reader; a missing time means the whole day.

    unfold's own compares with times that have no zone, and ignores a date without a time.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._moment("from", "00:00:00"), self._moment("to", "23:59:59.999999")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lte": last})
        return queryset

    def _moment(self, end: str, whole_day: str) -> datetime | None:
        """None where nothing, or nothing usable, was given."""
        given: Any = self.used_parameters
        try:
            day = parse_date(given.get(f"{self.field_path}_{end}_0") or "")
            time = parse_time(given.get(f"{self.field_path}_{end}_1") or whole_day)
        except ValueError:
            return None
        if day is None or time is None:
            return None
        return timezone.make_aware(datetime.combine(day, time))
