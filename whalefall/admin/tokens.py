"""API tokens: one's own, made here and shown once; for administrators everybody's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from whalefall import confirm, rates
from whalefall.auth import has_right
from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import RoleAdmin, button
from whalefall.models import ApiToken

LIFETIMES = [
    (days, ngettext_lazy("%(n)d day", "%(n)d days", "n") % {"n": days})
    for days in (7, 30, 90, 180, 366)
]


class TokenForm(forms.ModelForm):
    """A new token; for how long it lives there is a choice, not a date."""

    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=LIFETIMES,
        initial=90,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scope")
        widgets = {
            "name": UnfoldAdminTextInputWidget,
            "scope": UnfoldAdminRadioSelectWidget,
        }


@admin.register(ApiToken)
class ApiTokenAdmin(RoleAdmin):
    """One's own tokens, which are made here and shown once. Administrators see everybody's."""

    empty_hint = _("A token lets a program use the API in your name, for as long as you say.")
    menu = "people"
    menu_icon = "token"
    menu_order = 22
    write_right = "view"
    list_display = ("name", "user", "begins", "scope", "state", "used", "expires")
    list_filter = (("scope", ChoicesDropdownFilter), ("expires_at", TimeRangeFilter))
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)
    fields = (
        *("name", "user", "begins", "scope", "state"),
        *("created_at", "expires_at", "last_used_at", "revoked_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        tokens = super().get_queryset(request)
        if not has_right(request.user, "manage"):
            tokens = tokens.filter(user_id=request.user.pk)
        return tokens

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked one stays: the audit log names it

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return TokenForm if obj is None else super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "scope", "days") if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.readonly_fields

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        confirm.require(request)
        if request.method == "POST":
            rates.check_person("tokens", request)
        return super().add_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        ends = timezone.now() + timedelta(days=form.cleaned_data["days"])
        token, obj.text = ApiToken.objects.issue(request.user, obj.name, obj.scope, ends)
        for field in token._meta.concrete_fields:
            setattr(obj, field.attname, getattr(token, field.attname))

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """The only page that ever shows it; a redirect would have to keep it somewhere."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Your new API token"),
            "opts": self.opts,
            "token": obj,
            "text": obj.text,
            "prefix": f"wf_{obj.prefix}_",
            "example": request.build_absolute_uri("/api/v1/auth/me"),
        }
        return TemplateResponse(request, "console/token_issued.html", context)

    @admin.display(description=_("begins with"), ordering="prefix")
    def begins(self, token: ApiToken) -> str:
        return f"wf_{token.prefix}…"

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> Any:
        if token.is_live:
            return show.badge(_("valid"), "success")
        return show.badge(_("revoked") if token.revoked_at else _("expired"), "neutral")

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, token: ApiToken) -> Any:
        return show.ago(token.last_used_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        return f"{token.expires_at:%F}"

    def _revoked(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> Consequences | None:
        number = queryset.filter(revoked_at=None).count()
        text = ngettext("Revoke %(n)d token?", "Revoke %(n)d tokens?", number)
        found = Consequences(
            question=text % {"n": number},
            verb=_("Revoke"),
            happens=(_("Programs that use them are refused from now on."),),
            stays=(_("The tokens in this list, and what was done with them in the audit log."),),
            back=_("There is none: make new tokens and give them to the programs."),
        )
        return found if number else None

    @admin.action(description=_("Revoke"), permissions=["view"])
    @asks(_revoked)
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self._revoke(request, list(queryset))

    @button(_("Revoke"), _("Programs that use it are refused from now on."), right="view")
    def revoke(self, request: HttpRequest, token: ApiToken) -> None:
        self._revoke(request, [token])

    def _revoke(self, request: HttpRequest, tokens: list[ApiToken]) -> None:
        revoked = [token for token in tokens if token.revoke()]
        for token in revoked:
            self.log_change(request, token, str(_("revoked")))
        text = ngettext("%(n)d token revoked.", "%(n)d tokens revoked.", len(revoked))
        self.message_user(request, text % {"n": len(revoked)})
