"""Pages of tags, and the tags on the page of an instance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, MultipleRelatedDropdownFilter
from unfold.widgets import UnfoldAdminColorInputWidget

from tags.models import InstanceTag, Tag
from whalefall.console import show
from whalefall.console.pages import RoleAdmin, RoleRights, extend
from whalefall.instances.models import Instance


def tag_badge(tag: Tag) -> Any:
    """The tag in its colour: a dot before the name, so that any colour stays readable."""
    return format_html(
        '<span class="wf-badge wf-neutral"><i class="wf-dot" style="background:{}"></i>{}</span>',
        tag.color,
        tag,
    )


@admin.register(Tag)
class TagAdmin(RoleAdmin):
    menu = "fleet"
    menu_icon = "sell"
    menu_order = 30
    write_right = "operate"
    list_display = ("name", "shown_as", "category", "is_active", "instance_count")
    list_filter = (("category", AllValuesCheckboxFilter), "is_active")
    search_fields = ("name", "display_name", "category")
    fieldsets = (
        (None, {"fields": (("name", "display_name"), ("category", "color"), "is_active")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        present = Count("instances", filter=Q(instances__deleted_at=None))
        return super().get_queryset(request).annotate(number_of_instances=present)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "color":
            kwargs["widget"] = UnfoldAdminColorInputWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("shown as"), ordering="display_name")
    def shown_as(self, tag: Tag) -> Any:
        return tag_badge(tag)

    @admin.display(description=_("instances"), ordering="number_of_instances")
    def instance_count(self, tag: Any) -> Any:
        return show.link(
            f"../../instances/instance/?tags__id__exact={tag.pk}", tag.number_of_instances
        )


class InstanceTagInline(RoleRights, TabularInline):
    model = InstanceTag
    write_right = "operate"
    extra = 0
    autocomplete_fields = ("tag",)
    hide_title = True
    verbose_name = _("tag")
    verbose_name_plural = _("tags")


@extend(Instance)
class TaggedInstances:
    """Tags in the list, the filters and on the page of an instance."""

    list_display = ("tag_badges",)
    list_filter = (("tags", MultipleRelatedDropdownFilter),)
    inlines = (InstanceTagInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        active = Tag.objects.filter(is_active=True)
        return (
            super()
            .get_queryset(request)  # type: ignore[misc]
            .prefetch_related(Prefetch("tags", queryset=active, to_attr="active_tags"))
        )

    @admin.display(description=_("tags"))
    def tag_badges(self, instance: Any) -> Any:
        return show.joined([tag_badge(tag) for tag in instance.active_tags])
