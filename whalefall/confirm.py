"""The password once more, before what is sensitive: an unattended browser must not make itself a
token or an administrator.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from whalefall.api import API_PREFIX, ApiError
from whalefall.logins import BEGAN

CONFIRMED = "login_confirmed"


class NotConfirmed(ApiError):
    """403: the login is too old for this."""

    def __init__(self) -> None:
        message = _("Confirm that it is you first: POST /api/v1/auth/confirm, or log in again.")
        super().__init__("CONFIRMATION_REQUIRED", message, 403)


def is_recent(request: Any) -> bool:
    """Whether this login, or its last confirmation, is younger than `CONFIRM_AFTER` seconds."""
    last = max(request.session.get(CONFIRMED, 0), request.session.get(BEGAN, 0))
    return not settings.CONFIRM_AFTER or time.time() - last <= settings.CONFIRM_AFTER


def require(request: Any) -> None:
    """Raises NotConfirmed unless the login is recent."""
    if not is_recent(request):
        raise NotConfirmed


def give(request: Any, password: str) -> bool:
    """Whether this is the password of whoever asks; then the login is recent again. Wrong ones
    count for the lockout as those of the login form do.
    """
    user = authenticate(request, username=request.user.get_username(), password=password)
    if user is None or user.pk != request.user.pk:
        return False
    request.session[CONFIRMED] = time.time()
    return True


class ConfirmMiddleware:
    """Leads from pages of the console to the question, and back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NotConfirmed) or request.path.startswith(API_PREFIX):
            return None
        target = urlencode({"next": request.path})
        return HttpResponseRedirect(f"{reverse('admin:confirm')}?{target}")
