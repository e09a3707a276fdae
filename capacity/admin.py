"""Pages of databases and their sizes: to be looked at only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    RangeDateFilter,
)

from capacity import trend
from capacity.models import (
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    InstanceSizeStat,
)
from whalefall.console import show
from whalefall.console.pages import ReadOnlyAdmin, change_url, extend
from whalefall.instances.models import Instance


def size_column(field: str, description: Any) -> Any:
    """A column that shows a number of bytes for people; "not measured" with its reason."""

    @admin.display(description=description, ordering=field)
    def column(self: Any, row: Any) -> Any:
        return show.size(getattr(row, field), getattr(row, "reason", ""))

    return column


class SizeAdmin(ReadOnlyAdmin):
    """Rows of an instance or a database; sizes in readable units."""

    menu = "capacity"

    @admin.display(description=_("instance"), ordering="instance__name")
    def instance_link(self, row: Any) -> Any:
        return show.link(change_url(row.instance), row.instance)

    @admin.display(description=_("change"), ordering="change_percent")
    def change(self, row: Any) -> Any:
        if row.change_bytes is None:
            return show.EMPTY
        sign = "+" if row.change_bytes > 0 else ""
        percent = "" if row.change_percent is None else f" ({sign}{row.change_percent:.1f} %)"
        size = show.size(abs(row.change_bytes))
        return f"{'−' if row.change_bytes < 0 else sign}{size}{percent}"

    size = size_column("size_bytes", _("size"))
    data = size_column("data_bytes", _("data"))
    log = size_column("log_bytes", _("log"))
    indexes = size_column("index_bytes", _("indexes"))
    average = size_column("avg_bytes", _("average"))
    smallest = size_column("min_bytes", _("smallest"))
    largest = size_column("max_bytes", _("largest"))
    last = size_column("last_bytes", _("last"))

    def get_fields(self, request: Any, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.opts.fields if field.name != "id"]


@admin.register(InstanceDatabase)
class InstanceDatabaseAdmin(SizeAdmin):
    menu_icon = "storage"
    menu_order = 10
    list_display = (
        "database_name",
        "instance_link",
        "size",
        "is_active",
        "first_seen",
        "last_seen",
    )
    list_select_related = ("instance",)
    list_filter = ("is_active", ("instance", AutocompleteSelectFilter))
    search_fields = ("database_name", "instance__name")

    def get_fields(self, request: Any, obj: Model | None = None) -> list[str]:
        return ["trend", *super().get_fields(request, obj)]

    def get_readonly_fields(self, request: Any, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "trend")

    @admin.display(description=_("trend"))
    def trend(self, row: InstanceDatabase) -> Any:
        return trend.of_database(row)

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
class DatabaseSizeStatAdmin(SizeAdmin):
    menu_icon = "bar_chart"
    menu_order = 30
    list_display = ("collected_date", "database", "instance_link", "size", "data", "log")
    list_select_related = ("database", "instance")
    list_filter = (
        ("collected_date", RangeDateFilter),
        ("instance", AutocompleteSelectFilter),
    )
    search_fields = ("database__database_name",)
    ordering = ("-collected_date", "-id")


@admin.register(DatabaseTableSizeStat)
class DatabaseTableSizeStatAdmin(SizeAdmin):
    menu_icon = "table"
    menu_order = 40
    list_display = ("table_name", "schema_name", "database", "data", "indexes", "row_estimate")
    list_select_related = ("database",)
    list_filter = (("database__instance", AutocompleteSelectFilter),)
    search_fields = ("table_name", "schema_name", "database__database_name")


class AggregationAdmin(SizeAdmin):
    list_filter = (
        ("period_type", ChoicesCheckboxFilter),
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
class DatabaseSizeAggregationAdmin(AggregationAdmin):
    menu_icon = "stacked_line_chart"
    menu_order = 60
    list_display = (
        "period_start",
        "period_type",
        "database",
        "instance_link",
        "average",
        "smallest",
        "largest",
        "last",
        "change",
    )
    list_select_related = ("database", "instance")
    search_fields = ("database__database_name",)


@extend(Instance)
class MeasuredInstances:
    """How its size went, on the page of an instance."""

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "trend")  # type: ignore[misc]

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        return fieldsets if obj is None else (*fieldsets, (_("Size"), {"fields": ("trend",)}))

    @admin.display(description=_("trend"))
    def trend(self, instance: Instance) -> Any:
        return trend.of_instance(instance)
