"""`/capacity` and `/databases`. What reads a server is added by `sync`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from capacity import filters, history
from capacity import serializers as shapes
from capacity.aggregation import aggregate
from capacity.forecast import TooLittle
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
)
from capacity.paging import KeysFirst
from whalefall.api import Answer, ApiError
from whalefall.exports import FORMAT, TABLE_SCHEMA, AnyAccept, table_response
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

SUM_SORTS = {
    name: name for name in ("period_start", "avg_bytes", "max_bytes", "last_bytes", "change_bytes")
}
TABLE_COLUMNS = (
    "schema_name",
    "table_name",
    "data_bytes",
    "index_bytes",
    "total_bytes",
    "row_estimate",
    "collected_at",
)
PRESENT = {"instance__deleted_at": None}


class Exports(mixins.ListModelMixin, ViewSet):
    """A list that can be had as CSV: `exported` is heading -> path of the attribute."""

    exported: dict[str, str] = {}
    export_name = ""

    @extend_schema(parameters=[FORMAT], responses=TABLE_SCHEMA, filters=True)
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def exports(self, request: Request) -> StreamingHttpResponse:
        """The list as CSV or XLSX, filtered and sorted alike, row by row."""
        found = self.filter_queryset(self.get_queryset())
        return table_response(request, self.export_name, tuple(self.exported), self._rows(found))

    def _rows(self, found: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
        return found.values_list(*self.exported.values()).iterator(chunk_size=1000)


class AggregationViewSet(Exports):
    """Sums by period, the newest first; days unless `period_type` says otherwise."""

    @extend_schema(responses=shapes.SizeSummarySerializer, filters=True)
    @action(detail=False, pagination_class=None)
    def summary(self, request: Request) -> Answer:
        """Of every instance its newest period, in one sum. Without `start_date`, of the current
        period or the one before it.
        """
        found = self.filter_queryset(self.get_queryset()).order_by()
        period, first, last = filters.asked_periods(request.query_params)
        found = found.filter(period_start__range=(first, last))
        return Answer({"period_type": period, **_summary(found, period, first, last)})


# The newest period is looked up for each instance in the index: no sorting of all the rows. What
# is gone from an instance does not count beside what is there.
SUMMARY = """
WITH newest AS MATERIALIZED (
    SELECT instance.id AS instance_id, (
        SELECT max(period_start) FROM {table} sums
        WHERE sums.instance_id = instance.id AND sums.period_type = %s
            AND sums.period_start BETWEEN %s AND %s
    ) AS period_start
    FROM instances instance
)
SELECT count(*) AS total, count(*) - count(last_bytes) AS not_measured,
    max(period_start) AS newest_period_start, sum(last_bytes)::bigint AS total_bytes,
    round(avg(last_bytes))::bigint AS average_bytes, max(last_bytes) AS largest_bytes,
    sum(change_bytes)::bigint AS change_bytes
