"""`/health`: for probes. Public, and so without any detail."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall.api import Answer, ApiError
from whalefall.auth import PUBLIC
from whalefall.models import User
from whalefall.viewsets import ViewSet


class HealthSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["ok"])


class HealthViewSet(ViewSet):
    """`ping`: the process answers. `basic` and the root: the store answers too, else 503."""

    queryset = User.objects.none()
    # No session is looked up: it stands in the store that may be away.
    authentication_classes = ()
    pagination_class = None
    filter_backends = ()
    rights = {"list": PUBLIC, "ping": PUBLIC, "basic": PUBLIC}

    @extend_schema(operation_id="health", responses=forced_singular_serializer(HealthSerializer))
    def list(self, request: Request) -> Answer:
        return _verdict()

    @extend_schema(responses=HealthSerializer)
    @action(detail=False)
    def ping(self, request: Request) -> Answer:
        return Answer({"status": "ok"})

    @extend_schema(responses=HealthSerializer)
    @action(detail=False)
    def basic(self, request: Request) -> Answer:
        return _verdict()


def _verdict() -> Answer:
    if not store_answers():
        raise ApiError("DATABASE_QUERY_ERROR", _("The store is away."), 503)
    return Answer({"status": "ok"})


def store_answers() -> bool:
    """Whether the store takes a statement now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
