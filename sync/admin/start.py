"""Sessions on the start page."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import (
    Count,
    Q,
)
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync.admin.parts import RECORD, SESSION, progress_bar
from sync.models import (
    SyncInstanceRecord,
    SyncSession,
)
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.pages import change_url


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
