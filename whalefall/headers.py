"""Headers that tell browsers what our answers may do. No page of ours has a script in its HTML."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from whalefall.api import API_PREFIX

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For data."""
PAGE = (
    "default-src 'none'; script-src 'self'{eval}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
"""Everything from here. Colours of tags and bars of progress are style attributes."""
API_PAGE = PAGE.format(eval="")
"""The browsable API and its documentation."""
CONSOLE_PAGE = PAGE.format(eval=" 'unsafe-eval'")
"""Alpine, which moves unfold's menus, evaluates the expressions in its attributes."""
FEATURES = "accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Content-Security-Policy and the like; answers of the API are kept by nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_api = request.path.startswith(API_PREFIX)
        response.setdefault("Content-Security-Policy", policy(response, is_api))
        response.setdefault("Permissions-Policy", FEATURES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if is_api:
            response.setdefault("Cache-Control", "no-store")
        return response


def policy(response: HttpResponse, is_api: bool) -> str:
    """The strictest that lets this answer work."""
    if not response.get("Content-Type", "").startswith("text/html"):
        return NOTHING
    return API_PAGE if is_api else CONSOLE_PAGE
