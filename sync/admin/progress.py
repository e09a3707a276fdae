"""What the page of a session shows, as long as it runs and after."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, Value, When

from sync import queue
from sync.admin.parts import RECORD, SESSION, lasted, progress_bar
from sync.causes import causes
from sync.models import SyncSession
from whalefall.console import show
from whalefall.console.cards import list_url
from whalefall.console.pages import change_url

RECORDS_SHOWN = 200
# Of more failures than this, causes are told of the first ones.
FAILURES_GROUPED = 2_000
# Those that need looking at come first.
STATE_ORDER = (RECORD.FAILED, RECORD.RUNNING, RECORD.PENDING, RECORD.CANCELLED, RECORD.COMPLETED)


def context(session: SyncSession) -> dict[str, Any]:
    """For `sync/progress.html`. Six queries at most."""
    order = [When(status=status, then=Value(i)) for i, status in enumerate(STATE_ORDER)]
    place = Case(*order, output_field=IntegerField())
    records = session.records.defer("sync_details")
    shown = list(records.order_by(place, "instance_name")[:RECORDS_SHOWN])
    failed = records.filter(status=RECORD.FAILED).select_related("instance").order_by("pk")
    counted = session.progress()
    retried = SyncSession.objects.filter(retry_of=session).first() if session.has_ended else None
    return {
        "sync_session": session,
        "state": show.state(session.status, session.get_status_display()),
        "bar": progress_bar(session),
        "duration": lasted(session),
        "done": session.successful_instances + session.failed_instances,
        "states": [(status.label, counted[status]) for status in RECORD if counted[status]],
        "causes": causes(failed[:FAILURES_GROUPED]) if counted[RECORD.FAILED] else [],
        "records": [_row(record) for record in shown],
        "hidden_records": max(counted["total"] - len(shown), 0),
        "records_url": list_url("sync_syncinstancerecord", session__id__exact=session.pk),
        "retried": retried,
        "retried_state": retried and show.state(retried.status, retried.get_status_display()),
        "no_worker": session.status == SESSION.RUNNING and not queue.live_workers(),
    }


def _row(record: Any) -> dict[str, Any]:
    return {
        "record": record,
        "state": show.state(record.status, record.get_status_display()),
        "duration": lasted(record),
        "url": change_url(record),
    }
