"""`/auth/sessions`: where one is logged in, and an end to it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall import logins
from whalefall.api import Answer, ApiError
from whalefall.auth import LOGIN
from whalefall.models import Login
from whalefall.serializers import ModelSerializer
from whalefall.viewsets import ViewSet


class LoginRowSerializer(ModelSerializer):
    """`is_current`: the one that the request came with."""

    id = serializers.UUIDField(source="public_id")
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Login
        fields = ("id", "is_current", "address", "agent", "began_at", "seen_at")
        read_only_fields = fields

    def get_is_current(self, row: Login) -> bool:
        return logins.is_current(row, self.context["request"]._request)


class EndedSerializer(serializers.Serializer):
    ended = serializers.IntegerField()


class LoginViewSet(ViewSet):
    """One's own logins. Other people's are not there at all, whoever asks."""

    queryset = Login.objects.none()
    serializer_class = LoginRowSerializer
    pagination_class = None
    lookup_value_regex = r"[0-9a-f-]+"
    filter_backends = ()
    rights = {"list": LOGIN, "destroy": LOGIN, "end_others": LOGIN}

    @extend_schema(responses=LoginRowSerializer(many=True))
    def list(self, request: Request) -> Answer:
        """Where this person is logged in, the last seen first."""
        rows: Any = logins.live(request.user)
        return Answer(self.get_serializer(rows, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses=None,
    )
    def destroy(self, request: Request, pk: str) -> Answer:
        """End it, at once."""
        if not logins.end(request.user, pk):
            raise ApiError("RESOURCE_NOT_FOUND", _("There is no such login."), 404)
        return Answer(None, _("Ended."))

    @extend_schema(request=None, responses=EndedSerializer)
    @action(detail=False, methods=["post"], url_path="actions/end-others")
    def end_others(self, request: Request) -> Answer:
        """End all logins but the one that the request came with."""
        count = logins.end_others(request._request)
        message = ngettext("%(n)d login ended.", "%(n)d logins ended.", count) % {"n": count}
        return Answer({"ended": count}, message)
