"""The page of the structured log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import FieldTextFilter

from whalefall.console import show
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin
from whalefall.models import LogEntry

LEVELS = [(level, level) for level in ("debug", "info", "warning", "error", "critical")]
LEVEL_TONES = {"warning": "warning", "error": "danger", "critical": "strong-danger"}


class LevelFilter(admin.SimpleListFilter):
    title = _("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return LEVELS

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(level__iexact=self.value()) if self.value() else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    empty_hint = _("Nothing has been logged.")
    menu = "people"
    menu_icon = "receipt_long"
    menu_order = 40
    menu_title = _("Logs")
    view_right = "manage"
    list_display = ("time", "level_badge", "module", "short_message")
    list_display_links = ("time", "short_message")
    list_filter = (
        LevelFilter,
        ("module", FieldTextFilter),
        ("timestamp", TimeRangeFilter),
    )
    search_fields = ("message", "module")
    search_help_text = _("Searches messages and modules.")
    fieldsets = (
        (None, {"fields": ("timestamp", "level_badge", "module", "message")}),
        (_("Context"), {"fields": ("context_json", "traceback_text")}),
    )
    readonly_fields = ("timestamp", "level_badge", "module", "context_json", "traceback_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return super().get_queryset(request).defer("traceback")

    @admin.display(description=_("time"), ordering="timestamp")
    def time(self, entry: LogEntry) -> Any:
        return show.ago(entry.timestamp)

    @admin.display(description=_("level"), ordering="level")
    def level_badge(self, entry: LogEntry) -> Any:
        return show.badge(entry.level, LEVEL_TONES.get(entry.level.lower(), "neutral"))

    @admin.display(description=_("message"))
    def short_message(self, entry: LogEntry) -> str:
        return entry.message if len(entry.message) <= 160 else entry.message[:159] + "…"

    @admin.display(description=_("context"))
    def context_json(self, entry: LogEntry) -> Any:
        return show.pretty_json(entry.context)

    @admin.display(description=_("traceback"))
    def traceback_text(self, entry: LogEntry) -> Any:
        if not entry.traceback:
            return show.EMPTY
        return format_html('<pre class="wf-json">{}</pre>', entry.traceback)
