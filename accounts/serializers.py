"""Accounts as rows of the ledger, and what is known about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.as_of import State, moment
from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from whalefall.engines.observed import Scope
from whalefall.instances.models import DB_TYPE_CHOICES, Instance
from whalefall.instances.serializers import TagSerializer
from whalefall.serializers import ChoiceField, Serializer

STATUSES = ("active", "gone")
TYPED = (
    "is_superuser",
    "is_locked",
    "can_login",
    "valid_until",
    "password_changed_at",
    "last_login_at",
    "last_sync_time",
    "last_change_type",
    "last_change_time",
)


class LedgerInstanceSerializer(serializers.ModelSerializer):
    tags = TagSerializer(many=True, read_only=True)

    class Meta:
        model = Instance
        fields = ("id", "name", "host", "port", "environment", "tags")
        read_only_fields = fields


class PermissionColumnsSerializer(serializers.ModelSerializer):
    """The typed columns; each is null where the server does not tell."""

    class Meta:
        model = AccountPermission
        fields = TYPED
        read_only_fields = fields


class LedgerSerializer(serializers.ModelSerializer):
    """One account on one instance. `permission` is null before its first collection."""

    instance = LedgerInstanceSerializer(read_only=True)
    status = serializers.SerializerMethodField()
    permission = serializers.SerializerMethodField()

    class Meta:
        model = InstanceAccount
        fields: tuple[str, ...] = (
            "id",
            "username",
            "kind",
            "db_type",
            "status",
            "instance",
            "permission",
            "first_seen_at",
            "last_seen_at",
            "deleted_at",
        )

    @extend_schema_field({"type": "string", "enum": STATUSES})
    def get_status(self, account: InstanceAccount) -> str:
        return "active" if account.is_active else "gone"

    @extend_schema_field(PermissionColumnsSerializer(allow_null=True))
    def get_permission(self, account: InstanceAccount) -> Any:
        permission = getattr(account, "permission", None)
        return permission and PermissionColumnsSerializer(permission).data


class CapabilitySerializer(serializers.Serializer):
    name = serializers.CharField()
    because = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField(help_text="alice -> team_rw -> dba_role: CREATE USER")


class PermissionsSerializer(serializers.Serializer):
    """Snapshot (what the catalog holds), facts (what follows from it), capabilities with paths."""

    account = LedgerSerializer()
    capabilities = CapabilitySerializer(many=True)
    snapshot = serializers.DictField()
    facts = serializers.DictField()


class ChangeSerializer(serializers.ModelSerializer):
    class Meta:
        model = AccountChangeLog
        fields = (
            "id",
            "change_type",
            "change_time",
            "session_id",
            "message",
            "privilege_diff",
            "other_diff",
            "risk_before",
            "risk_after",
        )


class AsOfQuerySerializer(Serializer):
    date = serializers.CharField(
        max_length=40, help_text="2026-11-22 (its end), or 2026-11-22T18:00:00Z"
    )

    def validate_date(self, text: str) -> datetime:
        try:
            return moment(text)
        except ValueError as exc:
            raise serializers.ValidationError(str(exc)) from exc


class AsOfSerializer(serializers.Serializer):
    """`state` is `unknown` where the history does not reach back so far: it has no gap from
    `known_since` on. `snapshot` is null unless `present`; `until` is null where it is true today.
    """

    at = serializers.DateTimeField()
    state = serializers.ChoiceField(State.choices)
    known_since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    snapshot = serializers.DictField(allow_null=True)


class AccessQuerySerializer(Serializer):
    """Who has `privilege` on `object`? `reach`: also by SET ROLE. `public`: what everybody has."""

    privilege = serializers.CharField(max_length=200)
    object = serializers.CharField(
        max_length=1000, allow_blank=True, default="", help_text="sales.orders"
    )
    scope = ChoiceField([scope.value for scope in Scope], required=False)
    database = serializers.CharField(max_length=200, allow_blank=True, default="")
    reach = serializers.BooleanField(default=False)
    public = serializers.BooleanField(default=True)
    instance = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    db_type = ChoiceField(DB_TYPE_CHOICES, required=False)
    tags = serializers.CharField(
        max_length=1000, required=False, help_text="Names, parted by commas: any of them."
    )


class WaySerializer(serializers.Serializer):
    token = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    needs_set_role = serializers.CharField()
    text = serializers.CharField()


class AccessSerializer(serializers.Serializer):
    """One account that has it, with every way in which it does, the shortest first."""

    account_id = serializers.IntegerField()
    username = serializers.CharField(source="account.username")
    kind = serializers.CharField(source="account.kind")
    db_type = serializers.CharField()
    instance_id = serializers.IntegerField()
    instance_name = serializers.CharField(source="instance.name")
    ways = WaySerializer(many=True)
