"""Limits on how often one person (or, before the login, one address) may do something.

A window begins with the first request and has room for so many; what comes too early is answered
429 with Retry-After. Counted in Redis where there is one and it answers, else in the store: either
way over all processes and machines together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from whalefall.api import ApiError
from whalefall.lockout import client_address

logger = structlog.get_logger(__name__)

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
WRITTEN = re.compile(r"(\d+)/(\d*)([smhd])")
PERSON = "api"
"""The limit that counts for whatever a person asks of the API."""

UPSERT = """
INSERT INTO rate_counts AS r (key, hits, ends_at)
VALUES (%(key)s, 1, statement_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN r.ends_at > statement_timestamp() THEN r.hits + 1 ELSE 1 END,
    ends_at = CASE WHEN r.ends_at > statement_timestamp() THEN r.ends_at ELSE EXCLUDED.ends_at END
RETURNING hits, EXTRACT(EPOCH FROM ends_at - statement_timestamp())
"""


class TooMany(ApiError):
    """429; `wait` is seconds, and becomes Retry-After."""

    def __init__(self, wait: float) -> None:
        self.wait = max(math.ceil(wait), 1)
        message = ngettext(
            "Too many requests. Try again in %(n)d second.",
            "Too many requests. Try again in %(n)d seconds.",
            self.wait,
        )
        super().__init__("RATE_LIMIT_EXCEEDED", message % {"n": self.wait}, 429)


@dataclass(frozen=True, slots=True)
class Limit:
    """`hits` within `seconds`."""

    hits: int
    seconds: int


def limit(name: str) -> Limit | None:
    """What the settings say about `name`, such as `10/15m`; None for an empty text: no limit.

    Raises ImproperlyConfigured for a text that is neither.
    """
    text = settings.RATES[name]
    if not text:
        return None
    found = WRITTEN.fullmatch(text)
    if found is None:
        raise ImproperlyConfigured(f"Not a rate: {text!r}. Write 30/m, 10/15m, 20/h or nothing.")
    hits, many, unit = found.groups()
    return Limit(int(hits), int(many or 1) * UNITS[unit])


def check(name: str, who: Any) -> None:
    """Counts one for `who`. Raises TooMany when there was no room left."""
    allowed = limit(name)
    if allowed is None:
        return
    hits, wait = count(f"{name}:{who}"[:200], allowed.seconds)
    if hits > allowed.hits:
        if hits == allowed.hits + 1:  # once per window: a log must not be filled this way
            logger.warning("rate_limit_reached", limit=name, who=str(who))
        raise TooMany(wait)


def check_address(name: str, request: HttpRequest) -> None:
    """As `check`, for whoever is not known yet."""
    check(name, client_address(request) or "local")


def check_person(name: str, request: Any) -> None:
    check(name, request.user.pk)


def count(key: str, seconds: int) -> tuple[int, float]:
    """How many times within the window at hand, this one included; seconds until it ends."""
    if settings.REDIS_URL:
        from redis.exceptions import RedisError

        try:
            return _count_in_redis(key, seconds)
        except RedisError as exc:
            logger.warning("rates_without_redis", error=type(exc).__name__)
    return _count_in_store(key, seconds)


def _count_in_redis(key: str, seconds: int) -> tuple[int, float]:
    from django_redis import get_redis_connection

    name = f"whalefall:rate:{key}"
    with get_redis_connection("default").pipeline() as together:
        together.set(name, 0, ex=seconds, nx=True)
        together.incr(name)
        together.pttl(name)
        _made, hits, milliseconds = together.execute()
    return hits, milliseconds / 1000


def _count_in_store(key: str, seconds: int) -> tuple[int, float]:
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, {"key": key, "seconds": seconds})
        hits, left = cursor.fetchone()
    return hits, float(left)


class Throttle(BaseThrottle):
    """The API's limits: the person's own, and those that a view names for an action (`limits`)."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.user and request.user.is_authenticated:
            check_person(PERSON, request)
            if name := getattr(view, "limits", {}).get(getattr(view, "action", "")):
                check_person(name, request)
        return True


class RateMiddleware:
    """Answers for pages of the console; the API has its own way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooMany):
            return None
        from django.contrib import admin

        context = {
            **admin.site.each_context(request),
            "title": _("Too many requests"),
            "message": str(exception.detail),
        }
        answer = TemplateResponse(request, "console/refused.html", context, status=429)
        answer["Retry-After"] = str(exception.wait)
        return answer.render()
