"""The admin site: who gets in, what stands in the menu, the start page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm
from unfold.sites import UnfoldAdminSite

from whalefall.auth import has_right
from whalefall.console import cards, menu


class LoginForm(UnfoldAuthenticationForm):
    """Lets in whoever has a role; Django's staff flag plays no part."""

    def confirm_login_allowed(self, user: Any) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)
        if not has_right(user, "view"):
            raise ValidationError(
                _("You have no role here yet. Ask an administrator for one."), code="no_role"
            )


class WhaleFallAdminSite(UnfoldAdminSite):
    """The console."""

    login_form = LoginForm
    index_template = "console/start.html"
    index_title = _("Start")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, "view")

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        return menu.groups(self, request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        numbers = {"cards": cards.all_cards(request), "panels": cards.all_panels(request)}
        return super().index(request, {**numbers, **(extra_context or {})})
