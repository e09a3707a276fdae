"""The list of instances and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import (
    AllValuesCheckboxFilter,
    ChoicesCheckboxFilter,
    RadioFilter,
)
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.pages import RoleAdmin, button
from whalefall.instances import connection
from whalefall.instances.models import Instance
from whalefall.words import said

# Each may take the whole connect timeout, and somebody waits for the page.
MOST_TESTED = 10


class StateFilter(RadioFilter):
    """Without a choice, the recycle bin stays out of sight."""

    title = _("state")
    parameter_name = "state"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("present", _("Not deleted")),
            ("active", _("Active")),
            ("paused", _("Paused")),
            ("deleted", _("In the recycle bin")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "present"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        deleted = Q(deleted_at__isnull=False)
        wanted = {
            "present": ~deleted,
            "active": ~deleted & Q(is_active=True),
            "paused": ~deleted & Q(is_active=False),
            "deleted": deleted,
        }
        return queryset.filter(wanted.get(self.value(), Q()))


@admin.register(Instance)
class InstanceAdmin(RoleAdmin):
    """Higher apps add their columns, filters and actions with `console.pages.extend`, and parts of
    the page: `page_top` names templates, `page_context` gives what they show.
    """

    page_top: tuple[str, ...] = ("instances/state.html",)
    change_form_outer_before_template = "instances/page_top.html"

    menu = "fleet"
    menu_icon = "database"
    menu_order = 10
    list_display = ("name", "engine_label", "address", "state_badge")
    list_filter = (
        StateFilter,
        ("db_type", ChoicesCheckboxFilter),
        ("environment", AllValuesCheckboxFilter),
    )
    list_select_related = ()
    search_fields = ("name", "host", "description", "database_name")
    search_help_text = _("Searches names, hosts, databases and descriptions.")
    autocomplete_fields = ("credential",)
    actions = ("test_connections", "activate", "pause", "recycle", "restore_selected")
    actions_detail = ("test_connection", "restore")
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "environment"), "description", "is_active")}),
        (
            _("Connection"),
            {"fields": (("db_type", "credential"), ("host", "port"), "database_name")},
        ),
        (_("Encryption"), {"fields": ("tls_mode", "tls_ca")}),
        (_("Capacity"), {"fields": ("capacity_limit_bytes",)}),
        (_("Known"), {"fields": (("created_at", "updated_at"),)}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "tls_ca":
            kwargs["widget"] = UnfoldAdminTextareaWidget(
                attrs={
                    "rows": 8,
                    "class": "wf-mono",
                    "placeholder": "-----BEGIN CERTIFICATE-----",
                }
            )
        if db_field.name == "credential":
            kwargs["label"] = _("Credential")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("engine"), ordering="db_type")
    def engine_label(self, instance: Instance) -> str:
        return f"{instance.get_db_type_display()} {instance.main_version}".strip()

    @admin.display(description=_("address"), ordering="host")
    def address(self, instance: Instance) -> Any:
        """With the environment under it: a column of its own would push others off a screen."""
        place = f"{instance.host}:{instance.port}"
        name = f"{place}/{instance.database_name}" if instance.database_name else place
        return show.with_small(name, instance.environment)

    @admin.display(description=_("state"), ordering="is_active")
    def state_badge(self, instance: Instance) -> Any:
        if instance.deleted_at:
            return show.badge(_("deleted"), "danger")
        if not instance.is_active:
            return show.badge(_("paused"), "neutral")
        return show.badge(_("active"), "success")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        instance = kwargs.get("obj")
        if instance is not None:
            context.update(self.page_context(request, instance))
        return super().render_change_form(request, context, *args, **kwargs)

    def page_context(self, request: HttpRequest, instance: Instance) -> dict[str, Any]:
        """What the templates of the page are given; higher apps add to it."""
        return {
            "instance_page": True,
            "page_top": self.page_top,
            "instance": instance,
            "state": self.state_badge(instance),
            "address": self.address(instance),
            "connected": show.ago(instance.last_connected_at),
        }

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # `recycle` is what deleting means here
        return actions

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        """Nothing is lost by a visit to the recycle bin. Higher apps say what they keep."""
        number = len(objs)
        question = ngettext(
            "Move %(n)d instance to the recycle bin?",
            "Move %(n)d instances to the recycle bin?",
            number,
        )
        return Consequences(
            question=question % {"n": number},
            verb=_("Move to the recycle bin"),
            happens=(_("No schedule, session or rule reads or judges it any more."),),
            stays=(_("Its settings, tags and credential, and everything that was read."),),
            back=_("“Restore from the recycle bin” in the list of instances, state “deleted”."),
            is_loss=False,
        )

    def _recycled(self, request: HttpRequest, queryset: QuerySet[Any]) -> Consequences | None:
        moved = list(queryset.present())  # type: ignore[attr-defined]
        return self.consequences(moved) if moved else None

    def delete_model(self, request: HttpRequest, obj: Instance) -> None:
        obj.recycle()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            instance.recycle()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_deleted = getattr(obj, "deleted_at", None) is not None
        return not is_deleted and super().has_delete_permission(request, obj)

    @admin.action(description=_("Test connection"), permissions=["operate"])
    def test_connections(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        instances = list(queryset.select_related("credential")[: MOST_TESTED + 1])
        if len(instances) > MOST_TESTED:
            too_many = _("Choose at most %(n)d instances to test.") % {"n": MOST_TESTED}
            self.message_user(request, too_many, messages.ERROR)
            return
        results = [self._test(request, instance) for instance in instances]
        text = _("%(good)d of %(all)d instances answer.")
        number = {"good": sum(results), "all": len(results)}
        self.message_user(request, text % number, messages.INFO)

    @button(_("Test connection"), _("Connect now and ask what its login may read?"), icon="cable")
    def test_connection(self, request: HttpRequest, instance: Instance) -> None:
        self._test(request, instance)

    def _test(self, request: HttpRequest, instance: Instance) -> bool:
        result = connection.test_connection(instance)
        lines = [f"{instance}: {said(result.message)}"]
        lines += [said(result.remedy)] if result.remedy else []
        lines += [missing.remedy for missing in result.missing if missing.remedy]
        level = messages.SUCCESS if result.success else messages.ERROR
        if result.missing:
            level = messages.WARNING
        text = format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))
        self.message_user(request, text, level)
        return result.success

    @admin.action(description=_("Watch again"), permissions=["manage"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        self._set_active(request, queryset, True)

    @admin.action(description=_("Pause"), permissions=["manage"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        self._set_active(request, queryset, False)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[Any], active: bool) -> None:
        changed = queryset.exclude(is_active=active)
        for instance in changed:
            self.log_change(request, instance, [{"changed": {"fields": ["is_active"]}}])
        number = changed.update(is_active=active)
        text = ngettext("%(n)d instance changed.", "%(n)d instances changed.", number)
        self.message_user(request, text % {"n": number})

    @admin.action(description=_("Move to the recycle bin"), permissions=["manage"])
    @asks(_recycled)
    def recycle(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        moved = list(queryset.present())  # type: ignore[attr-defined]
        self.log_deletions(request, Instance.objects.filter(pk__in=[one.pk for one in moved]))
        for instance in moved:
            instance.recycle()
        text = ngettext(
            "%(n)d instance moved to the recycle bin.",
            "%(n)d instances moved to the recycle bin.",
            len(moved),
        )
        self.message_user(request, text % {"n": len(moved)})

    @admin.action(description=_("Restore from the recycle bin"), permissions=["manage"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        restored = [self._restore(request, one) for one in queryset.exclude(deleted_at=None)]
        text = ngettext("%(n)d instance restored.", "%(n)d instances restored.", sum(restored))
        self.message_user(request, text % {"n": sum(restored)})

    @button(
        _("Restore"),
        _("Take this instance out of the recycle bin?"),
        right="manage",
        icon="restore_from_trash",
        variant=ActionVariant.PRIMARY,
    )
    def restore(self, request: HttpRequest, instance: Instance) -> None:
        if self._restore(request, instance):
            self.message_user(
                request, _("%(name)s is back.") % {"name": instance}, messages.SUCCESS
            )

    def _restore(self, request: HttpRequest, instance: Instance) -> bool:
        try:
            instance.restore()
        except ValidationError as exc:
            text = f"{instance}: {' '.join(exc.messages)}"
            self.message_user(request, text, messages.ERROR)
            return False
        self.log_change(request, instance, [{"changed": {"fields": ["deleted_at"]}}])
        return True

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """ "Restore" is only offered for what is in the recycle bin."""
        offered = super().get_actions_detail(request, object_id)
        deleted = Instance.objects.filter(pk=object_id).exclude(deleted_at=None).exists()
        return [one for one in offered if one.action_name.endswith("_restore") == deleted]
