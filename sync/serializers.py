"""Sessions and their records as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sync.models import SyncInstanceRecord, SyncSession
from whalefall.serializers import ChoiceField, IdField, Serializer


class SessionSerializer(serializers.ModelSerializer):
    created_by = serializers.CharField(
        source="created_by.username", allow_null=True, default=None, read_only=True
    )
    retry_of = serializers.UUIDField(
        source="retry_of.session_id", allow_null=True, default=None, read_only=True
    )

    class Meta:
        model = SyncSession
        fields = (
            "session_id",
            "sync_type",
            "sync_category",
            "status",
            "total_instances",
            "successful_instances",
            "failed_instances",
            "created_by",
            "retry_of",
            "started_at",
            "cancel_requested_at",
            "completed_at",
        )


class RecordSerializer(serializers.ModelSerializer):
    """`sync_details` without the traceback of an error of ours: that is for the log."""

    instance_id = serializers.IntegerField(allow_null=True, read_only=True)
    sync_details = serializers.SerializerMethodField()

    class Meta:
        model = SyncInstanceRecord
        fields = (
            "id",
            "instance_id",
            "instance_name",
            "status",
            "items_synced",
            "items_created",
            "items_updated",
            "items_deleted",
            "error_message",
            "sync_details",
            "started_at",
            "completed_at",
        )

    def get_sync_details(self, record: SyncInstanceRecord) -> dict[str, Any]:
        details = dict(record.sync_details)
        if isinstance(error := details.get("error"), dict):
            details["error"] = {key: value for key, value in error.items() if key != "traceback"}
        return details


class ProgressSerializer(serializers.Serializer):
    """How many records stand in each state."""

    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class RecordPageSerializer(serializers.Serializer):
    items = RecordSerializer(many=True)
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    limit = serializers.IntegerField()


class SessionDetailSerializer(SessionSerializer):
    """`records` are paged with `page` and `limit`, as a list is."""

    progress = ProgressSerializer()
    records = RecordPageSerializer()

    class Meta(SessionSerializer.Meta):
        fields = (*SessionSerializer.Meta.fields, "progress", "records")  # type: ignore[assignment]


class CancelledSerializer(serializers.Serializer):
    session_id = serializers.UUIDField()
    cancelled_records = serializers.IntegerField()


class StartedSerializer(serializers.Serializer):
    session_id = serializers.UUIDField()
    total_instances = serializers.IntegerField()


class SyncManySerializer(Serializer):
    """Without `instance_ids`, every instance that is watched."""

    instance_ids = serializers.ListField(
        child=IdField(),
        required=False,
        allow_empty=False,
        max_length=10_000,
    )


class CountsSerializer(serializers.Serializer):
    synced = serializers.IntegerField()
    created = serializers.IntegerField()
    restored = serializers.IntegerField()
    updated = serializers.IntegerField()
    deleted = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class SyncResultSerializer(serializers.Serializer):
    success = serializers.BooleanField()
    message = serializers.CharField()
    counts = CountsSerializer()
    details = serializers.DictField()


class CapacityCountsSerializer(serializers.Serializer):
    synced = serializers.IntegerField()
    created = serializers.IntegerField()
    restored = serializers.IntegerField()
    updated = serializers.IntegerField()
    deleted = serializers.IntegerField()
    measured = serializers.IntegerField()
    not_measured = serializers.IntegerField()


class CapacityResultSerializer(SyncResultSerializer):
    counts = CapacityCountsSerializer()  # type: ignore[assignment]


class TablesReadSerializer(serializers.Serializer):
    tables = serializers.IntegerField()


class AutoClassifySerializer(Serializer):
    """Without `instance_id`, all instances.

    `account_scope`: `changed` asks what may have a new answer since the last run, `all` every rule
    about every account; so does `use_optimized: false`. Both give the same classifications.
    """

    instance_id = IdField(required=False)
    use_optimized = serializers.BooleanField(default=True)
    account_scope = ChoiceField(["changed", "all"], default="changed")


class RuleResultSerializer(serializers.Serializer):
    """`asked`: of which accounts; `error`: why the rule failed, its assignments then stay."""

    rule_id = serializers.IntegerField()
    name = serializers.CharField()
    db_type = serializers.CharField()
    classification = serializers.CharField()
    asked = serializers.ChoiceField(["all", "changed", "none"])
    matched = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    error = serializers.CharField()


class ClassifiedSerializer(serializers.Serializer):
    batch_id = serializers.UUIDField()
    accounts = serializers.IntegerField()
    changed = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    updated = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Rules that could not be asked.")
    rules = RuleResultSerializer(many=True)
