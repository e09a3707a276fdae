"""Pages of databases and their sizes and sums: to be looked at only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter

from capacity import bars, trend
from capacity.admin.search import SearchedByDatabase
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    InstanceSizeStat,
    PeriodType,
)
from whalefall.console import show
from whalefall.console.pages import ReadOnlyAdmin, change_url
from whalefall.words import said


def size_column(field: str, description: Any) -> Any:
    """A column that shows a number of bytes for people; "not measured" with its reason."""

    @admin.display(description=description, ordering=field)
    def column(self: Any, row: Any) -> Any:
        return show.size(getattr(row, field), getattr(row, "reason", ""))

    return column


class SizeAdmin(ReadOnlyAdmin):
    """Rows of an instance or a database; sizes in readable units."""

    menu = "capacity"

    def row_title(self, row: Any) -> str:
        """Of a day or a period: whose, and which."""
        day = getattr(row, "collected_date", None) or getattr(row, "period_start", None)
        whose = getattr(row, "database", None) or row.instance if day else row
        return f"{whose} · {day}" if day else str(row)

    @admin.display(description=_("instance"), ordering="instance__name")
    def instance_link(self, row: Any) -> Any:
        return show.link(change_url(row.instance), row.instance)

    @admin.display(description=_("database"), ordering="database__database_name")
    def database_link(self, row: Any) -> Any:
        return show.link(change_url(row.database), row.database)

    @admin.display(description=_("change"), ordering="change_percent")
    def change(self, row: Any) -> Any:
        if row.change_bytes is None:
            return show.EMPTY
        percent = "" if row.change_percent is None else f" ({trend.percent(row.change_percent)})"
        return trend.signed(row.change_bytes, plus=True) + percent

    size = size_column("size_bytes", _("size"))
    data = size_column("data_bytes", _("data"))
    log = size_column("log_bytes", _("log"))
    indexes = size_column("index_bytes", _("indexes"))
    average = size_column("avg_bytes", _("average"))
    smallest = size_column("min_bytes", _("smallest"))
    largest = size_column("max_bytes", _("largest"))
    last = size_column("last_bytes", _("last"))

    @admin.display(description=_("not measured because"))
    def why(self, row: Any) -> str:
        return said(row.reason) or show.EMPTY

    def get_fields(self, request: Any, obj: Model | None = None) -> list[str]:
        names = (field.name for field in self.opts.fields if field.name != "id")
        return ["why" if name == "reason" else name for name in names]

    def get_readonly_fields(self, request: Any, obj: Model | None = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "why"]


@admin.register(InstanceDatabase)
class InstanceDatabaseAdmin(SearchedByDatabase, SizeAdmin):
    database_path = ""
    menu_icon = "storage"
    menu_order = 10
    list_display = (
        "database_name",
        "instance_link",
        "size",
        "indexes",
        "free",
        "limit",
        "is_active",
        "first_seen",
        "last_seen",
    )
    list_select_related = ("instance",)
    list_filter = ("is_active", ("instance", AutocompleteSelectFilter))
    search_fields = ("database_name", "instance__name")

    fieldsets = (
        (None, {"fields": ("database_name", "instance_link", "is_active")}),
        (_("Trend"), {"fields": ("trend",)}),
        (_("Size"), {"fields": ("size", "indexes", "free", "limit", "measured_at", "why")}),
        (_("Tables"), {"fields": ("tables", "tables_measured_at", "tables_why")}),
        (_("Seen"), {"fields": ("first_seen_at", "last_seen_at", "deleted_at")}),
    )
    readonly_fields = (
        *("instance_link", "trend", "tables", "size", "indexes", "free", "limit"),
        "tables_why",
    )

    free = size_column("free_bytes", _("free"))
    limit = size_column("limit_bytes", _("may grow to"))

    @admin.display(description=_("trend"))
    def trend(self, row: InstanceDatabase) -> Any:
        return trend.of_database(row)

    @admin.display(description=_("largest tables"))
    def tables(self, row: InstanceDatabase) -> Any:
        return bars.of_tables(row)

    @admin.display(description=_("tables not measured because"))
    def tables_why(self, row: InstanceDatabase) -> str:
        return said(row.tables_reason) or show.EMPTY

    @admin.display(description=_("first seen"), ordering="first_seen_at")
    def first_seen(self, row: InstanceDatabase) -> Any:
        return show.ago(row.first_seen_at)

    @admin.display(description=_("last seen"), ordering="last_seen_at")
    def last_seen(self, row: InstanceDatabase) -> Any:
        return show.ago(row.last_seen_at)


@admin.register(InstanceSizeStat)
class InstanceSizeStatAdmin(SizeAdmin):
    menu_icon = "monitoring"
    menu_order = 20
    list_display = (
        "collected_date",
        "instance_link",
        "size",
        "measured_count",
        "database_count",
    )
    list_select_related = ("instance",)
    list_filter = (
        ("collected_date", RangeDateFilter),
        ("instance", AutocompleteSelectFilter),
    )
    ordering = ("-collected_date", "-id")


@admin.register(DatabaseSizeStat)
class DatabaseSizeStatAdmin(SearchedByDatabase, SizeAdmin):
    menu_icon = "bar_chart"
    menu_order = 30
    list_display = ("collected_date", "database_link", "instance_link", "size", "data", "log")
    list_select_related = ("database", "instance")
    list_filter = (
        ("collected_date", RangeDateFilter),
        ("instance", AutocompleteSelectFilter),
    )
    ordering = ("-collected_date", "-id")


@admin.register(DatabaseTableSizeStat)
class DatabaseTableSizeStatAdmin(SearchedByDatabase, SizeAdmin):
    menu_icon = "table"
    menu_order = 40
    list_display = ("table_name", "schema_name", "database_link", "data", "indexes", "row_estimate")
    list_select_related = ("database",)
    list_filter = (("database__instance", AutocompleteSelectFilter),)
    search_fields = ("table_name", "schema_name", "database__database_name")


class PeriodFilter(admin.SimpleListFilter):
    """Days unless chosen otherwise: a list of several kinds says nothing, and no index has it."""

    title = _("period")
    parameter_name = "period_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, label) for kind, label in PeriodType.choices if kind != PeriodType.DAILY]

    def choices(self, changelist: Any) -> Any:
        default, *others = super().choices(changelist)
        return [default | {"display": PeriodType.DAILY.label}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind = self.value() if self.value() in PeriodType.values else PeriodType.DAILY
        return queryset.filter(period_type=kind)


class AggregationAdmin(SizeAdmin):
    list_filter = (
        PeriodFilter,
        ("period_start", RangeDateFilter),
        ("instance", AutocompleteSelectFilter),
    )
    ordering = ("-period_start", "-id")


@admin.register(InstanceSizeAggregation)
class InstanceSizeAggregationAdmin(AggregationAdmin):
    menu_icon = "trending_up"
    menu_order = 50
    list_display = (
        "period_start",
        "period_type",
        "instance_link",
        "average",
        "smallest",
        "largest",
        "last",
        "change",
    )
    list_select_related = ("instance",)


@admin.register(DatabaseSizeAggregation)
class DatabaseSizeAggregationAdmin(SearchedByDatabase, AggregationAdmin):
    menu_icon = "stacked_line_chart"
    menu_order = 60
    list_display = (
        "period_start",
        "period_type",
        "database_link",
        "instance_link",
        "average",
        "smallest",
        "largest",
        "last",
        "change",
    )
    list_select_related = ("database", "instance")
