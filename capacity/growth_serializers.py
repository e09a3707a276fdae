"""Growth, outlook, volumes and tags as JSON. Sizes are bytes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from capacity.models import DatabaseGrowth, InstanceOutlook, InstanceVolume, PeriodType
from capacity.serializers import MeasuredInstanceSerializer
from whalefall.serializers import Serializer


class MoverSerializer(serializers.ModelSerializer):
    """How one database grew from `from_day`, the measured day about `window_days` before, to its
    newest measured day. `change_percent` is null where it was empty before.
    """

    database_id = serializers.IntegerField(read_only=True)
    database_name = serializers.CharField(source="database.database_name", read_only=True)
    instance = MeasuredInstanceSerializer(read_only=True)

    class Meta:
        model = DatabaseGrowth
        fields = (
            "id",
            "database_id",
            "database_name",
            "instance",
            "window_days",
            "from_day",
            "to_day",
            "from_bytes",
            "to_bytes",
            "change_bytes",
            "change_percent",
        )
        read_only_fields = fields


OUTLOOK = (
    "last_day",
    "last_bytes",
    "days_measured",
    "growth_per_day",
    "growth_low",
    "growth_high",
    "limit_bytes",
    "limit_source",
    "headroom_bytes",
    "days_to_full",
    "earliest_days",
    "latest_days",
    "full_on",
    "error_percent",
    "unchanged_error_percent",
    "horizon_days",
    "reason",
    "calculated_at",
)


class OutlookSerializer(serializers.ModelSerializer):
    """When an instance is full, counted from `last_day`; null is never or not known, and `reason`
    says why. `limit_source`: `set` on the instance, or `volume`: measured. `headroom_bytes` is
    what is left to the limit.
    """

    instance = MeasuredInstanceSerializer(read_only=True)
    headroom_bytes = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = InstanceOutlook
        fields = ("id", "instance", *OUTLOOK)
        read_only_fields = fields


class VolumeSerializer(serializers.ModelSerializer):
    """A volume of a server as it was last read."""

    instance = MeasuredInstanceSerializer(read_only=True)
    used_percent = serializers.SerializerMethodField()

    class Meta:
        model = InstanceVolume
        fields = (
            "id",
            "instance",
            "volume_name",
            "total_bytes",
            "free_bytes",
            "used_percent",
            "measured_at",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "number", "nullable": True})
    def get_used_percent(self, volume: InstanceVolume) -> float | None:
        return volume.used_percent


class TagQuerySerializer(Serializer):
    """Without days, a year up to today."""

    period_type = serializers.ChoiceField(PeriodType.choices, default=PeriodType.MONTHLY)
    start_date = serializers.DateField(required=False)
    end_date = serializers.DateField(required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        start, end = values.get("start_date"), values.get("end_date")
        if start and end and start > end:
            raise serializers.ValidationError({"start_date": "It is after end_date."})
        return values


class TagSizeSerializer(serializers.Serializer):
    """All instances with a tag over one period. `tag` is null for those that have none; an
    instance with two tags counts in both.
    """

    tag = serializers.CharField(allow_null=True)
    period_start = serializers.DateField()
    instances = serializers.IntegerField()
    total_bytes = serializers.IntegerField(allow_null=True)
    change_bytes = serializers.IntegerField(allow_null=True)
