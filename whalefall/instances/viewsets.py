"""`/instances` and `/credentials`. What reads a server through an instance is added by `sync`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall.api import Answer, ApiError
from whalefall.exports import FORMAT, TABLE_SCHEMA, AnyAccept, table_response
from whalefall.instances.filters import CredentialFilter, InstanceFilter
from whalefall.instances.imports import COLUMNS
from whalefall.instances.models import Credential, Instance
from whalefall.instances.serializers import (
    ConnectionStatusSerializer,
    CredentialSerializer,
    InstanceIdsSerializer,
    InstanceOptionSerializer,
    InstanceSerializer,
    InstanceStatisticsSerializer,
    RecycledSerializer,
)
from whalefall.viewsets import ModelViewSet


class CredentialViewSet(ModelViewSet):
    """Logins on watched servers. No answer ever holds a password."""

    queryset = (
        Credential.objects.annotate(
            instance_count=Count("instances", filter=Q(instances__deleted_at=None))
        )
        .defer("password")
        .order_by("name", "pk")
    )
    serializer_class = CredentialSerializer
    filterset_class = CredentialFilter
    http_method_names = ("get", "post", "put", "delete", "head", "options")
    sort_fields = {"name": "name", "username": "username", "created_at": "created_at"}

    def perform_destroy(self, credential: Credential) -> None:
        if used := list(credential.instances.values_list("name", flat=True)[:6]):
            names = ", ".join(used[:5]) + (" ..." if len(used) > 5 else "")
            message = _("Still used by: %(names)s.") % {"names": names}
            raise ApiError("CONSTRAINT_VIOLATION", message, 409)
        credential.delete()


class InstanceViewSet(ModelViewSet):
    """Watched servers. Deleting puts one into the recycle bin."""

    queryset = Instance.objects.select_related("credential").defer("credential__password")
    serializer_class = InstanceSerializer
    filterset_class = InstanceFilter
    sort_fields = {
        name: name
        for name in ("name", "db_type", "host", "environment", "created_at", "last_connected_at")
    }

    def get_queryset(self) -> QuerySet[Instance]:
        found = super().get_queryset().prefetch_related("tags")
        # The recycle bin can be looked at and restored from, nothing else.
        if self.detail and self.action not in ("retrieve", "restore"):
            return found.filter(deleted_at=None)
        return found

    def perform_destroy(self, instance: Instance) -> None:
        instance.recycle()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="actions/restore")
    def restore(self, request: Request, pk: str) -> Answer:
        """Out of the recycle bin; 400 when its endpoint was registered anew meanwhile."""
        instance = self.get_object()
        instance.restore()
        return Answer(self.get_serializer(instance).data, _("Restored."))

    @extend_schema(responses=ConnectionStatusSerializer)
    @action(detail=True, url_path="connection-status")
    def connection_status(self, request: Request, pk: str) -> Answer:
        """When its server last answered, and as which version. Connects to nothing."""
        instance = self.get_object()
        instance.status = "connected" if instance.last_connected_at else "never_connected"
        return Answer(ConnectionStatusSerializer(instance).data)

    @extend_schema(responses=InstanceOptionSerializer(many=True))
    @action(
        detail=False,
        url_path="options",
        pagination_class=None,
        serializer_class=InstanceOptionSerializer,
    )
    def list_options(self, request: Request) -> Answer:
        """Names and ids for a form; the filters of the list."""
        found = self.filter_queryset(Instance.objects.order_by("name"))
        return Answer(self.get_serializer(found, many=True).data)

    @extend_schema(responses=InstanceStatisticsSerializer, filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def statistics(self, request: Request) -> Answer:
        """How many there are, by state and engine."""
        return Answer(InstanceStatisticsSerializer(Instance.objects.statistics()).data)

    @extend_schema(responses=RecycledSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/batch-delete",
        serializer_class=InstanceIdsSerializer,
    )
    def batch_delete(self, request: Request) -> Answer:
        """Many into the recycle bin; unknown ids are a 404 naming them, nothing done."""
        ids = set(self.validated()["instance_ids"])
        with transaction.atomic():
            found = Instance.objects.present().select_for_update().in_bulk(ids)
            if missing := sorted(ids - set(found)):
                names = ", ".join(str(pk) for pk in missing)
                message = _("No such instances: %(ids)s.") % {"ids": names}
                raise ApiError("RESOURCE_NOT_FOUND", message, 404)
            for instance in found.values():
                instance.recycle()
        return Answer({"recycled": len(found)}, _("Put into the recycle bin."))

    @extend_schema(parameters=[FORMAT], responses=TABLE_SCHEMA, filters=True)
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def exports(self, request: Request) -> StreamingHttpResponse:
        """The list as CSV (what batch-create reads) or XLSX, filtered alike. Never a password."""
        found = self.filter_queryset(self.get_queryset()).order_by("name")
        return table_response(request, "instances", COLUMNS, _rows(found))


def _rows(instances: QuerySet[Instance]) -> Iterator[list[Any]]:
    for instance in instances.iterator(chunk_size=500):
        credential = instance.credential.name if instance.credential else ""
        tags = ";".join(tag.name for tag in instance.tags.all())
        special = {"credential": credential, "tags": tags}
        yield [special[name] if name in special else getattr(instance, name) for name in COLUMNS]
