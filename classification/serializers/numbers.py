"""What rules may name, the cache, statistics and history."""

from __future__ import annotations

from rest_framework import serializers

from classification.models import DailyCount
from whalefall.instances.models import DB_TYPE_CHOICES
from whalefall.serializers import ChoiceField, Serializer


class PrivilegeOptionsSerializer(serializers.Serializer):
    """What a rule for this engine may name."""

    db_type = serializers.CharField()
    scopes = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    capabilities = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    functions = serializers.ListField(child=serializers.DictField())


class CacheStatsSerializer(serializers.Serializer):
    backend = serializers.CharField()
    classification = serializers.DictField()


class ClearSerializer(Serializer):
    db_type = ChoiceField(DB_TYPE_CHOICES, required=False)


class ClearedSerializer(serializers.Serializer):
    cleared = serializers.IntegerField()


class SummarySerializer(serializers.Serializer):
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    gone = serializers.IntegerField()
    superusers = serializers.IntegerField()
    locked = serializers.IntegerField()
    changed_last_day = serializers.IntegerField()
    instances = serializers.IntegerField()


class AccountsOfEngineSerializer(serializers.Serializer):
    db_type = serializers.CharField()
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    superusers = serializers.IntegerField()
    locked = serializers.IntegerField()


class AccountsClassifiedSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    display_name = serializers.CharField()
    risk_level = serializers.CharField()
    color = serializers.CharField()
    accounts = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer):
    summary = SummarySerializer()
    db_types = AccountsOfEngineSerializer(many=True)
    classifications = AccountsClassifiedSerializer(many=True)


class HistoryQuerySerializer(Serializer):
    """`key`: ids of rules or classifications, or risk levels, parted by commas; all without it."""

    kind = ChoiceField(DailyCount.Kind.choices, default=DailyCount.Kind.RISK)
    days = serializers.IntegerField(min_value=1, max_value=3660, default=90)
    key = serializers.CharField(max_length=2000, default="")


class PointSerializer(serializers.Serializer):
    day = serializers.DateField()
    accounts = serializers.IntegerField()
    accepted = serializers.IntegerField(help_text="Of these, by an exception that held.")


class CurveSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    points = PointSerializer(many=True)
