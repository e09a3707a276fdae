"""Bases of serializers: what they do not know they refuse, naming the choices."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from whalefall.paging import unknown


class ChoiceField(serializers.ChoiceField):
    """Refuses with the list of the choices."""

    default_error_messages = {
        "invalid_choice": gettext_lazy("Unknown: {input}. Must be one of: {choices}.")
    }

    def to_internal_value(self, data: Any) -> Any:
        if data == "" and self.allow_blank:
            return ""
        if isinstance(data, str | int) and str(data) in self.choice_strings_to_values:
            return self.choice_strings_to_values[str(data)]
        choices = ", ".join(str(choice) for choice in self.choices if choice != "")
        return self.fail("invalid_choice", input=data, choices=choices)


class StrictMixin:
    """A misspelt field is an error, not a silent nothing. Read-only ones may be sent back."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields = self.fields  # type: ignore[attr-defined]
            unheard = {
                str(name): [_("Unknown field. %s") % unknown(name, fields)]
                for name in data
                if name not in fields
            }
            if unheard:
                raise serializers.ValidationError(unheard, code="unknown")
        return super().to_internal_value(data)  # type: ignore[misc]


class Serializer(StrictMixin, serializers.Serializer):
    """For bodies that are no row."""


class ModelSerializer(StrictMixin, serializers.ModelSerializer):
    """For rows."""

    serializer_choice_field = ChoiceField


class IdField(serializers.IntegerField):
    """A primary key, within what the store can hold."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)
