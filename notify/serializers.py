"""Channels, rules, alerts and deliveries as JSON. Addresses and secrets go in and never come
out.
"""

from __future__ import annotations

import copy
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from notify.models import ELSEWHERE, Alert, Channel, Delivery, Rule
from tags.models import Tag
from whalefall.serializers import ModelSerializer


def check_model(serializer: Any, values: dict[str, Any]) -> Any:
    """The row as it would be, after its model has looked at it. Raises ValidationError."""
    wanted = copy.copy(serializer.instance) if serializer.instance else serializer.Meta.model()
    for name, value in values.items():
        field = wanted._meta.get_field(name)
        if not field.many_to_many:
            setattr(wanted, name, value)
    try:
        wanted.clean()
    except ModelValidationError as exc:
        raise serializers.ValidationError(exc.message_dict) from exc
    return wanted


class ChannelSerializer(ModelSerializer):
    """`url` and `secret` are written and never read; `host` is the part of the address that is
    shown (of an e-mail channel: the mail server). Without them a change keeps the stored ones.
    """

    url = serializers.CharField(write_only=True, required=False, max_length=2000, allow_blank=True)
    secret = serializers.CharField(
        write_only=True, required=False, max_length=1024, allow_blank=True, trim_whitespace=False
    )
    has_secret = serializers.BooleanField(read_only=True)

    class Meta:
        model = Channel
        fields = (
            *("id", "name", "kind", "is_active", "language", "digest_minutes", "url", "secret"),
            *("has_secret", "recipients", "sender", "host", "port", "security", "username"),
            *("created_at", "updated_at"),
        )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        wanted = check_model(self, values)
        stored = self.instance
        kept = stored and stored.secret and not values.get("secret")
        if kept and wanted.sends_elsewhere_than(stored):
            raise serializers.ValidationError({"secret": ELSEWHERE}, code="required")
        return {**values, "host": wanted.host}


@extend_schema_serializer(component_name="NotificationRule")  # there are rules of classifications
class RuleSerializer(ModelSerializer):
    """`channels` and `tags` are ids. `days` is asked for by `instance_stale` and `days_to_full`;
    `risk_level` counts for `new_account` and `risk_rose`.
    """

    channels = serializers.PrimaryKeyRelatedField(
        many=True, queryset=Channel.objects.all(), allow_empty=False
    )
    tags = serializers.PrimaryKeyRelatedField(many=True, queryset=Tag.objects.all(), required=False)

    class Meta:
        model = Rule
        fields = (
            *("id", "name", "kind", "is_active", "channels", "risk_level", "days"),
            *("sync_category", "tags", "remind_days", "checked_at", "last_error"),
            *("created_at", "updated_at"),
        )
        read_only_fields = ("checked_at", "last_error", "created_at")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        check_model(self, values)
        return values


class AlertSerializer(serializers.ModelSerializer):
    """`data` depends on the kind of the rule."""

    rule_name = serializers.CharField(source="rule.name")
    kind = serializers.ChoiceField(Rule.Kind.choices, source="rule.kind")
    data = serializers.DictField()  # type: ignore[assignment]  # DRF has a property of this name

    class Meta:
        model = Alert
        fields = ("id", "rule", "rule_name", "kind", "data", "found_at", "told_at", "closed_at")


class NoticeSerializer(serializers.Serializer):
    kind = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    time = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]


class DeliverySerializer(serializers.ModelSerializer):
    """`message_id` is the same at every try; `last_error` what was said at the last one."""

    channel_name = serializers.CharField(source="channel.name")
    total = serializers.IntegerField(help_text="Notices in it, with those left out.")

    class Meta:
        model = Delivery
        fields = (
            *("id", "message_id", "channel", "channel_name", "status", "is_test", "total"),
            *("tries", "next_try_at", "last_error", "created_at", "ended_at"),
        )


class DeliveryDetailSerializer(DeliverySerializer):
    notices = NoticeSerializer(many=True)

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "notices", "left_out")  # type: ignore[assignment]
