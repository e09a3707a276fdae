"""`Authorization: Bearer wf_...`: how programs come in. No cookie, so no CSRF token."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from whalefall.models import ApiToken, User


class TokenAuthentication(authentication.BaseAuthentication):
    """`request.auth` is the ApiToken. A header with a wrong one is refused, whatever the cookie."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.find(text.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                _("This token is unknown, expired or revoked."), "invalid_token"
            )
        token.used()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="WhaleFall"'
