"""Puts right what dead workers and lost tasks leave behind: state lives in the tables, not in the
queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from sync import queue
from sync.models import SyncInstanceRecord, SyncSession

logger = structlog.get_logger(__name__)

Status = SyncInstanceRecord.Status


def reap() -> dict[str, int]:
    """How many records were `failed` and `requeued`, how many sessions `ended`."""
    failed, ended = fail_expired()
    done = {"failed": failed, "ended": ended + end_forgotten(), "requeued": requeue_lost()}
    if any(done.values()):
        logger.warning("reaped", **done)
    return done


def fail_expired() -> tuple[int, int]:
    """Fail running records whose lease ran out: (records failed, sessions ended by that)."""
    with transaction.atomic():
        # A locked row is one whose worker is writing at this moment: it lives.
        expired = SyncInstanceRecord.objects.filter(
            status=Status.RUNNING, lease_until__lt=Now()
        ).select_for_update(skip_locked=True)
        rows = list(expired.values_list("pk", "session_id"))
        SyncInstanceRecord.objects.filter(pk__in=[pk for pk, _session in rows]).update(
            status=Status.FAILED,
            error_message=_(
                "The worker was lost before it finished (killed, or its machine died). Nothing of "
                "this instance was written. Retry the failed records."
            ),
            sync_details={"error": {"type": "LeaseExpired"}},
            lease_until=None,
            completed_at=Now(),
        )
        ended = _settle(SyncSession.objects.filter(pk__in={session for _pk, session in rows}))
    return len(rows), ended


def end_forgotten() -> int:
    """End sessions that run although none of their records is left to do (removed by hand)."""
    unfinished = SyncInstanceRecord.objects.unfinished().filter(session=OuterRef("pk"))
    running = SyncSession.objects.filter(status=SyncSession.Status.RUNNING)
    return _settle(running.exclude(Exists(unfinished)))


def requeue_lost(after: int | None = None) -> int:
    """Queue waiting records again whose task got lost (a worker killed with tasks in its hands).

    That is so when nothing waits in the queue and they have waited for `after` seconds
    (`settings.REQUEUE_AFTER`). One that was not lost after all is delivered twice, which does
    nothing.
    """
    seconds = settings.REQUEUE_AFTER if after is None else after
    lost = SyncInstanceRecord.objects.filter(
        status=Status.PENDING, queued_at__lt=Now() - timedelta(seconds=seconds)
    )
    if not lost.exists() or queue.waiting():
        return 0
    pks = list(lost.values_list("pk", flat=True))
    SyncInstanceRecord.objects.filter(pk__in=pks).update(queued_at=Now())
    return queue.enqueue(queue.RUN_RECORD, pks)


def _settle(sessions: Iterable[Any]) -> int:
    return sum(session.settle() for session in sessions)
