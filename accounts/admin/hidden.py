"""The page of the patterns of accounts that lists leave out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from accounts.models import HiddenAccount
from whalefall.console.asking import Consequences
from whalefall.console.pages import RoleAdmin


@admin.register(HiddenAccount)
class HiddenAccountAdmin(RoleAdmin):
    """What is shipped can be switched off; what people added can be changed and deleted."""

    menu = "accounts"
    menu_icon = "visibility_off"
    menu_order = 70
    list_display = ("pattern", "db_type", "is_shipped", "is_active")
    list_filter = (("db_type", ChoicesCheckboxFilter), "is_active", "is_shipped")
    search_fields = ("pattern",)
    search_help_text = _("Searches patterns.")
    list_before_template = "accounts/hidden.html"
    fieldsets = (
        (
            None,
            {
                "fields": (("db_type", "pattern"), "is_active", "is_shipped"),
                "description": _(
                    "Accounts of this engine with such a name are read and judged like all "
                    "others; lists show them when asked for all."
                ),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and obj.is_shipped:
            return ("db_type", "pattern", "is_shipped")
        return ("is_shipped",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_shipped = obj is not None and obj.is_shipped
        return not is_shipped and super().has_delete_permission(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One by one, so that the accounts follow; shipped ones stay: they would come back."""
        for pattern in queryset.filter(is_shipped=False):
            pattern.delete()

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        return Consequences(
            happens=(_("Lists show the accounts of such names again."),),
            stays=(_("The accounts: they were read and judged all the time."),),
            back=_("Add the pattern again."),
            is_loss=False,
        )

    def refusals(self, objs: Sequence[Any]) -> list[str]:
        """Shipped ones are named as what stands in the way."""
        return [
            _("%(pattern)s is shipped: switch it off instead.") % {"pattern": one}
            for one in objs
            if one.is_shipped
        ]
