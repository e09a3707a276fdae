"""Risks that people accept."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.models import InstanceAccount
from classification.models import RiskException
from whalefall.instances.models import Instance
from whalefall.serializers import ModelSerializer


class ExceptionSerializer(ModelSerializer):
    """Of an `account`, or of all whose name is like `username_pattern` (`*` and `?`), on one
    `instance` or everywhere; for a `classification` or a `rule`. All of these are ids.
    """

    account = serializers.PrimaryKeyRelatedField(
        queryset=InstanceAccount.objects.all(), required=False, allow_null=True
    )
    instance = serializers.PrimaryKeyRelatedField(
        queryset=Instance.objects.present(), required=False, allow_null=True
    )
    username = serializers.CharField(
        source="account.username", read_only=True, allow_null=True, default=None
    )
    classification_name = serializers.CharField(
        source="classification.name", read_only=True, default=None
    )
    rule_name = serializers.CharField(
        source="rule.rule_name", read_only=True, allow_null=True, default=None
    )
    state = serializers.ChoiceField(["holding", "expired", "ended"], read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )
    ended_by = serializers.CharField(
        source="ended_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = RiskException
        fields = (
            "id",
            "account",
            "username",
            "username_pattern",
            "instance",
            "classification",
            "classification_name",
            "rule",
            "rule_name",
            "reason",
            "approver",
            "ends_on",
            "state",
            "created_by",
            "created_at",
            "ended_by",
            "ended_at",
        )
        read_only_fields = ("ended_at",)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        try:
            RiskException(**values).clean()
        except ValidationError as exc:
            raise serializers.ValidationError(exc.message_dict) from exc
        return values
