"""`/capacity`: what moved most, when instances are full, volumes, sizes by tag."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from capacity import growth_serializers as shapes
from capacity.by_tag import by_tag
from capacity.filters import MoverFilter, OutlookFilter, VolumeFilter
from capacity.models import DatabaseGrowth, InstanceOutlook, InstanceVolume
from capacity.viewsets import PRESENT, Exports
from whalefall.api import Answer
from whalefall.exports import FORMAT, TABLE_SCHEMA, AnyAccept, table_response
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

YEAR = timedelta(days=365)
TAG_COLUMNS = ("tag", "period_start", "instances", "total_bytes", "change_bytes")


class MoverViewSet(Exports):
    """Databases by their growth over 30 days, or another `window`; what grew most first."""

    queryset = (
        DatabaseGrowth.objects.filter(**PRESENT)
        .select_related("instance", "database")
        .order_by("-change_bytes", "-pk")
    )
    serializer_class = shapes.MoverSerializer
    filterset_class = MoverFilter
    sort_fields = {
        "change_bytes": "change_bytes",
        "change_percent": "change_percent",
        "size": "to_bytes",
    }
    exported = {
        "instance": "instance__name",
        "database": "database__database_name",
        **{
            name: name
            for name in (
                "window_days",
                "from_day",
                "to_day",
                "from_bytes",
                "to_bytes",
                "change_bytes",
                "change_percent",
            )
        },
    }
    export_name = "movers"


class OutlookViewSet(Exports):
    """When every instance is full: the soonest first, those without a day last."""

    queryset = (
        InstanceOutlook.objects.filter(**PRESENT)
        .select_related("instance")
        .annotate(headroom_bytes=F("limit_bytes") - F("last_bytes"))
        .order_by("days_to_full", "pk")
    )
    serializer_class = shapes.OutlookSerializer
    filterset_class = OutlookFilter
    sort_fields = {
        "days_to_full": "days_to_full",
        "growth_per_day": "growth_per_day",
        "headroom_bytes": "headroom_bytes",
        "last_bytes": "last_bytes",
        "instance": "instance__name",
    }
    exported = {"instance": "instance__name"} | {name: name for name in shapes.OUTLOOK}
    export_name = "days-to-full"


class VolumeViewSet(Exports):
    """Volumes of servers that tell them, the least free space first."""

    queryset = (
        InstanceVolume.objects.filter(**PRESENT)
        .select_related("instance")
        .order_by("free_bytes", "pk")
    )
    serializer_class = shapes.VolumeSerializer
    filterset_class = VolumeFilter
    sort_fields = {
        "free_bytes": "free_bytes",
        "total_bytes": "total_bytes",
        "instance": "instance__name",
    }
    exported = {"instance": "instance__name"} | {
        name: name for name in ("volume_name", "total_bytes", "free_bytes", "measured_at")
    }
    export_name = "volumes"


class TagSizeViewSet(ViewSet):
    """Sizes by tag and period."""

    queryset = Instance.objects.none()
    serializer_class = shapes.TagSizeSerializer
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        parameters=[shapes.TagQuerySerializer], responses=shapes.TagSizeSerializer(many=True)
    )
    def list(self, request: Request) -> Answer:
        """By tag, the oldest period first. Months of the last year unless asked otherwise."""
        return Answer(shapes.TagSizeSerializer(self._rows(request), many=True).data)

    @extend_schema(
        parameters=[shapes.TagQuerySerializer, FORMAT],
        responses=TABLE_SCHEMA,
        operation_id="tag_exports",
    )
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def exports(self, request: Request) -> StreamingHttpResponse:
        """The same as CSV or XLSX."""
        rows = ([row[name] for name in TAG_COLUMNS] for row in self._rows(request))
        return table_response(request, "sizes-by-tag", TAG_COLUMNS, rows)

    def _rows(self, request: Request) -> Sequence[dict[str, Any]]:
        given = {k: v for k, v in request.query_params.items() if k != "format"}
        query = shapes.TagQuerySerializer(data=given)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        last = given.get("end_date") or timezone.localdate()
        found = by_tag(given["period_type"], given.get("start_date") or last - YEAR, last)
        return [
            row | {"period_start": row["start"], "change_bytes": row["change"]} for row in found
        ]
