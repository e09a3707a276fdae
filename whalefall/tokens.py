"""`/auth/tokens`: one's own API tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request

from whalefall import audit, confirm
from whalefall.api import Answer, ApiError
from whalefall.auth import LOGIN
from whalefall.models import ApiToken
from whalefall.serializers import ModelSerializer
from whalefall.viewsets import ViewSet

USUAL, LONGEST = timedelta(days=90), timedelta(days=366)


class TokenSerializer(ModelSerializer):
    """`expires_at`: in 90 days unless given, within a year."""

    expires_at = serializers.DateTimeField(required=False)

    class Meta:
        model = ApiToken
        fields = ("id", "name", "prefix", "scope", "created_at", "expires_at", "last_used_at")
        read_only_fields = ("id", "prefix", "created_at", "last_used_at")

    def validate_expires_at(self, moment: datetime) -> datetime:
        now = timezone.now()
        if not now < moment <= now + LONGEST:
            message = _("Must be within the next %(days)d days.") % {"days": LONGEST.days}
            raise serializers.ValidationError(message)
        return moment


class IssuedTokenSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once, stored nowhere.")

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")  # type: ignore[assignment]


class TokenViewSet(mixins.ListModelMixin, ViewSet):
    """What one's own programs log in with: `Authorization: Bearer wf_...`, without CSRF token."""

    queryset = ApiToken.objects.none()
    serializer_class = TokenSerializer
    sort_fields = {name: name for name in ("created_at", "expires_at", "last_used_at", "name")}
    rights = {"list": LOGIN, "create": LOGIN, "destroy": LOGIN}
    limits = {"create": "tokens"}

    def get_queryset(self) -> QuerySet[ApiToken]:
        """Other people's are not there at all, whoever asks."""
        if not self.request.user.is_authenticated:  # the schema is being drawn
            return super().get_queryset()
        return ApiToken.objects.filter(user=self.request.user, revoked_at=None)

    @extend_schema(responses={201: IssuedTokenSerializer})
    def create(self, request: Request) -> Answer:
        """A new token. `scope`: `read` (unless given) or `full`."""
        if request.auth is not None:  # a stolen one could live for ever
            message = _("A token cannot make tokens: log in with your password.")
            raise ApiError("PERMISSION_REQUIRED", message, 403)
        confirm.require(request._request)
        given = self.validated()
        given.setdefault("scope", ApiToken.Scope.READ)
        given.setdefault("expires_at", timezone.now() + USUAL)
        token, text = ApiToken.objects.issue(request.user, **given)
        audit.note(token)
        data: dict[str, Any] = {**TokenSerializer(token).data, "token": text}
        answer = Answer(data, _("Keep the token now: it is not shown again."), status=201)
        answer["Cache-Control"] = "no-store"
        return answer

    @extend_schema(responses=None)
    def destroy(self, request: Request, pk: str) -> Answer:
        """Revoke it, at once."""
        self.get_object().revoke()
        return Answer(None, _("Revoked."))
