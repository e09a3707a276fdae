"""What the list of accounts can be narrowed by."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    RadioFilter,
    TextFilter,
)

from accounts import tokens
from accounts.access import Access, UnknownQuestion
from accounts.models import AccountPermission
from whalefall.engines.observed import Scope


class PresenceFilter(RadioFilter):
    """Without a choice: present accounts of instances that are not deleted, those that come with
    the product left out.
    """

    title = _("presence")
    parameter_name = "presence"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("present", _("Present")),
            ("product", _("Present, with the product's own")),
            ("gone", _("Gone")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "present"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: Any = queryset
        if self.value() == "gone":
            return rows.filter(is_active=False)
        if self.value() == "all":
            return rows
        return rows.present() if self.value() == "product" else rows.present().shown()


class PermissionFlagFilter(RadioFilter):
    """Yes or no in a typed column of the permission; `rare` is what few have, with an index."""

    column = ""
    rare = "1"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("0", "1"):
            return queryset
        wanted = {self.column: self.value() == "1"}
        if self.value() != self.rare:
            return queryset.filter(**{f"permission__{self.column}": wanted[self.column]})
        found = AccountPermission.objects.filter(**wanted).order_by()
        return queryset.filter(pk__within=found.values("account"))


class SuperuserFilter(PermissionFlagFilter):
    title, parameter_name, column = _("superuser"), "superuser", "is_superuser"


class LockedFilter(PermissionFlagFilter):
    title, parameter_name, column = _("locked"), "locked", "is_locked"


class LoginFilter(PermissionFlagFilter):
    title, parameter_name, column = _("can log in"), "login", "can_login"
    rare = "0"


class PrivilegeFilter(TextFilter):
    """`UPDATE` anywhere, or `UPDATE ON sales.orders` with whatever gives it (ownership, wider
    rights, power).
    """

    title = _("privilege (UPDATE, or UPDATE ON sales.orders)")
    parameter_name = "privilege"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        privilege, place = _question(self.value() or "")
        if not privilege:
            return queryset
        if not place:
            wanted = [tokens.privilege(scope, privilege) for scope in Scope]
            return queryset.filter(permission__fact_tokens__overlap=wanted)
        try:
            found = Access(privilege, place).accounts()
        except UnknownQuestion as exc:
            messages.error(request, str(exc))
            return queryset.none()
        return queryset.filter(permission__in=found.order_by().values("pk"))


def _question(words: str) -> tuple[str, str]:
    """(privilege, object) of `update on sales.orders`."""
    parts = re.split(r"\s+on\s+", words.strip(), maxsplit=1, flags=re.IGNORECASE)
    return " ".join(parts[0].upper().split()), parts[1] if len(parts) > 1 else ""
