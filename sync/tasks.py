"""What the workers run. Primary keys in, a few lines each; the work is elsewhere."""

from __future__ import annotations

from typing import Any

import structlog
from django.utils import timezone

from capacity import aggregation, growth, outlook, partitions
from classification import daily, expiry
from classification.classify import NothingToClassify, classify
from sync import locks, pruning, reaper, runner
from sync.dashboard import numbers
from sync.jobs import JOBS
from sync.models import SyncCategory, SyncSession, SyncType
from whalefall.instances.models import Instance

logger = structlog.get_logger(__name__)


def run_record(pk: int) -> bool:
    """One instance of one session. False when it failed, or was not waiting any more."""
    result = runner.run_record(pk)
    return result is not None and bool(result["success"])


def sync_accounts() -> str | None:
    """A session over every watched instance; the session's id, None while the last one runs."""
    return _sync_all("sync_accounts", SyncCategory.ACCOUNT)


def sync_databases() -> str | None:
    """The same for databases and their sizes."""
    return _sync_all("sync_databases", SyncCategory.CAPACITY)


def _sync_all(job: str, category: SyncCategory) -> str | None:
    with locks.held(locks.JOB, JOBS[job].number) as free:
        if not free or SyncSession.objects.is_scheduled_running(category):
            _skipped(job)
            return None
        session = SyncSession.objects.start(
            SyncType.SCHEDULED_TASK, Instance.objects.watched(), sync_category=category
        )
    return str(session.session_id)


def calculate_account() -> Any:
    """Classify every account, count the day, tell which accepted risks have returned."""
    with locks.held(locks.JOB, JOBS["calculate_account"].number) as free:
        return _classified() if free else _skipped("calculate_account")


def _classified() -> dict[str, Any]:
    try:
        done = classify().as_json()
    except NothingToClassify as exc:
        done = {"skipped": exc.code}
    return done | {"counted": daily.count_today(), "expired": expiry.note_expired()}


def calculate_database() -> Any:
    """Sum up sizes: today, and the week, month and quarter that ended last; then growth and outlook
    of all. The months to come are made first.
    """
    with locks.held(locks.JOB, JOBS["calculate_database"].number) as free:
        if free:
            partitions.ensure_ahead(timezone.localdate())
            done = [result.as_json() for result in aggregation.aggregate()]
            growth.calculate()
            outlook.calculate()
            return done
        _skipped("calculate_database")
        return None


def reap_records() -> Any:
    """Fail records whose worker is gone, queue again what was lost; count a big fleet again."""
    with locks.held(locks.JOB, JOBS["reap_records"].number) as free:
        if free:
            return reaper.reap() | {"counted": numbers.keep_fresh()}
        _skipped("reap_records")
        return None


def prune_history() -> Any:
    """Delete what is older than the settings keep."""
    with locks.held(locks.JOB, JOBS["prune_history"].number) as free:
        if free:
            return pruning.prune()
        _skipped("prune_history")
        return None


def _skipped(job: str) -> None:
    logger.info("job_skipped", job=job, reason="its last run has not ended")
