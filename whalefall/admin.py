"""The admin site, and the base of pages that only show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite


class WhaleFallAdminSite(UnfoldAdminSite):
    """The console."""


class ReadOnlyAdmin(ModelAdmin):
    """For what was observed or is an audit trail: to be looked at, never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
