"""Instances and credentials as JSON. A password goes in and never comes out."""

from __future__ import annotations

import copy
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from whalefall.instances.models import DB_TYPE_CHOICES, Credential, Instance
from whalefall.serializers import IdField, ModelSerializer, Serializer


class CredentialSerializer(ModelSerializer):
    """Without a password a change keeps the stored one."""

    password = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=1024, style={"input_type": "password"}
    )
    instance_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Credential
        fields = (
            "id",
            "name",
            "db_type",
            "username",
            "password",
            "description",
            "is_active",
            "instance_count",
            "created_at",
            "updated_at",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = self.instance is None


class TagSerializer(serializers.Serializer):
    name = serializers.CharField()
    display_name = serializers.CharField()
    color = serializers.CharField()


class InstanceSerializer(ModelSerializer):
    """`credential` is an id. `tags` are set with the calls below /tags."""

    credential_name = serializers.CharField(
        source="credential.name", read_only=True, allow_null=True, default=None
    )
    status = serializers.SerializerMethodField()
    tags = TagSerializer(many=True, read_only=True)

    class Meta:
        model = Instance
        fields = (
            "id",
            "name",
            "db_type",
            "host",
            "port",
            "database_name",
            "credential",
            "credential_name",
            "tls_mode",
            "tls_ca",
            "environment",
            "description",
            "capacity_limit_bytes",
            "version",
            "main_version",
            "is_active",
            "status",
            "tags",
            "deleted_at",
            "last_connected_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("version", "main_version", "deleted_at", "last_connected_at")
        # The model's own constraint is asked in `validate`: DRF's copy of it would need
        # `deleted_at` among the fields that are written.
        validators = ()

    @extend_schema_field({"type": "string", "enum": ["active", "inactive", "deleted"]})
    def get_status(self, instance: Instance) -> str:
        if instance.deleted_at:
            return "deleted"
        return "active" if instance.is_active else "inactive"

    def validate_host(self, host: str) -> str:
        if any(sign.isspace() or sign in "/@;=" for sign in host):
            raise serializers.ValidationError(
                _("Not a host: %(host)s. Give a name or an address, without port or user.")
                % {"host": host}
            )
        return host

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        wanted = copy.copy(self.instance) if self.instance else Instance()
        for name, value in values.items():
            setattr(wanted, name, value)
        credential = wanted.credential
        if credential and credential.db_type not in ("", wanted.db_type):
            message = _("This credential is for %(there)s, the instance is %(here)s.")
            raise serializers.ValidationError(
                {"credential": message % {"there": credential.db_type, "here": wanted.db_type}}
            )
        wanted.validate_constraints(exclude=("name",))
        return values


class InstanceOptionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Instance
        fields = ("id", "name", "db_type", "host", "port")


class InstanceIdsSerializer(Serializer):
    instance_ids = serializers.ListField(
        child=IdField(),
        allow_empty=False,
        max_length=1000,
    )


class RecycledSerializer(serializers.Serializer):
    recycled = serializers.IntegerField()


class DbTypeCountSerializer(serializers.Serializer):
    db_type = serializers.ChoiceField(DB_TYPE_CHOICES)
    total = serializers.IntegerField()
    active = serializers.IntegerField()


class InstanceStatisticsSerializer(serializers.Serializer):
    total = serializers.IntegerField(help_text="Without the recycle bin.")
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()
    deleted = serializers.IntegerField()
    never_connected = serializers.IntegerField()
    db_types = DbTypeCountSerializer(many=True)


class ConnectionStatusSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(["connected", "never_connected"])
    last_connected_at = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField(allow_blank=True)
    main_version = serializers.CharField(allow_blank=True)
