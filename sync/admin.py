"""Pages of sessions and records, and how the last sync went, on the pages of instances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import (
    Case,
    Count,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.enums import ActionVariant

from sync import queue, queue_admin
from sync.models import (
    SyncCategory,
    SyncInstanceRecord,
    SyncSession,
    SyncType,
    WrongTransition,
)
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, button, change_url, extend
from whalefall.instances.models import Instance

__all__ = ["queue_admin"]  # it registers the pages of jobs and of the queue

RECORDS_SHOWN = 200
RECORD = SyncInstanceRecord.Status
SESSION = SyncSession.Status
# Those that need looking at come first.
STATE_ORDER = (RECORD.FAILED, RECORD.RUNNING, RECORD.PENDING, RECORD.CANCELLED, RECORD.COMPLETED)


def progress_bar(session: SyncSession) -> Any:
    """Successful, failed and open parts of the instances as one bar."""
    total = session.total_instances or 1
    return format_html(
        '<span class="wf-bar" title="{}"><i class="wf-bar-good" style="width:{}%"></i>'
        '<i class="wf-bar-bad" style="width:{}%"></i></span>'
        '<span class="wf-bar-text">{}/{}</span>',
        _("%(good)d successful, %(bad)d failed of %(total)d")
        % {
            "good": session.successful_instances,
            "bad": session.failed_instances,
            "total": session.total_instances,
        },
        round(100 * session.successful_instances / total),
        round(100 * session.failed_instances / total),
        session.successful_instances + session.failed_instances,
        session.total_instances,
    )


def lasted(row: Any) -> str:
    """Seconds or minutes from start to end, or until now."""
    if row.started_at is None:
        return show.EMPTY
    seconds = ((row.completed_at or timezone.now()) - row.started_at).total_seconds()
    if seconds < 90:
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds / 60:.1f} min"


@admin.register(SyncSession)
class SyncSessionAdmin(ReadOnlyAdmin):
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
        "created_by",
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
        order = [When(status=status, then=Value(i)) for i, status in enumerate(STATE_ORDER)]
        place = Case(*order, output_field=IntegerField())
        records = session.records.defer("sync_details").order_by(place, "instance_name")
        shown = list(records[:RECORDS_SHOWN])
        return {
            "subtitle": f"{session.get_sync_category_display()} · {session.started_at:%F %H:%M}",
            "sync_session": session,
            "state": show.state(session.status, session.get_status_display()),
            "bar": progress_bar(session),
            "duration": lasted(session),
            "records": [
                {
                    "record": record,
                    "state": show.state(record.status, record.get_status_display()),
                    "duration": lasted(record),
                    "url": change_url(record),
                }
                for record in shown
            ],
            "hidden_records": max(session.total_instances - len(shown), 0),
            "records_url": list_url("sync_syncinstancerecord", session__id__exact=session.pk),
            "no_worker": session.status == SESSION.RUNNING and not queue.live_workers(),
        }

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, session: SyncSession) -> Any:
        return show.ago(session.started_at)

    @admin.display(description=_("state"), ordering="status")
    def state(self, session: SyncSession) -> Any:
        return show.state(session.status, session.get_status_display())

    @admin.display(description=_("instances"), ordering="total_instances")
    def progress(self, session: SyncSession) -> Any:
        return progress_bar(session)

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

    @admin.action(description=_("Cancel"), permissions=["operate"])
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


@admin.register(SyncInstanceRecord)
class SyncInstanceRecordAdmin(ReadOnlyAdmin):
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
    list_filter = (("status", ChoicesCheckboxFilter), ("created_at", TimeRangeFilter))
    list_select_related = ("session",)
    search_fields = ("instance_name", "error_message")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("instance_name", "state", "error_message", "session_link")}),
        (
            _("Counts"),
            {"fields": (("items_synced", "items_created"), ("items_updated", "items_deleted"))},
        ),
        (_("Times"), {"fields": (("created_at", "started_at"), ("completed_at", "duration"))}),
        (_("Details"), {"fields": ("details",)}),
    )
    readonly_fields = ("state", "session_link", "duration", "details")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncInstanceRecord]:
        return super().get_queryset(request).defer("sync_details")

    @admin.display(description=_("state"), ordering="status")
    def state(self, record: SyncInstanceRecord) -> Any:
        return show.state(record.status, record.get_status_display())

    @admin.display(description=_("error"))
    def error(self, record: SyncInstanceRecord) -> str:
        text = record.error_message or show.EMPTY
        return text if len(text) <= 120 else text[:119] + "…"

    @admin.display(description=_("session"))
    def session_link(self, record: SyncInstanceRecord) -> Any:
        return show.link(change_url(record.session), str(record.session)[:8])

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, record: SyncInstanceRecord) -> Any:
        return show.ago(record.started_at)

    @admin.display(description=_("duration"))
    def duration(self, record: SyncInstanceRecord) -> str:
        return lasted(record)

    @admin.display(description=_("details"))
    def details(self, record: SyncInstanceRecord) -> Any:
        return show.pretty_json(record.sync_details)


@extend(Instance)
class SyncedInstances:
    """How the last sync went, and the button that starts one."""

    list_display = ("last_sync",)
    actions = ("sync_accounts", "measure")
    actions_detail = ("sync_now", "measure_now")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        newest = SyncInstanceRecord.objects.filter(instance=OuterRef("pk")).order_by("-id")
        last = newest.values(
            found=JSONObject(
                pk="pk",
                status="status",
                error="error_message",
                at="completed_at",
                begun="started_at",
            )
        )[:1]
        return super().get_queryset(request).annotate(last_record=Subquery(last))  # type: ignore[misc]

    @admin.display(description=_("last sync"))
    def last_sync(self, instance: Any) -> Any:
        last = instance.last_record
        if not last:
            return show.EMPTY
        moment = last["at"] or last["begun"]
        badge = show.state(last["status"], RECORD(last["status"]).label, last["error"])
        return format_html("{} {}", badge, show.ago(parse_datetime(moment) if moment else None))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "last_result")  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None:
            return fieldsets
        return (*fieldsets, (_("Last sync"), {"fields": ("last_result",)}))

    @admin.display(description=_("result"))
    def last_result(self, instance: Any) -> Any:
        last = instance.last_record
        if not last:
            return _("It has not been synchronised yet.")
        url = list_url("sync_syncinstancerecord", instance__id__exact=instance.pk)
        return format_html(
            "{} {} {}", self.last_sync(instance), last["error"], show.link(url, _("all records"))
        )

    @admin.action(description=_("Synchronise accounts"), permissions=["operate"])
    def sync_accounts(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._start(request, list(queryset.watched()))  # type: ignore[attr-defined]

    @button(
        _("Synchronise accounts"),
        _("A worker reads the accounts of this instance now."),
        icon="sync",
        variant=ActionVariant.PRIMARY,
    )
    def sync_now(self, request: HttpRequest, instance: Instance) -> str | None:
        watched = Instance.objects.watched().filter(pk=instance.pk)
        session = self._start(request, list(watched))
        return change_url(session) if session else None

    @admin.action(description=_("Measure databases"), permissions=["operate"])
    def measure(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        watched = list(queryset.watched())  # type: ignore[attr-defined]
        self._start(request, watched, SyncCategory.CAPACITY)

    @button(
        _("Measure databases"),
        _("A worker reads the sizes of this instance's databases now."),
        icon="straighten",
    )
    def measure_now(self, request: HttpRequest, instance: Instance) -> str | None:
        watched = Instance.objects.watched().filter(pk=instance.pk)
        session = self._start(request, list(watched), SyncCategory.CAPACITY)
        return change_url(session) if session else None

    def _start(
        self,
        request: HttpRequest,
        instances: list[Instance],
        category: SyncCategory = SyncCategory.ACCOUNT,
    ) -> SyncSession | None:
        say: Any = self.message_user  # type: ignore[attr-defined]
        if not instances:
            say(request, _("None of these instances is watched."), messages.WARNING)
            return None
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH, instances, sync_category=category, created_by=request.user
        )
        text = ngettext(
            "%(n)d instance is being synchronised.",
            "%(n)d instances are being synchronised.",
            len(instances),
        )
        link = show.link(change_url(session), _("Watch the session"))
        say(request, format_html("{} {}", text % {"n": len(instances)}, link), messages.SUCCESS)
        return session


@cards(40)
def syncs(request: HttpRequest) -> list[Card]:
    """What runs now, and what failed in the last day."""
    since = timezone.now() - timedelta(days=1)
    running = Count("pk", filter=Q(status=RECORD.RUNNING))
    failed = Count("pk", filter=Q(status=RECORD.FAILED, completed_at__gte=since))
    recent = SyncInstanceRecord.objects.filter(
        Q(status__in=(RECORD.PENDING, RECORD.RUNNING)) | Q(completed_at__gte=since)
    )
    number = recent.aggregate(running=running, failed=failed)
    sessions = SyncSession.objects.filter(status=SESSION.RUNNING).count()
    return [
        Card(
            _("Running sessions"),
            sessions,
            list_url("sync_syncsession", status__exact=SESSION.RUNNING.value),
            "sync",
            ngettext("%(n)d instance being read", "%(n)d instances being read", number["running"])
            % {"n": number["running"]},
        ),
        Card(
            _("Failed syncs"),
            number["failed"],
            list_url("sync_syncinstancerecord", status__exact=RECORD.FAILED.value),
            "sync_problem",
            _("in the last 24 hours"),
            "danger" if number["failed"] else "good",
        ),
    ]


@panels(30)
def latest_sessions(request: HttpRequest) -> list[Panel]:
    rows = [
        [
            show.link(change_url(session), show.ago(session.started_at)),
            session.get_sync_category_display(),
            show.state(session.status, session.get_status_display()),
            progress_bar(session),
        ]
        for session in SyncSession.objects.order_by("-started_at", "-id")[:8]
    ]
    return [
        Panel(
            _("Latest sessions"),
            [_("Started"), _("Category"), _("State"), _("Instances")],
            rows,
            list_url("sync_syncsession"),
            _("Nothing has been synchronised yet."),
        )
    ]
