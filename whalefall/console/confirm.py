"""The page that asks for the password once more, and pages that want it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from whalefall import confirm, rates


class ConfirmForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


def confirm_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Asks, and goes on to `next`."""
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        rates.check_person("password", request)
        if confirm.give(request, form.cleaned_data["password"]):
            return HttpResponseRedirect(_next(request))
        form.add_error("password", _("This is not your password."))
    shown = {"title": _("Confirm that it is you"), "form": form, "next": _next(request)}
    return TemplateResponse(request, "console/confirm.html", {**context, **shown})


def _next(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if safe else reverse("admin:index")


class ConfirmedPages:
    """Forms of a page that open, and are taken, after a recent login only."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        confirm.require(request)
        return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        confirm.require(request)
        return super().delete_view(request, *args, **kwargs)  # type: ignore[misc]

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        confirm.require(request)
        return super().user_change_password(request, *args, **kwargs)  # type: ignore[misc]
