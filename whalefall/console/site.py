"""The admin site: who gets in, what stands in the menu, the start page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm
from unfold.sites import UnfoldAdminSite

from whalefall import oidc, rates
from whalefall.api import ApiError
from whalefall.auth import has_right
from whalefall.console import cards, menu, saved_views
from whalefall.console.confirm import confirm_page
from whalefall.console.logins import logins_page
from whalefall.console.preferences import preferences


class LoginForm(UnfoldAuthenticationForm):
    """Lets in whoever has a role; Django's staff flag plays no part."""

    def clean(self) -> dict[str, Any]:
        """What a directory says about a person, or that it is away, stands on the form."""
        try:
            return super().clean()
        except ApiError as error:
            raise ValidationError(str(error.detail), code=error.message_code) from error

    def confirm_login_allowed(self, user: Any) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)
        if not has_right(user, "view"):
            raise ValidationError(
                _("You have no role here yet. Ask an administrator for one."), code="no_role"
            )


class WhaleFallAdminSite(UnfoldAdminSite):
    """The console."""

    login_form = LoginForm
    login_template = "console/login.html"
    index_template = "console/start.html"
    index_title = _("Start")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, "view")

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        return menu.groups(self, request)

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a button for single sign-on where there is one."""
        if request.method == "POST":
            rates.check_address("login", request)
        button = {}
        if oidc.is_configured():
            target = urlencode({"next": request.GET.get("next", "")})
            label = settings.OIDC_NAME or _("Single sign-on")
            button = {
                "sign_in_url": f"{reverse('sign-in')}?{target}",
                "sign_in_label": _("Sign in with %(name)s") % {"name": label},
            }
        return super().login(request, {**button, **(extra_context or {})})

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            rates.check_person("password", request)
        return super().password_change(request, extra_context)

    def get_urls(self) -> list[Any]:
        def page(request: HttpRequest) -> HttpResponse:
            return preferences(request, self.each_context(request))

        def confirmation(request: HttpRequest) -> HttpResponse:
            return confirm_page(request, self.each_context(request))

        def own_logins(request: HttpRequest) -> HttpResponse:
            return logins_page(request, self.each_context(request))

        def live(request: HttpRequest) -> HttpResponse:
            return TemplateResponse(request, "console/live.html", self._live(request))

        return [
            path("views/", self.admin_view(saved_views.save), name="save_view"),
            path("views/<int:pk>/delete/", self.admin_view(saved_views.delete), name="delete_view"),
            path("live/", self.admin_view(live), name="live"),
            path("confirm/", self.admin_view(confirmation), name="confirm"),
            path("logins/", self.admin_view(own_logins), name="logins"),
            path("preferences/", self.admin_view(page), name="preferences"),
            *super().get_urls(),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        shown = {
            "cards": cards.all_cards(request),
            "panels": cards.all_panels(request),
            **self._live(request),
        }
        return super().index(request, {**shown, **(extra_context or {})})

    def _live(self, request: HttpRequest) -> dict[str, Any]:
        """The panels that follow what happens, and how soon to look again (seconds)."""
        panels = cards.all_live(request)
        is_moving = any(panel.is_moving for panel in panels)
        return {"live": panels, "look_again": 3 if is_moving else 30}
