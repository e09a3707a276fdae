"""Instances from a file or a list, in one go."""

from __future__ import annotations

from rest_framework import serializers

from whalefall.serializers import Serializer


class BatchCreateSerializer(Serializer):
    """`file`: CSV as the template has it (multipart); or `items`: the same cells as a list.

    With `partial` the good rows are created though others are not good.
    """

    file = serializers.FileField(required=False)
    items = serializers.ListField(
        child=serializers.DictField(), required=False, allow_empty=False, max_length=5000
    )
    partial = serializers.BooleanField(default=False)  # type: ignore[assignment]


class RowErrorSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="line 3, or line 3.port")
    message = serializers.CharField()
    code = serializers.CharField()


class BatchCreatedSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Errors of the rows that were left out.")
    ids = serializers.ListField(child=serializers.IntegerField())
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]
