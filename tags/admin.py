"""Pages of tags, and the tags on the page of an instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, MultipleRelatedDropdownFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminColorInputWidget,
    UnfoldAdminRadioSelectWidget,
)

from tags import bulk, import_page
from tags.models import InstanceTag, Tag
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.pages import RoleAdmin, RoleRights, extend
from whalefall.instances.models import Instance

__all__ = ["import_page"]  # it adds a page to those of instances


def tag_badge(tag: Tag) -> Any:
    """The tag in its colour: a dot before the name, so that any colour stays readable."""
    return format_html(
        '<span class="wf-badge wf-neutral"><i class="wf-dot" style="background:{}"></i>{}</span>',
        tag.color,
        tag,
    )


class ColorInput(UnfoldAdminColorInputWidget):
    """A browser's colour field knows #rrggbb only and shows black for a name, which would then be
    saved: the basic names become numbers, others stay text.
    """

    BASIC: ClassVar = {
        **{"gray": "#808080", "black": "#000000", "white": "#ffffff", "red": "#ff0000"},
        **{"green": "#008000", "blue": "#0000ff", "orange": "#ffa500", "yellow": "#ffff00"},
        **{"purple": "#800080", "teal": "#008080", "navy": "#000080", "maroon": "#800000"},
    }

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        shown = self.BASIC.get(str(value).lower(), value)
        context: dict[str, Any] = super().get_context(name, shown, attrs)
        if not str(shown).startswith("#"):
            context["widget"]["type"] = "text"
        return context


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

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        number = InstanceTag.objects.filter(tag__in=objs).count()
        taken = ngettext(
            "It is taken off %(n)d instance.", "It is taken off %(n)d instances.", number
        )
        return Consequences(
            happens=(taken % {"n": number},),
            stays=(_("The instances, and all that is known of them."),),
            back=_("Make it anew and put it on the instances: “Change tags” in their list."),
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "color":
            kwargs["widget"] = ColorInput
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


class ChangeTagsForm(forms.Form):
    """What to do with which tags."""

    what = forms.ChoiceField(
        label=_("What"),
        choices=bulk.What.choices,
        initial=bulk.What.ASSIGN,
        widget=UnfoldAdminRadioSelectWidget,
    )
    tags = forms.ModelMultipleChoiceField(
        label=_("Tags"),
        queryset=Tag.objects.filter(is_active=True),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("what") != bulk.What.REMOVE_ALL and not cleaned.get("tags"):
            self.add_error("tags", _("Choose at least one tag."))
        return cleaned


@extend(Instance)
class TaggedInstances:
    """Tags in the list, the filters and on the page of an instance."""

    list_display = ("tag_badges",)
    actions = ("change_tags",)
    list_filter = (("tags", MultipleRelatedDropdownFilter),)
    inlines = (InstanceTagInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        active = Tag.objects.filter(is_active=True)
        return (
            super()
            .get_queryset(request)  # type: ignore[misc]
            .prefetch_related(Prefetch("tags", queryset=active, to_attr="active_tags"))
        )

    def page_context(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, instance)  # type: ignore[misc]
        return context | {"tag_badges": [tag_badge(tag) for tag in instance.active_tags]}

    @admin.display(description=_("tags"))
    def tag_badges(self, instance: Any) -> Any:
        return show.joined([tag_badge(tag) for tag in instance.active_tags])

    @admin.action(description=_("Change tags"), permissions=["operate"])
    def change_tags(self, request: HttpRequest, queryset: QuerySet[Instance]) -> Any:
        """Asks which tags, shows what would change, then does it."""
        chosen = list(queryset.present().order_by("name"))  # type: ignore[attr-defined]
        if not chosen:
            text = _("None of these instances can be changed.")
            self.message_user(request, text, messages.WARNING)  # type: ignore[attr-defined]
            return None
        step = request.POST.get("step", "")
        form = ChangeTagsForm(request.POST if step else None)
        if not step or not form.is_valid():
            return self._ask(request, chosen, form)
        what, tags = form.cleaned_data["what"], [tag.pk for tag in form.cleaned_data["tags"]]
        ids = [instance.pk for instance in chosen]
        if step == "apply":
            return self._apply(request, chosen, what, tags)
        return self._ask(request, chosen, form, bulk.preview(what, ids, tags))

    def _ask(
        self, request: HttpRequest, instances: list[Instance], form: Any, preview: Any = None
    ) -> TemplateResponse:
        context = {
            **admin.site.each_context(request),
            "title": _("Change tags"),
            "opts": Instance._meta,
            "instances": instances,
            "selected": request.POST.getlist("_selected_action"),
            "select_across": request.POST.get("select_across", "0"),
            "form": form,
            "preview": preview,
            "changes": sum(row["changes"] for row in preview or ()),
        }
        return TemplateResponse(request, "tags/change_tags.html", context)

    def _apply(
        self, request: HttpRequest, instances: list[Instance], what: str, tags: list[int]
    ) -> None:
        changed = bulk.apply(what, [instance.pk for instance in instances], tags)
        names = ", ".join(Tag.objects.filter(pk__in=tags).values_list("name", flat=True))
        for instance in instances:
            self.log_change(request, instance, f"tags: {what} {names}".strip())  # type: ignore[attr-defined]
        text = ngettext("%(n)d tag changed.", "%(n)d tags changed.", changed) % {"n": changed}
        self.message_user(request, text, messages.SUCCESS)  # type: ignore[attr-defined]
