"""The language and the time zone that a person has chosen, in force during their requests."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views import i18n

from whalefall.api import API_PREFIX

CODES = {code for code, _name in settings.LANGUAGES}


class PreferencesMiddleware:
    """Stands behind the login and Django's own choice by cookie and browser.

    Times of the API stay in the zone of the system: programs compare them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Who comes without a session has chosen nothing; looking would ask the store for nothing.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            speak(request, request.user.language)
            if not request.path.startswith(API_PREFIX):
                return self._in_zone(request, request.user.time_zone)
        return self.get_response(request)

    def _in_zone(self, request: HttpRequest, name: str) -> HttpResponse:
        zone = zone_of(name)
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def speak(request: HttpRequest, language: str) -> None:
    """The rest of the request in this language; an empty or unknown one changes nothing."""
    if language in CODES:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


def zone_of(name: str) -> ZoneInfo | None:
    """None for no name, and for one that this machine's tz database no longer has."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def set_language(request: HttpRequest) -> HttpResponse:
    """Django's switch by cookie, which is also remembered for whoever is logged in."""
    response = i18n.set_language(request)
    chosen = request.POST.get("language", "")
    if request.method == "POST" and chosen in CODES and request.user.is_authenticated:
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return response
