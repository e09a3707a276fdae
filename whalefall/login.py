"""`/auth`: coming in, going out, who one is."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import (
    authenticate,
    login,
    logout,
    password_validation,
    update_session_auth_hash,
)
from django.core.exceptions import ValidationError
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from whalefall import confirm, rates
from whalefall.api import Answer, ApiError
from whalefall.auth import LOGIN, PUBLIC, check_csrf, rights_of, role_of
from whalefall.models import User
from whalefall.serializers import Serializer
from whalefall.viewsets import ViewSet


class PasswordField(serializers.CharField):
    """Never trimmed, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            trim_whitespace=False,
            max_length=1024,
            style={"input_type": "password"},
            **kwargs,
        )


class LoginSerializer(Serializer):
    username = serializers.CharField(max_length=150)
    password = PasswordField()


class ChangePasswordSerializer(Serializer):
    old_password = PasswordField()
    new_password = PasswordField()


class ConfirmSerializer(Serializer):
    password = PasswordField()


class PersonSerializer(serializers.ModelSerializer):
    """A person: the highest role, and the rights it gives."""

    role = serializers.SerializerMethodField()
    rights = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "username", "email", "role", "rights", "last_login")
        read_only_fields = fields

    def get_role(self, user: User) -> str | None:
        return role_of(user)

    def get_rights(self, user: User) -> list[str]:
        return rights_of(user)


class WhoSerializer(serializers.Serializer):
    authenticated = serializers.BooleanField()
    user = PersonSerializer(allow_null=True)


class CsrfTokenSerializer(serializers.Serializer):
    csrf_token = serializers.CharField()


class AuthViewSet(ViewSet):
    """Session login. What locks out after many failures is in `lockout` and `rates`."""

    queryset = User.objects.none()
    serializer_class = PersonSerializer
    pagination_class = None
    filter_backends = ()
    rights = {
        "csrf_token": PUBLIC,
        "login": PUBLIC,
        "session": PUBLIC,
        "logout": LOGIN,
        "me": LOGIN,
        "change_password": LOGIN,
        "confirm": LOGIN,
    }
    limits = {"change_password": "password", "confirm": "password"}

    @extend_schema(responses=CsrfTokenSerializer)
    @action(detail=False, url_path="csrf-token")
    def csrf_token(self, request: Request) -> Answer:
        """A token for the X-CSRFToken header, and the cookie that goes with it."""
        return Answer({"csrf_token": get_token(request._request)})

    @extend_schema(responses=PersonSerializer)
    @action(detail=False, methods=["post"], serializer_class=LoginSerializer)
    def login(self, request: Request) -> Answer:
        """User name and password for a session cookie."""
        # DRF asks for the token only of those who are logged in already.
        check_csrf(request)
        rates.check_address("login", request._request)
        given = self.validated()
        user = authenticate(request._request, **given)
        if user is None:
            raise _refusal(given)
        login(request._request, user)
        return Answer(PersonSerializer(user).data, _("Welcome."))

    @extend_schema(request=None, responses=None)
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Answer:
        logout(request._request)
        return Answer(None, _("Goodbye."))

    @extend_schema(responses=None)
    @action(
        detail=False,
        methods=["post"],
        url_path="change-password",
        serializer_class=ChangePasswordSerializer,
    )
    def change_password(self, request: Request) -> Answer:
        """Other sessions of this person end, this one goes on."""
        given, user = self.validated(), cast(User, request.user)
        if not user.check_password(given["old_password"]):
            raise _password_invalid("old_password", [_("This is not your password.")])
        try:
            password_validation.validate_password(given["new_password"], user)
        except ValidationError as exc:
            raise _password_invalid("new_password", exc.messages) from exc
        user.set_password(given["new_password"])
        user.save(update_fields=("password",))
        update_session_auth_hash(request._request, user)
        return Answer(None, _("Your password is changed."))

    @extend_schema(responses=None)
    @action(detail=False, methods=["post"], serializer_class=ConfirmSerializer)
    def confirm(self, request: Request) -> Answer:
        """The password once more: what is sensitive asks for it when the login is old."""
        if not confirm.give(request._request, self.validated()["password"]):
            raise _password_invalid("password", [_("This is not your password.")])
        return Answer(None, _("Thank you."))

    @extend_schema(responses=WhoSerializer)
    @action(detail=False)
    def session(self, request: Request) -> Answer:
        """Whether there is a login, and whose."""
        user = request.user if request.user.is_authenticated else None
        person = PersonSerializer(user).data if user else None
        return Answer({"authenticated": user is not None, "user": person})

    @action(detail=False)
    def me(self, request: Request) -> Answer:
        """Who am I, what may I do."""
        return Answer(PersonSerializer(request.user).data)


def _refusal(given: dict[str, Any]) -> ApiError:
    """That an account is disabled is told only to who knows its password."""
    disabled = User.objects.filter(username=given["username"], is_active=False).first()
    if disabled and disabled.check_password(given["password"]):
        return ApiError("ACCOUNT_DISABLED", _("This account is disabled."), 403)
    return ApiError("INVALID_CREDENTIALS", _("User name or password is wrong."), 401)


def _password_invalid(path: str, messages: list[str]) -> ApiError:
    errors = [{"path": path, "message": text, "code": "password_invalid"} for text in messages]
    return ApiError("PASSWORD_INVALID", messages[0], 400, errors)