FROM ({rows}) AS found JOIN newest USING (instance_id, period_start)
"""


def _summary(found: QuerySet[Any], period: str, first: date, last: date) -> dict[str, Any]:
    """Of those of the sums that are of the newest period of their instance."""
    rows = found.values("instance_id", "period_start", "last_bytes", "change_bytes")
    sql, params = rows.query.sql_with_params()
    statement = SUMMARY.format(rows=sql, table=found.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, [period, first, last, *params])
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


class InstanceAggregationViewSet(AggregationViewSet):
    """Sizes of instances by period."""

    queryset = (
        InstanceSizeAggregation.objects.filter(**PRESENT)
        .select_related("instance")
        .order_by("-period_start", "-pk")
    )
    serializer_class = shapes.InstanceAggregationSerializer
    filterset_class = filters.InstanceAggregationFilter
    sort_fields = SUM_SORTS | {"instance": "instance__name"}
    exported = {"instance": "instance__name"} | {name: name for name in shapes.SUMS}
    export_name = "instance-sizes"


class DatabaseAggregationViewSet(AggregationViewSet):
    """Sizes of databases by period."""

    queryset = (
        DatabaseSizeAggregation.objects.filter(**PRESENT)
        .select_related("instance", "database")
        .order_by("-period_start", "-pk")
    )
    serializer_class = shapes.DatabaseAggregationSerializer
    pagination_class = KeysFirst
    filterset_class = filters.DatabaseAggregationFilter
    sort_fields = SUM_SORTS | {"database_name": "database__database_name"}
    exported = {
        "instance": "instance__name",
        "database": "database__database_name",
        **{name: name for name in shapes.SUMS},
    }
    export_name = "database-sizes"


class CapacityViewSet(ViewSet):
    """Summing up now, and looking ahead."""

    queryset = Instance.objects.present()
    serializer_class = shapes.ForecastSerializer
    pagination_class = None
    filter_backends = ()
    write_right = "operate"

    @extend_schema(responses=shapes.AggregatedSerializer(many=True))
    @action(
        detail=False,
        methods=["post"],
        url_path="aggregations/current",
        serializer_class=shapes.AggregateSerializer,
    )
    def aggregate_current(self, request: Request) -> Answer:
        """Sum up the periods that hold today. Doing it again writes nothing."""
        given = self.validated()
        if "instance_id" in given:
            self._instance(given["instance_id"])
        periods = [given["period_type"]] if "period_type" in given else None
        done = aggregate(
            periods, given["scope"], instance_id=given.get("instance_id"), which="current"
        )
        written = sum(each.written for each in done)
        message = _("Summed up: %(written)d rows are new or changed.") % {"written": written}
        return Answer(shapes.AggregatedSerializer(done, many=True).data, message)

    @extend_schema(parameters=[shapes.ForecastQuerySerializer], responses=shapes.ForecastSerializer)
    @action(detail=False)
    def forecast(self, request: Request) -> Answer:
        """Growth per day, days until the limit, and how good such forecasts were. 409 with the
        reason where there is too little history.
        """
        query = shapes.ForecastQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        given = query.validated_data
        try:
            if "instance_id" in given:
                instance = self._instance(given["instance_id"])
                found = history.forecast_instance(instance, given["days"])
            else:
                database = self._database(given["database_id"])
                found = history.forecast_database(database, given["days"])
        except TooLittle as exc:
            raise ApiError("SYNC_DATA_ERROR", str(exc), 409) from exc
        return Answer(shapes.ForecastSerializer(found).data)

    def _instance(self, pk: int) -> Instance:
        instance = self.get_queryset().filter(pk=pk).first()
        if instance is None:
            raise ValidationError({"instance_id": _("No such instance: %(id)s.") % {"id": pk}})
        return instance

    def _database(self, pk: int) -> InstanceDatabase:
        database = InstanceDatabase.objects.filter(**PRESENT, pk=pk).first()
        if database is None:
            raise ValidationError({"database_id": _("No such database: %(id)s.") % {"id": pk}})
        return database


class DatabaseLedgerViewSet(Exports):
    """Every database on every instance that is not in the recycle bin."""

    queryset = (
        InstanceDatabase.objects.filter(**PRESENT)
        .select_related("instance")
        .order_by("instance__name", "database_name", "pk")
    )
    serializer_class = shapes.DatabaseSerializer
    filterset_class = filters.DatabaseFilter
    sort_fields = {
        "database_name": "database_name",
        "instance": "instance__name",
        "size_bytes": "size_bytes",
        "measured_at": "measured_at",
        "first_seen_at": "first_seen_at",
        "last_seen_at": "last_seen_at",
    }
    exported = {
        "instance": "instance__name",
        "db_type": "instance__db_type",
        "database": "database_name",
        "is_active": "is_active",
        "size_bytes": "size_bytes",
        "measured_at": "measured_at",
        "reason": "reason",
        "first_seen_at": "first_seen_at",
        "last_seen_at": "last_seen_at",
        "deleted_at": "deleted_at",
        "index_bytes": "index_bytes",
        "free_bytes": "free_bytes",
        "limit_bytes": "limit_bytes",
    }
    export_name = "databases"


class DatabaseOptionViewSet(mixins.ListModelMixin, ViewSet):
    """Names and ids for a form; the filters of the ledger."""

    queryset = DatabaseLedgerViewSet.queryset
    serializer_class = shapes.DatabaseOptionSerializer
    filterset_class = filters.DatabaseFilter


class DatabaseSizeViewSet(Exports):
    """Sizes by day: the newest day of all, or the days of an instance or a database."""

    queryset = (
        DatabaseSizeStat.objects.filter(**PRESENT)
        .select_related("instance", "database")
        .order_by("-collected_date", "-pk")
    )
    serializer_class = shapes.SizeSerializer
    pagination_class = KeysFirst
    filterset_class = filters.SizeFilter
    sort_fields = {
        "collected_date": "collected_date",
        "size_bytes": "size_bytes",
        "database_name": "database__database_name",
    }
    exported = {
        "instance": "instance__name",
        "database": "database__database_name",
        **{name: name for name in shapes.DAY},
    }
    export_name = "sizes-by-day"


class DatabaseTableViewSet(ViewSet):
    """The tables of one database, the largest first."""

    queryset = InstanceDatabase.objects.filter(**PRESENT).select_related("instance")
    serializer_class = shapes.TableSizeSerializer
    filter_backends = ()

    @extend_schema(responses=shapes.TableSizeSerializer(many=True))
    @action(detail=True, url_path="tables/sizes")
    def tables(self, request: Request, pk: str) -> Response:
        """As they were last read; `meta` says when, and why not since."""
        database = self.get_object()
        answer = self.get_paginated_response(
            self.get_serializer(
                self.paginate_queryset(database.table_sizes.largest()), many=True
            ).data
        )
        known = {"measured_at": database.tables_measured_at, "reason": database.tables_reason}
        answer.meta = {**(getattr(answer, "meta", None) or {}), **known}  # type: ignore[attr-defined]
        return answer

    @extend_schema(parameters=[FORMAT], responses=TABLE_SCHEMA)
    @action(
        detail=True,
        url_path="tables/sizes/exports",
        pagination_class=None,
        content_negotiation_class=AnyAccept,
    )
    def tables_exports(self, request: Request, pk: str) -> StreamingHttpResponse:
        """All of them as CSV or XLSX."""
        tables = self.get_object().table_sizes.largest()
        rows = tables.values_list(*TABLE_COLUMNS).iterator(chunk_size=1000)
        return table_response(request, "tables", TABLE_COLUMNS, rows)
