"""`/instances/actions`: does the server answer, as what, and what may the login not read."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall.api import Answer, ApiError
from whalefall.auth import has_right
from whalefall.engines.base import Target
from whalefall.instances import connection
from whalefall.instances.models import DB_TYPE_CHOICES, Credential, Instance
from whalefall.serializers import ChoiceField, IdField, Serializer
from whalefall.viewsets import ViewSet

AT_ONCE = 8


class ParametersSerializer(Serializer):
    """Where and as whom to connect: a stored credential, or a user name and password."""

    db_type = ChoiceField(DB_TYPE_CHOICES)
    host = serializers.CharField(max_length=255)
    port = serializers.IntegerField(min_value=1, max_value=65535)
    database_name = serializers.CharField(max_length=128, allow_blank=True, default="")
    credential = serializers.PrimaryKeyRelatedField(
        queryset=Credential.objects.filter(is_active=True), required=False
    )
    username = serializers.CharField(max_length=128, required=False)
    password = serializers.CharField(
        write_only=True, required=False, trim_whitespace=False, max_length=1024, allow_blank=True
    )
    tls_mode = ChoiceField(Instance.TLS.choices, default=Instance.TLS.REQUIRE)
    tls_ca = serializers.CharField(allow_blank=True, default="")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "credential" not in values and not {"username", "password"} <= set(values):
            message = _("Give a credential, or a user name and a password.")
            raise serializers.ValidationError({"credential": message}, code="required")
        return values


class TestedSerializer(ParametersSerializer):
    """`instance_id` of a stored instance, or parameters."""

    instance_id = IdField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "instance_id" in data:
            for name in set(self.fields) - {"instance_id"}:
                self.fields.pop(name)
        return super().to_internal_value(data)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        return values if "instance_id" in values else super().validate(values)


class IdsSerializer(Serializer):
    instance_ids = serializers.ListField(child=IdField(), allow_empty=False, max_length=50)


class MissingSerializer(serializers.Serializer):
    privilege = serializers.CharField()
    sections = serializers.ListField(child=serializers.CharField())
    remedy = serializers.CharField()


class ResultSerializer(serializers.Serializer):
    """`missing`: what the login may not read, each with the GRANT that mends it."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    remedy = serializers.CharField()
    error_type = serializers.CharField()
    version = serializers.CharField()
    main_version = serializers.CharField()
    vendor = serializers.CharField()
    login = serializers.CharField()
    tls = serializers.BooleanField()
    missing = MissingSerializer(many=True)
    seconds = serializers.FloatField()


class InstanceResultSerializer(ResultSerializer):
    instance_id = serializers.IntegerField()
    name = serializers.CharField()


class BatchSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = InstanceResultSerializer(many=True)


class ValidSerializer(serializers.Serializer):
    valid = serializers.BooleanField()


class ConnectionViewSet(ViewSet):
    """Tests of connections. They read nothing but the version and the login's own rights."""

    queryset = Instance.objects.present().select_related("credential")
    pagination_class = None
    filter_backends = ()
    write_right = "operate"
    limits = dict.fromkeys(("test", "batch_test", "validate"), "connections")

    @extend_schema(responses=ResultSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/test-connection",
        serializer_class=TestedSerializer,
    )
    def test(self, request: Request) -> Answer:
        """One instance by id, or parameters. 409 with the reason when it cannot be used.

        Parameters with a stored credential need the right `manage`: they send its password to
        whatever host they name.
        """
        given = self.validated()
        if "instance_id" in given:
            (instance,) = self._instances([given["instance_id"]])
            result = connection.test_connection(instance)
        else:
            result = connection.test_connection(_target(given, request.user), given["db_type"])
        if not result.success:
            message = f"{result.message} {result.remedy}".strip()
            raise ApiError("DATABASE_CONNECTION_ERROR", message, 409)
        return Answer(ResultSerializer(result).data, result.message)

    @extend_schema(responses=BatchSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/batch-test-connections",
        serializer_class=IdsSerializer,
    )
    def batch_test(self, request: Request) -> Answer:
        """Up to 50 instances side by side: one result each, whatever the others say."""
        instances = self._instances(self.validated()["instance_ids"])
        results = test_many(instances)
        good = sum(result["success"] for result in results)
        data = {
            "total": len(results),
            "successful": good,
            "failed": len(results) - good,
            "results": results,
        }
        return Answer(
            BatchSerializer(data).data,
            _("%(successful)d of %(total)d instances answer.") % data,
        )

    @extend_schema(responses=ValidSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/validate-connection-params",
        serializer_class=ParametersSerializer,
    )
    def validate(self, request: Request) -> Answer:
        """Whether the parameters could be used. Connects to nothing."""
        self.validated()
        return Answer({"valid": True})

    def _instances(self, ids: Sequence[int]) -> list[Instance]:
        found = self.get_queryset().in_bulk(ids)
        missing = [pk for pk in ids if pk not in found]
        if missing:
            names = ", ".join(str(pk) for pk in missing)
            raise ApiError(
                "RESOURCE_NOT_FOUND", _("No such instances: %(ids)s.") % {"ids": names}, 404
            )
        return [found[pk] for pk in dict.fromkeys(ids)]


def _target(given: dict[str, Any], user: Any) -> Target:
    credential = given.get("credential")
    if credential and not has_right(user, "manage"):
        message = _("Only an administrator may send a stored credential to another host.")
        raise ApiError("PERMISSION_REQUIRED", message, 403)
    login = credential or Credential(username=given["username"], password=given["password"])
    names = ("db_type", "host", "port", "database_name", "tls_mode", "tls_ca")
    return Instance(credential=login, **{name: given[name] for name in names}).target()


def test_many(instances: Sequence[Instance]) -> list[dict[str, Any]]:
    """The result of each instance, with its id and name, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(_test, instances))
    for instance, result in zip(instances, results, strict=True):
        if result.success:
            instance.connected(result.version, result.main_version)
    return [
        {**result.as_dict(), "instance_id": instance.pk, "name": instance.name}
        for instance, result in zip(instances, results, strict=True)
    ]


def _test(instance: Instance) -> connection.ConnectionResult:
    """In a thread, so without the store: each thread would open a connection of its own to it."""
    try:
        target = instance.target()
    except ValueError as exc:
        return connection.ConnectionResult(False, str(exc), error_type=type(exc).__name__)
    return connection.test_connection(target, instance.db_type)
