"""What people see instead of a page: it is not there, or it is not for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from whalefall.auth import has_right


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    text = _("Nothing is here: the address is wrong, or what it showed has been deleted.")
    return _page(request, 404, _("Not found"), text)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    text = _("Your role does not allow this. An administrator can give you another one.")
    return _page(request, 403, _("Not allowed"), text)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that this browser was not given, or in an earlier session: CSRF_FAILURE_VIEW."""
    text = _(
        "The form is too old or came from elsewhere. Go back, load the page again, and repeat."
    )
    return _page(request, 403, _("Not accepted"), text)


def _page(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    """With the menu for who is signed in; asked before the session is read there is nobody."""
    context: dict[str, Any] = {"title": title, "message": message, "status": status}
    signed_in = hasattr(request, "user") and has_right(request.user, "view")
    template = "console/error.html" if signed_in else "console/refused.html"
    if hasattr(request, "user"):
        context = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, template, context, status=status).render()
