"""The list of sessions and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import (
    QuerySet,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.enums import ActionVariant

from sync.admin import progress
from sync.admin.parts import SESSION, lasted, progress_bar
from sync.models import (
    SyncInstanceRecord,
    SyncSession,
    WrongTransition,
)
from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, button, change_url


@admin.register(SyncSession)
class SyncSessionAdmin(ReadOnlyAdmin):
    empty_hint = _(
        "Choose instances under Fleet, then Synchronise accounts; every night a job does it."
    )
    menu = "runs"
    menu_icon = "sync"
    menu_order = 10
    change_form_template = "sync/session.html"
    list_display = (
        "started",
        "sync_category",
        "sync_type",
        "state",
        "progress",
        "by_whom",
        "duration",
    )
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("sync_category", ChoicesCheckboxFilter),
        ("sync_type", ChoicesCheckboxFilter),
        ("started_at", TimeRangeFilter),
    )
    list_select_related = ("created_by",)
    search_fields = ("=session_id", "records__instance_name")
    search_help_text = _("Searches session ids and the names of instances.")
    actions = ("cancel_selected", "retry_selected")
    actions_detail = ("cancel", "retry")

    def row_title(self, row: SyncSession) -> str:
        started = date_format(timezone.localtime(row.started_at), "DATETIME_FORMAT")
        return f"{row.get_sync_category_display()} · {started}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()  # the template shows the session

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        session = kwargs.get("obj")
        if session is not None:
            context.update(self.page_context(session))
        return super().render_change_form(request, context, *args, **kwargs)

    def page_context(self, session: SyncSession) -> dict[str, Any]:
        return progress.context(session)

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view(self.progress_view)
        name = "sync_syncsession_progress"
        return [path("<int:pk>/progress/", view, name=name), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that a running session fetches again and again. When it has ended
        the whole page is loaded once more: other buttons apply then.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        session = get_object_or_404(SyncSession.objects.select_related("created_by"), pk=pk)
        if session.has_ended:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "sync/progress.html", progress.context(session))

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, session: SyncSession) -> Any:
        return show.ago(session.started_at)

    @admin.display(description=_("state"), ordering="status")
    def state(self, session: SyncSession) -> Any:
        return show.state(session.status, session.get_status_display())

    @admin.display(description=_("instances"), ordering="total_instances")
    def progress(self, session: SyncSession) -> Any:
        return progress_bar(session)

    @admin.display(description=_("started by"), ordering="created_by__username")
    def by_whom(self, session: SyncSession) -> Any:
        return session.created_by or show.EMPTY

    @admin.display(description=_("duration"))
    def duration(self, session: SyncSession) -> str:
        return lasted(session)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what the state of the session allows."""
        found = SyncSession.objects.filter(pk=object_id).values("status", "failed_instances")
        session = found.first() or {"status": "", "failed_instances": 0}
        running = session["status"] == SESSION.RUNNING
        allowed = {"cancel": running, "retry": not running and session["failed_instances"] > 0}
        return [
            one
            for one in super().get_actions_detail(request, object_id)
            if allowed[one.method.original_function_name]
        ]

    def _cancelled(
        self, request: HttpRequest, queryset: QuerySet[SyncSession]
    ) -> Consequences | None:
        running = queryset.filter(status=SESSION.RUNNING)
        number = running.count()
        waiting = SyncInstanceRecord.objects.unfinished().filter(session__in=running).count()
        text = ngettext("Cancel %(n)d session?", "Cancel %(n)d sessions?", number)
        left = ngettext(
            "%(n)d instance has not been done yet; what is running now ends first.",
            "%(n)d instances have not been done yet; what is running now ends first.",
            waiting,
        )
        found = Consequences(
            question=text % {"n": number},
            verb=_("Cancel"),
            happens=(left % {"n": waiting},),
            stays=(_("What was read so far."),),
            back=_("Begin a new session for the instances that are left."),
        )
        return found if number else None

    @admin.action(description=_("Cancel"), permissions=["operate"])
    @asks(_cancelled)
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[SyncSession]) -> None:
        done = [self._cancel(request, session) for session in queryset]
        text = ngettext("%(n)d session cancelled.", "%(n)d sessions cancelled.", sum(done))
        self.message_user(request, text % {"n": sum(done)})

    @admin.action(description=_("Retry what failed"), permissions=["operate"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[SyncSession]) -> None:
        started = [self._retry(request, session) for session in queryset]
        number = len([session for session in started if session])
        text = ngettext("%(n)d session started.", "%(n)d sessions started.", number)
        self.message_user(request, text % {"n": number})

    @button(
        _("Cancel"),
        _("What has not begun is not done; what is running now ends first."),
        icon="cancel",
        variant=ActionVariant.WARNING,
    )
    def cancel(self, request: HttpRequest, session: SyncSession) -> None:
        if self._cancel(request, session):
            self.message_user(request, _("The session is being cancelled."), messages.SUCCESS)

    @button(
        _("Retry what failed"),
        _("A new session reads the instances that failed here."),
        icon="replay",
        variant=ActionVariant.PRIMARY,
    )
    def retry(self, request: HttpRequest, session: SyncSession) -> str | None:
        started = self._retry(request, session)
        return change_url(started) if started else None

    def _cancel(self, request: HttpRequest, session: SyncSession) -> bool:
        try:
            session.cancel()
        except WrongTransition as exc:
            self.message_user(request, str(exc), messages.ERROR)
            return False
        self.log_change(request, session, str(_("cancelled")))
        return True

    def _retry(self, request: HttpRequest, session: SyncSession) -> SyncSession | None:
        try:
            return session.retry_failed(created_by=request.user)
        except WrongTransition as exc:
            self.message_user(request, str(exc), messages.ERROR)
            return None
