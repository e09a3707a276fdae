"""Ends a login that was left alone, or is too old, whatever the cookie says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse

from whalefall import logins
from whalefall.logins import BEGAN, SEEN

logger = structlog.get_logger(__name__)

TO_THE = 60
"""Seconds: not every request is worth a write."""


class IdleMiddleware:
    """After `SESSION_IDLE` seconds without a request, and `SESSION_COOKIE_AGE` after the login,
    whoever comes with the session is nobody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session:
            _look(request)
        return self.get_response(request)


def _look(request: HttpRequest) -> None:
    now = time.time()
    began = request.session.get(BEGAN, now)
    seen = request.session.get(SEEN, 0 if BEGAN in request.session else now)
    if now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE:
        logger.info("login_ended", idle=round(now - seen), age=round(now - began))
        logout(request)
    elif now - seen > TO_THE or BEGAN not in request.session:
        request.session[BEGAN], request.session[SEEN] = began, now


def _begins(sender: Any, request: Any, **kwargs: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()
    logins.describe(request)


def listen() -> None:
    user_logged_in.connect(_begins, dispatch_uid="idle")
