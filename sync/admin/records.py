"""The list of records and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from sync.admin.filters import CauseFilter, FailingFilter
from sync.admin.parts import lasted
from sync.dashboard import state
from sync.models import SyncInstanceRecord, SyncSession, SyncType
from whalefall.console import show
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, change_url
from whalefall.instances.models import Instance
from whalefall.words import said


@admin.register(SyncInstanceRecord)
class SyncInstanceRecordAdmin(ReadOnlyAdmin):
    empty_hint = _("Each session leaves a record for each instance here.")
    menu = "runs"
    menu_icon = "checklist"
    menu_order = 20
    menu_title = _("Records")
    list_display = (
        "instance_name",
        "state",
        "items_synced",
        "items_created",
        "items_updated",
        "items_deleted",
        "error",
        "session_link",
        "started",
        "duration",
    )
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        FailingFilter,
        CauseFilter,
        ("created_at", TimeRangeFilter),
    )
    list_select_related = ("session",)
    search_fields = ("instance_name", "error_message")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("instance_name", "state", "whole_error", "session_link")}),
        (
            _("Counts"),
            {"fields": (("items_synced", "items_created"), ("items_updated", "items_deleted"))},
        ),
        (_("Times"), {"fields": (("created_at", "started_at"), ("completed_at", "duration"))}),
        (_("Details"), {"fields": ("details",)}),
    )
    readonly_fields = ("state", "whole_error", "session_link", "duration", "details")

    def row_title(self, row: SyncInstanceRecord) -> str:
        return f"{row.instance_name} · {row.session.get_sync_category_display()}"

    def get_urls(self) -> list[Any]:
        retry = self.admin_site.admin_view(require_POST(self.retry))
        name = "sync_syncinstancerecord_retry"
        return [path("retry/", retry, name=name), *super().get_urls()]

    def retry(self, request: HttpRequest) -> HttpResponseRedirect:
        """A new session for the instances that fail with a cause; its page is shown."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        chosen = (category, _kind) = (
            request.POST.get("category", ""),
            request.POST.get("cause", ""),
        )
        alike = [one.instance for one in state.failed() if (one.category, one.kind) == chosen]
        instances = Instance.objects.filter(pk__in=alike)
        if not instances:
            self.message_user(request, _("Nothing fails like that any more."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:index"))
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH, instances, sync_category=category, created_by=request.user
        )
        self.log_addition(request, session, [{"added": {}}])
        return HttpResponseRedirect(change_url(session))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncInstanceRecord]:
        return super().get_queryset(request).defer("sync_details")

    @admin.display(description=_("state"), ordering="status")
    def state(self, record: SyncInstanceRecord) -> Any:
        return show.state(record.status, record.get_status_display())

    @admin.display(description=_("error"))
    def error(self, record: SyncInstanceRecord) -> str:
        text = said(record.error_message) or show.EMPTY
        return text if len(text) <= 120 else text[:119] + "…"

    @admin.display(description=_("error"))
    def whole_error(self, record: SyncInstanceRecord) -> str:
        return said(record.error_message) or show.EMPTY

    @admin.display(description=_("session"))
    def session_link(self, record: SyncInstanceRecord) -> Any:
        return show.link(change_url(record.session), str(record.session)[:8])

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, record: SyncInstanceRecord) -> Any:
        return show.ago(record.started_at)

    @admin.display(description=_("duration"))
    def duration(self, record: SyncInstanceRecord) -> Any:
        return format_html('<span class="wf-time">{}</span>', lasted(record))

    @admin.display(description=_("details"))
    def details(self, record: SyncInstanceRecord) -> Any:
        return show.pretty_json(record.sync_details)
