"""What a person sees who gave wrong passwords too often. django-axes counts, in the store.

Counted per user name *and* address, so that nobody can lock out somebody else from elsewhere.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whalefall.api import API_PREFIX, failure, request_id_of

LOCKED = 429


def client_address(request: HttpRequest) -> str | None:
    """Who asks: the peer, or what the proxy in front saw. None over a socket file.

    Each proxy adds the address it saw at the end of X-Forwarded-For; what stands further left came
    with the request and may be made up.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = seen[-min(settings.PROXIES, len(seen))].strip() or address
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def seconds_left(username: str, address: str | None) -> int:
    """Until the next try is let through, at least 1."""
    tries = AccessAttempt.objects.filter(username=username, ip_address=address)
    last = tries.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    until = (last or timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(math.ceil((until - timezone.now()).total_seconds()), 1)


def refusal(
    request: HttpRequest, response: Any = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """429 with Retry-After: the envelope below /api/, a page elsewhere."""
    username = str((credentials or {}).get("username") or "")
    seconds = seconds_left(username, client_address(request))
    minutes = math.ceil(seconds / 60)
    message = _("Too many wrong passwords.") + " "
    message += ngettext("Try again in %(n)d minute.", "Try again in %(n)d minutes.", minutes) % {
        "n": minutes
    }
    answer = _as_api(request, message) if _is_api(request) else _as_page(request, message)
    answer["Retry-After"] = str(seconds)
    return answer


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def _as_api(request: HttpRequest, message: str) -> HttpResponse:
    body = failure("RATE_LIMIT_EXCEEDED", message, request_id_of(request))
    return JsonResponse(body, status=LOCKED)


def _as_page(request: HttpRequest, message: str) -> HttpResponse:
    from django.contrib import admin

    context = {**admin.site.each_context(request), "title": _("Locked"), "message": message}
    return TemplateResponse(request, "console/locked.html", context, status=LOCKED).render()
