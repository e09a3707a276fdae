"""Rules that are not saved: checked, and shown what they would do."""

from __future__ import annotations

from rest_framework import serializers

from classification.models import AccountClassification
from classification.serializers.rules import ExpressionField
from whalefall.instances.models import DB_TYPE_CHOICES
from whalefall.serializers import ChoiceField, IdField, Serializer


class DraftSerializer(Serializer):
    """A rule that is not saved."""

    db_type = ChoiceField(DB_TYPE_CHOICES)
    rule_expression = ExpressionField()


class CheckedSerializer(serializers.Serializer):
    valid = serializers.BooleanField()
    canonical = serializers.CharField()
    reads_as = serializers.CharField()


class PreviewRequestSerializer(DraftSerializer):
    """`rule_id`: the stored rule that the draft would replace; else `classification`."""

    rule_id = IdField(required=False)
    classification = serializers.PrimaryKeyRelatedField(
        queryset=AccountClassification.objects.all(), required=False
    )
    limit = serializers.IntegerField(min_value=1, max_value=200, default=20)


class PreviewedSerializer(serializers.Serializer):
    account_id = serializers.IntegerField()
    username = serializers.CharField()
    instance = serializers.CharField()
    evidence = serializers.DictField()


class PreviewListSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    items = PreviewedSerializer(many=True)


class PreviewSerializer(serializers.Serializer):
    """What saving the draft would do: `add`, `drop`, `keep` (a number), leave `unknown`."""

    reads_as = serializers.CharField()
    matched = serializers.IntegerField()
    keep = serializers.IntegerField()
    add = PreviewListSerializer()
    drop = PreviewListSerializer()
    unknown = PreviewListSerializer()
