"""Classifications as JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from classification.colors import COLORS
from classification.models import AccountClassification
from whalefall.api import ApiError
from whalefall.serializers import ChoiceField, ModelSerializer


class ColorSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField(help_text="#dc2626")


class ClassificationSerializer(ModelSerializer):
    """`name` is the code that everything refers to; `display_name` what people read."""

    name = serializers.SlugField(max_length=100)
    color = ChoiceField(tuple(COLORS), default="gray")
    rule_count = serializers.IntegerField(read_only=True, default=0)
    account_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = AccountClassification
        fields = (
            "id",
            "name",
            "display_name",
            "description",
            "risk_level",
            "color",
            "icon_name",
            "priority",
            "is_system",
            "is_active",
            "rule_count",
            "account_count",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("is_system",)

    def validate_name(self, name: str) -> str:
        if self.instance and self.instance.is_system and name != self.instance.name:
            message = _("The code of a shipped classification stays as it is.")
            raise ApiError("SYSTEM_CLASSIFICATION", message)
        own: Any = getattr(self.instance, "pk", None)
        others = AccountClassification.objects.exclude(pk=own)
        if others.filter(name=name).exists():
            raise name_exists("name", name)
        return name


def name_exists(path: str, name: str) -> ApiError:
    message = _("The name %(name)s is taken.") % {"name": name}
    return ApiError(
        "NAME_EXISTS", message, 400, [{"path": path, "message": message, "code": "unique"}]
    )
