"""The list of changes and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    FieldTextFilter,
)

from accounts.admin.search import SearchedByAccount
from accounts.models import AccountChangeLog
from whalefall.console import show
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, change_url
from whalefall.words import said

OBJECTS_SHOWN = 200


@admin.register(AccountChangeLog)
class AccountChangeLogAdmin(SearchedByAccount, ReadOnlyAdmin):
    account_path = "account__"
    empty_hint = _("What differs from one reading of a server to the next stands here.")
    menu = "accounts"
    menu_icon = "published_with_changes"
    menu_order = 20
    menu_title = _("Changes")
    change_form_template = "accounts/change.html"
    list_display = ("time", "kind_of_change", "account_link", "instance_link", "summary", "risk")
    list_display_links = ("time",)
    list_select_related = ("account", "instance")
    list_filter = (
        ("change_type", ChoicesCheckboxFilter),
        ("instance", AutocompleteSelectFilter),
        ("change_time", TimeRangeFilter),
        ("message", FieldTextFilter),
    )
    search_fields = ("account__username",)
    search_help_text = _("Any part of an account's name")

    def row_title(self, row: AccountChangeLog) -> str:
        return f"{row.account.username}: {row.get_change_type_display()}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountChangeLog]:
        return super().get_queryset(request).defer("privilege_diff", "other_diff")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()  # the template shows the change

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        change = context["change_row"] = kwargs.get("obj")
        if change is not None:
            pages = Paginator(change.privilege_diff, OBJECTS_SHOWN)
            context["page"] = pages.get_page(request.GET.get("p"))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("time"), ordering="change_time")
    def time(self, change: AccountChangeLog) -> Any:
        return show.ago(change.change_time)

    @admin.display(description=_("change"), ordering="change_type")
    def kind_of_change(self, change: AccountChangeLog) -> Any:
        return show.state(change.change_type, change.get_change_type_display())

    @admin.display(description=_("account"), ordering="account__username")
    def account_link(self, change: AccountChangeLog) -> Any:
        return show.link(change_url(change.account), change.account)

    @admin.display(description=_("instance"), ordering="instance__name")
    def instance_link(self, change: AccountChangeLog) -> Any:
        return show.link(change_url(change.instance), change.instance)

    @admin.display(description=_("what"))
    def summary(self, change: AccountChangeLog) -> str:
        text = said(change.message) or show.EMPTY
        return text if len(text) <= 160 else text[:159] + "…"

    @admin.display(description=_("risk"))
    def risk(self, change: AccountChangeLog) -> Any:
        before, after = _risk(change.risk_before), _risk(change.risk_after)
        return after if before == after else format_html("{} → {}", before, after)


def _risk(level: str) -> str:
    return _t(level) if level else show.EMPTY
