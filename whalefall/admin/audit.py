"""The page of the audit log."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter

from whalefall.console import show
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin
from whalefall.models import AuditEntry

SHOWN = 3
DONE = {
    **{name: _("added") for name in ("add", "create")},
    **{name: _("changed") for name in ("change", "update", "partial_update")},
    **{name: _("deleted") for name in ("delete", "destroy", "delete_selected")},
    **{name: _("looked at") for name in ("view", "list", "retrieve")},
    **{name: _("exported") for name in ("export", "exports")},
    **{"login": _("signed in"), "logout": _("signed out"), "sync": _("synchronised")},
    **{"recycle": _("moved to the recycle bin"), "restore": _("restored")},
    **{"add_instance": _("added an instance"), "run": _("run"), "pause": _("paused")},
    **{"resume": _("resumed"), "retry": _("retried"), "cancel": _("cancelled")},
    **{"accept_risk": _("accepted a risk"), "classify_by_hand": _("classified by hand")},
    **{"change_tags": _("changed tags"), "preferences": _("changed own preferences")},
}
"""What was done, in words; others are shown by their name."""
RESULT_TONES = {"done": "success", "refused": "warning", "failed": "danger"}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What people did, in the console and through the API."""

    empty_hint = _("Everything that somebody changes stands here.")
    menu = "people"
    menu_icon = "history"
    menu_order = 30
    menu_title = _("Audit log")
    view_right = "manage"
    list_display = ("when", "username", "through", "what_was_done", "kind", "what", "result_badge")
    list_filter = (
        ("result", ChoicesDropdownFilter),
        ("via", ChoicesDropdownFilter),
        ("object_type", FieldTextFilter),
        ("time", TimeRangeFilter),
    )
    search_fields = ("username", "object_name", "action", "=request_id")
    search_help_text = _("Searches people, objects, actions and request ids.")
    fields = (
        *("time", "username", "token", "address", "via", "action"),
        *("object_type", "object_id", "object_name", "details_json"),
        *("result_badge", "status", "request_id"),
    )
    readonly_fields = ("details_json", "result_badge")

    def row_title(self, row: AuditEntry) -> str:
        return f"{row.username}: {self.what_was_done(row)} {self.what(row)}"

    @admin.display(description=_("time"), ordering="time")
    def when(self, entry: AuditEntry) -> Any:
        return show.ago(entry.time)

    @admin.display(description=_("through"), ordering="via")
    def through(self, entry: AuditEntry) -> Any:
        return entry.get_via_display()

    @admin.display(description=_("object"), ordering="object_name")
    def what(self, entry: AuditEntry) -> str:
        """The object; of several the first ones."""
        names = entry.details.get("objects") or [entry.object_name or entry.object_id]
        text = ", ".join(map(str, names[:SHOWN]))
        return f"{text} …" if len(names) > SHOWN else text or show.EMPTY

    @admin.display(description=_("action"), ordering="action")
    def what_was_done(self, entry: AuditEntry) -> str:
        words = DONE.get(entry.action)
        return str(words) if words else entry.action.replace("_", " ")

    @admin.display(description=_("kind"), ordering="object_type")
    def kind(self, entry: AuditEntry) -> Any:
        """As the menu calls it; the bare label of what is no model any more."""
        try:
            return apps.get_model(entry.object_type)._meta.verbose_name
        except (LookupError, ValueError):
            return entry.object_type or show.EMPTY

    @admin.display(description=_("result"), ordering="result")
    def result_badge(self, entry: AuditEntry) -> Any:
        return show.badge(entry.get_result_display(), RESULT_TONES[entry.result])

    @admin.display(description=_("details"))
    def details_json(self, entry: AuditEntry) -> Any:
        return show.pretty_json(entry.details)
