"""The fleet at a glance as JSON. Sizes are bytes, times UTC."""

from __future__ import annotations

from rest_framework import serializers

from accounts.models import AccountPermission
from classification.models import RiskLevel
from sync.models import SyncCategory, SyncSession


class InstancesAtGlanceSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()
    deleted = serializers.IntegerField()
    never_connected = serializers.IntegerField()


class EngineSerializer(serializers.Serializer):
    """`failing` and `never` (connected) are among the `watched`."""

    db_type = serializers.CharField()
    watched = serializers.IntegerField()
    paused = serializers.IntegerField()
    never = serializers.IntegerField()
    failing = serializers.IntegerField()
    accounts = serializers.IntegerField()


class RiskSerializer(serializers.Serializer):
    """`yesterday`, `last_week`: null where that day was not counted."""

    risk_level = serializers.ChoiceField(RiskLevel.choices)
    accounts = serializers.IntegerField()
    yesterday = serializers.IntegerField(allow_null=True)
    last_week = serializers.IntegerField(allow_null=True)


class AccountsAtGlanceSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    roles = serializers.IntegerField()
    superusers = serializers.IntegerField()
    risks = RiskSerializer(many=True)
    counted_at = serializers.DateTimeField()


class CapacityAtGlanceSerializer(serializers.Serializer):
    total_bytes = serializers.IntegerField(allow_null=True)
    growth_per_day = serializers.FloatField(allow_null=True)
    full_soon = serializers.IntegerField()
    soon_days = serializers.IntegerField()


class OverviewSerializer(serializers.Serializer):
    instances = InstancesAtGlanceSerializer()
    engines = EngineSerializer(many=True)
    accounts = AccountsAtGlanceSerializer()
    capacity = CapacityAtGlanceSerializer()


class DayCountSerializer(serializers.Serializer):
    day = serializers.DateField()
    accounts = serializers.IntegerField()


class DaySizeSerializer(serializers.Serializer):
    day = serializers.DateField()
    bytes = serializers.IntegerField()


class RiskCurveSerializer(serializers.Serializer):
    risk_level = serializers.CharField()
    points = DayCountSerializer(many=True)


class ChartsSerializer(serializers.Serializer):
    risks = RiskCurveSerializer(many=True)
    sizes = DaySizeSerializer(many=True)


class PlaceSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class RiskyAccountSerializer(serializers.Serializer):
    account_id = serializers.IntegerField(source="account.account_id")
    username = serializers.CharField(source="account.account.username")
    instance = PlaceSerializer(source="account.instance")
    classification = serializers.CharField(source="classification.name")
    risk_level = serializers.ChoiceField(RiskLevel.choices, source="classification.risk_level")
    assigned_at = serializers.DateTimeField()


class LatestChangeSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    account_id = serializers.IntegerField()
    username = serializers.CharField(source="account.username")
    instance = PlaceSerializer()
    change_type = serializers.ChoiceField(AccountPermission.ChangeType.choices)
    message = serializers.CharField()
    change_time = serializers.DateTimeField()


class LatestSessionSerializer(serializers.Serializer):
    session_id = serializers.UUIDField()
    sync_category = serializers.ChoiceField(SyncCategory.choices)
    status = serializers.ChoiceField(SyncSession.Status.choices)
    total_instances = serializers.IntegerField()
    successful_instances = serializers.IntegerField()
    failed_instances = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)


class ActivitiesSerializer(serializers.Serializer):
    risky_accounts = RiskyAccountSerializer(many=True)
    changes = LatestChangeSerializer(many=True)
    sessions = LatestSessionSerializer(many=True)


class RunningSerializer(serializers.Serializer):
    session_id = serializers.UUIDField()
    sync_category = serializers.ChoiceField(SyncCategory.choices)
    started_at = serializers.DateTimeField()
    total = serializers.IntegerField(source="total_instances")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    reading = serializers.IntegerField()


class CauseSerializer(serializers.Serializer):
    """Instances whose last sync of this category failed with this kind of error."""

    category = serializers.ChoiceField(SyncCategory.choices)
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    instances = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())
    example = serializers.CharField()
    newest = serializers.DateTimeField(allow_null=True)


class GapSerializer(serializers.Serializer):
    """A part that the collector could not read, and the statements that would let it."""

    db_type = serializers.CharField()
    section = serializers.CharField()
    instances = serializers.ListField(child=serializers.IntegerField())
    names = serializers.ListField(child=serializers.CharField())
    remedies = serializers.ListField(child=serializers.CharField())
    messages = serializers.ListField(child=serializers.CharField())


class CoverageSerializer(serializers.Serializer):
    full = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment]
    never = serializers.IntegerField()
    gaps = GapSerializer(many=True)


class StatusSerializer(serializers.Serializer):
    workers_alive = serializers.BooleanField()
    running = RunningSerializer(many=True)
    failing = CauseSerializer(many=True)
    coverage = CoverageSerializer()
