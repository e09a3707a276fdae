"""Databases, their sizes, sums and forecasts as JSON. Sizes are bytes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from capacity.aggregation import SCOPES
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    PeriodType,
)
from whalefall.instances.models import Instance
from whalefall.serializers import ChoiceField, IdField, Serializer

SUMS = (
    "period_type",
    "period_start",
    "period_end",
    "avg_bytes",
    "min_bytes",
    "max_bytes",
    "first_bytes",
    "last_bytes",
    "change_bytes",
    "change_percent",
    "data_points",
    "calculated_at",
)
DAY = (
    "collected_date",
    "collected_at",
    "size_bytes",
    "data_bytes",
    "log_bytes",
    "index_bytes",
    "free_bytes",
    "reason",
)
LONGEST_HISTORY = 730


class MeasuredInstanceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Instance
        fields = ("id", "name", "db_type", "environment")
        read_only_fields = fields


class InstanceAggregationSerializer(serializers.ModelSerializer):
    """`data_points`: the days that were measured; with 0 there are no sizes. `change_bytes` counts
    from the last size known before the period.
    """

    instance = MeasuredInstanceSerializer(read_only=True)

    class Meta:
        model = InstanceSizeAggregation
        fields = ("id", "instance", *SUMS)
        read_only_fields = fields


class DatabaseAggregationSerializer(serializers.ModelSerializer):
    """The same for one database."""

    instance = MeasuredInstanceSerializer(read_only=True)
    database_id = serializers.IntegerField(read_only=True)
    database_name = serializers.CharField(source="database.database_name", read_only=True)

    class Meta:
        model = DatabaseSizeAggregation
        fields = ("id", "database_id", "database_name", "instance", *SUMS)
        read_only_fields = fields


class SizeSummarySerializer(serializers.Serializer):
    """Over the newest period of each that the filters leave; `not_measured` have no size in it."""

    period_type = serializers.ChoiceField(PeriodType.choices)
    total = serializers.IntegerField()
    not_measured = serializers.IntegerField()
    newest_period_start = serializers.DateField(allow_null=True)
    total_bytes = serializers.IntegerField(allow_null=True)
    average_bytes = serializers.IntegerField(allow_null=True)
    largest_bytes = serializers.IntegerField(allow_null=True)
    change_bytes = serializers.IntegerField(allow_null=True)


class DatabaseSerializer(serializers.ModelSerializer):
    """`size_bytes` is what was last measured, at `measured_at`; `reason` says why the last reading
    brought no size, and is empty where it did. `index_bytes` and `free_bytes` are parts of it,
    `limit_bytes` is how far its files may grow: null where the engine does not know.
    """

    instance = MeasuredInstanceSerializer(read_only=True)
    status = serializers.SerializerMethodField()

    class Meta:
        model = InstanceDatabase
        fields = (
            "id",
            "database_name",
            "status",
            "instance",
            "size_bytes",
            "index_bytes",
            "free_bytes",
            "limit_bytes",
            "measured_at",
            "reason",
            "tables_measured_at",
            "tables_reason",
            "first_seen_at",
            "last_seen_at",
            "deleted_at",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "string", "enum": ["active", "gone"]})
    def get_status(self, database: InstanceDatabase) -> str:
        return "active" if database.is_active else "gone"


class DatabaseOptionSerializer(serializers.ModelSerializer):
    instance_name = serializers.CharField(source="instance.name", read_only=True)

    class Meta:
        model = InstanceDatabase
        fields = ("id", "database_name", "instance_id", "instance_name")
        read_only_fields = fields


class SizeSerializer(serializers.ModelSerializer):
    """One database on one day. Without a size, `reason` says why."""

    database_id = serializers.IntegerField(read_only=True)
    database_name = serializers.CharField(source="database.database_name", read_only=True)
    instance = MeasuredInstanceSerializer(read_only=True)

    class Meta:
        model = DatabaseSizeStat
        fields = (
            "id",
            "database_id",
            "database_name",
            "instance",
            *DAY,
        )
        read_only_fields = fields


class TableSizeSerializer(serializers.ModelSerializer):
    """`total_bytes` is data and indexes together."""

    total_bytes = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = DatabaseTableSizeStat
        fields = (
            "id",
            "schema_name",
            "table_name",
            "data_bytes",
            "index_bytes",
            "total_bytes",
            "row_estimate",
            "collected_at",
        )
        read_only_fields = fields


class AggregateSerializer(Serializer):
    """Without `period_type` all four, without `instance_id` all instances."""

    scope = ChoiceField(("all", *SCOPES), default="all")
    period_type = ChoiceField(PeriodType.choices, required=False)
    instance_id = IdField(required=False)


class AggregatedSerializer(serializers.Serializer):
    """`written`: rows that are new or differ from before."""

    period_type = serializers.ChoiceField(PeriodType.choices)
    scope = serializers.ChoiceField(SCOPES)
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    written = serializers.IntegerField()


class ForecastQuerySerializer(Serializer):
    """Of an instance or of a database, from its last `days` days."""

    instance_id = IdField(required=False)
    database_id = IdField(required=False)
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_HISTORY, default=180)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if ("instance_id" in values) == ("database_id" in values):
            raise serializers.ValidationError("Give either instance_id or database_id.")
        return values


class GrowthSerializer(serializers.Serializer):
    """Bytes per day, and between what bounds with 95 % confidence."""

    per_day = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class FullSerializer(serializers.Serializer):
    """Days from the last measured one until the limit; null is never, `reason` says why."""

    limit_bytes = serializers.IntegerField(allow_null=True)
    days = serializers.IntegerField(allow_null=True)
    earliest_days = serializers.IntegerField(allow_null=True)
    latest_days = serializers.IntegerField(allow_null=True)
    on = serializers.DateField(allow_null=True)
    reason = serializers.CharField()


class AccuracySerializer(serializers.Serializer):
    """Mean error of such forecasts over `trials` starts in the history, and that of saying that
    nothing changes.
    """

    horizon_days = serializers.IntegerField()
    trials = serializers.IntegerField()
    error_percent = serializers.FloatField(allow_null=True)
    unchanged_error_percent = serializers.FloatField(allow_null=True)


class ForecastSerializer(serializers.Serializer):
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    days_measured = serializers.IntegerField()
    last_bytes = serializers.IntegerField()
    growth = GrowthSerializer()
    full = FullSerializer()
    accuracy = AccuracySerializer()
