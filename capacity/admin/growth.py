"""Lists of a whole fleet: what moved most, when instances are full, volumes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from capacity import trend
from capacity.admin.overview import OverviewPage, days_badge
from capacity.admin.sizes import SizeAdmin, size_column
from capacity.bars import part
from capacity.models import DatabaseGrowth, InstanceOutlook, InstanceVolume, Window
from whalefall.console import show
from whalefall.console.pages import change_url


class WindowFilter(admin.SimpleListFilter):
    """Over how many days; 30 unless chosen."""

    title = _("over")
    parameter_name = "window"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(days), label) for days, label in Window.choices if days != Window.MONTH]

    def choices(self, changelist: Any) -> Any:
        default, *others = super().choices(changelist)
        return [default | {"display": Window.MONTH.label}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {str(days): days for days in Window.values}.get(self.value() or "", Window.MONTH)
        return queryset.filter(window_days=chosen)


class EngineFilter(ChoicesDropdownFilter):
    title = _("engine")


@admin.register(DatabaseGrowth)
class DatabaseGrowthAdmin(SizeAdmin):
    """By the bytes that it grew; a click on the heading sorts by percent."""

    menu_icon = "trending_up"
    menu_order = 8
    menu_title = _("Top movers")
    list_display = (
        "database_link",
        "instance_link",
        "before",
        "size",
        "change_in_bytes",
        "change_in_percent",
        "between",
    )
    list_display_links = None
    list_select_related = ("database", "instance")
    list_filter = (
        WindowFilter,
        ("instance__db_type", EngineFilter),
        ("instance__tags", AutocompleteSelectFilter),
        ("instance", AutocompleteSelectFilter),
    )
    search_fields = ("database__database_name",)
    ordering = ("-change_bytes", "-id")

    before = size_column("from_bytes", _("before"))
    size = size_column("to_bytes", _("size"))

    @admin.display(description=_("database"), ordering="database__database_name")
    def database_link(self, row: DatabaseGrowth) -> Any:
        return show.link(change_url(row.database), row.database)

    @admin.display(description=_("change"), ordering="change_bytes")
    def change_in_bytes(self, row: DatabaseGrowth) -> str:
        return trend.signed(row.change_bytes, plus=True)

    @admin.display(description=_("in percent"), ordering=DatabaseGrowth.LARGEST_PERCENT)
    def change_in_percent(self, row: DatabaseGrowth) -> str:
        return show.EMPTY if row.change_percent is None else trend.percent(row.change_percent)

    @admin.display(description=_("between"), ordering="to_day")
    def between(self, row: DatabaseGrowth) -> str:
        return f"{row.from_day} – {row.to_day}"


@admin.register(InstanceOutlook)
class InstanceOutlookAdmin(OverviewPage, SizeAdmin):
    """The soonest first; those without a day last, with the reason."""

    menu_icon = "hourglass_bottom"
    menu_order = 6
    menu_title = _("Days to full")
    list_display = (
        "instance_link",
        "to_full",
        "full_day",
        "used",
        "headroom",
        "per_day",
        "error",
    )
    list_display_links = None
    list_select_related = ("instance",)
    list_filter = (
        ("instance__db_type", EngineFilter),
        ("instance__tags", AutocompleteSelectFilter),
        ("limit_source", ChoicesDropdownFilter),
    )
    search_fields = ("instance__name",)
    ordering = ("days_to_full", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstanceOutlook]:
        return super().get_queryset(request).filter(instance__deleted_at=None)

    @admin.display(description=_("days to full"), ordering="days_to_full")
    def to_full(self, row: InstanceOutlook) -> Any:
        return days_badge(row)

    @admin.display(description=_("full on"), ordering="full_on")
    def full_day(self, row: InstanceOutlook) -> Any:
        return (
            show.EMPTY
            if row.full_on is None
            else format_html('<span class="wf-time">{}</span>', str(row.full_on))
        )

    @admin.display(description=_("used"), ordering="last_bytes")
    def used(self, row: InstanceOutlook) -> Any:
        text = show.size(row.last_bytes, row.reason)
        if row.limit_bytes is None or row.last_bytes is None:
            return text
        limit = _("%(used)s of %(limit)s") % {"used": text, "limit": show.size(row.limit_bytes)}
        bar = part(row.last_bytes, row.limit_bytes)
        return format_html('<span class="wf-time">{}{}</span>', bar, limit)

    @admin.display(description=_("headroom"))
    def headroom(self, row: InstanceOutlook) -> Any:
        if row.limit_bytes is None or row.last_bytes is None:
            return show.EMPTY
        return trend.signed(row.limit_bytes - row.last_bytes)

    @admin.display(description=_("growth per day"), ordering="growth_per_day")
    def per_day(self, row: InstanceOutlook) -> Any:
        if row.growth_per_day is None or row.growth_low is None or row.growth_high is None:
            return show.EMPTY
        said, least, most = (
            trend.signed(slope, plus=True)
            for slope in (row.growth_per_day, row.growth_low, row.growth_high)
        )
        return format_html('<span title="{} – {}">{}</span>', least, most, said)

    @admin.display(description=_("back-test error"), ordering="error_percent")
    def error(self, row: InstanceOutlook) -> str:
        return show.EMPTY if row.error_percent is None else f"{row.error_percent:.1f} %"


@admin.register(InstanceVolume)
class InstanceVolumeAdmin(SizeAdmin):
    menu_icon = "hard_drive"
    menu_order = 15
    list_display = ("volume_name", "instance_link", "used", "free", "total", "seen")
    list_select_related = ("instance",)
    list_filter = (("instance", AutocompleteSelectFilter),)
    search_fields = ("volume_name", "instance__name")
    ordering = ("free_bytes", "id")

    free = size_column("free_bytes", _("free"))
    total = size_column("total_bytes", _("total"))

    @admin.display(description=_("used"))
    def used(self, volume: InstanceVolume) -> Any:
        if volume.used_percent is None:
            return show.EMPTY
        return format_html("{}{} %", part(volume.used_percent, 100), round(volume.used_percent))

    @admin.display(description=_("measured"), ordering="measured_at")
    def seen(self, volume: InstanceVolume) -> Any:
        return show.ago(volume.measured_at)

    def get_fields(self, request: Any, obj: Model | None = None) -> list[str]:
        return [*super().get_fields(request, obj), "used"]

    def get_readonly_fields(self, request: Any, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "used")
