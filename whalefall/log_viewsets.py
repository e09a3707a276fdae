"""`/logs`: the structured log, for administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import django_filters
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall.api import Answer
from whalefall.filters import ChoiceFilter
from whalefall.models import LogEntry
from whalefall.viewsets import ReadOnlyViewSet

LEVELS = ("debug", "info", "warning", "error", "critical")
A_YEAR = 24 * 366


class LogSerializer(serializers.ModelSerializer):
    class Meta:
        model = LogEntry
        fields = ("id", "timestamp", "level", "module", "message", "context")


class LogDetailSerializer(LogSerializer):
    class Meta(LogSerializer.Meta):
        fields = (*LogSerializer.Meta.fields, "traceback")  # type: ignore[assignment]


class LogStatisticsSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    newest = serializers.DateTimeField(allow_null=True)
    levels = serializers.DictField(child=serializers.IntegerField())
    modules = serializers.DictField(
        child=serializers.IntegerField(), help_text="The 20 with the most lines."
    )


class LogFilter(django_filters.FilterSet):
    """`hours`: the last so many. `module` by its beginning."""

    level = ChoiceFilter(choices=[(level, level) for level in LEVELS])
    module = django_filters.CharFilter(lookup_expr="startswith")
    search = django_filters.CharFilter(field_name="message", lookup_expr="icontains")
    start_time = django_filters.IsoDateTimeFilter(field_name="timestamp", lookup_expr="gte")
    end_time = django_filters.IsoDateTimeFilter(field_name="timestamp", lookup_expr="lt")
    hours = django_filters.NumberFilter(
        method="last_hours", validators=[MinValueValidator(0), MaxValueValidator(A_YEAR)]
    )
    request_id = django_filters.CharFilter(method="about")
    session_id = django_filters.CharFilter(method="about")

    class Meta:
        model = LogEntry
        fields: tuple[str, ...] = ()

    def last_hours(self, queryset: QuerySet[Any], name: str, hours: Any) -> QuerySet[Any]:
        since: datetime = timezone.now() - timedelta(hours=float(hours))
        return queryset.filter(timestamp__gte=since)

    def about(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.about(name, value)


class LogViewSet(ReadOnlyViewSet):
    """What the system said, newest first. Secrets were masked before they came here."""

    queryset = LogEntry.objects.all()
    serializer_class = LogSerializer
    filterset_class = LogFilter
    sort_fields = {"timestamp": "timestamp", "level": "level", "module": "module"}
    rights = dict.fromkeys(("list", "retrieve", "statistics", "modules", "metadata"), "manage")

    def get_queryset(self) -> QuerySet[LogEntry]:
        found = super().get_queryset()
        return found if self.action == "retrieve" else found.defer("traceback")

    def get_serializer_class(self) -> Any:
        return LogDetailSerializer if self.action == "retrieve" else LogSerializer

    @extend_schema(responses=LogStatisticsSerializer, filters=True)
    @action(detail=False, pagination_class=None)
    def statistics(self, request: Request) -> Answer:
        """Lines per level and module, filtered as the list is."""
        found = self.filter_queryset(self.get_queryset()).order_by()
        by_level = dict(found.values_list("level").annotate(Count("pk")))
        by_module = found.values_list("module").annotate(lines=Count("pk"))
        return Answer(
            {
                "total": sum(by_level.values()),
                "newest": found.aggregate(newest=Max("timestamp"))["newest"],
                "levels": {level: by_level.get(level, 0) for level in LEVELS},
                "modules": dict(by_module.order_by("-lines", "module")[:20]),
            }
        )

    @extend_schema(responses={200: {"type": "array", "items": {"type": "string"}}}, filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def modules(self, request: Request) -> Answer:
        """The modules that have said something."""
        names = LogEntry.objects.order_by("module").values_list("module", flat=True)
        return Answer(list(names.distinct()[:1000]))
