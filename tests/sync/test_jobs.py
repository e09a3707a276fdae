"""The built-in jobs: what they do, and that none runs over itself."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from classification.models import DailyCount
from sync import jobs, locks, pruning, tasks
from sync.models import SyncSession
from tests.sync import cast
from whalefall.models import LogEntry

pytestmark = pytest.mark.django_db


def test_the_nightly_sync_takes_every_watched_instance(django_capture_on_commit_callbacks):
    cast.instance("orders-db")
    cast.instance("switched-off-db", is_active=False)
    cast.instance("recycled-db").recycle()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sync_accounts()
    session = SyncSession.objects.get()
    assert [record.instance_name for record in session.records.all()] == ["orders-db"]
    assert (session.sync_type, OrmQ.objects.count()) == ("scheduled_task", 1)


def test_it_does_not_start_while_the_last_one_runs():
    cast.instance("orders-db")
    assert tasks.sync_accounts() is not None
    assert tasks.sync_accounts() is None
    assert SyncSession.objects.count() == 1


@pytest.mark.parametrize("name", jobs.JOBS)
def test_no_job_runs_over_itself(name):
    other, lock = connection.copy(), [locks.JOB, jobs.JOBS[name].number]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", lock)
        assert import_string(jobs.JOBS[name].task)() is None
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", lock)
    other.close()
    assert import_string(jobs.JOBS[name].task)() is not None


def test_the_nightly_measuring_is_a_session_of_its_own():
    cast.instance("orders-db")
    assert tasks.sync_accounts() is not None
    assert tasks.sync_databases() is not None
    assert tasks.sync_databases() is None
    categories = SyncSession.objects.values_list("sync_category", flat=True)
    assert sorted(categories) == ["account", "capacity"]


def test_the_nightly_sums_are_of_every_period_and_scope():
    done = {(each["period_type"], each["scope"]) for each in tasks.calculate_database()}
    assert len(done) == 8


def test_every_job_can_be_queued_by_its_name():
    for name, job in jobs.JOBS.items():
        assert job.task.endswith(f".tasks.{name}")
        assert callable(import_string(job.task))


def test_old_history_goes_and_what_runs_stays(settings):
    settings.KEEP_SESSIONS, settings.KEEP_LOGS = 90, 30
    old = timezone.now() - timedelta(days=91)
    ended, running = cast.session("orders-db"), cast.session("orders-db")
    cast.end(ended, "orders-db")
    SyncSession.objects.update(started_at=old)
    SyncSession.objects.filter(pk=ended.pk).update(completed_at=old)
    LogEntry.objects.create(timestamp=old, level="INFO", module="x", message="old")
    LogEntry.objects.create(timestamp=timezone.now(), level="INFO", module="x", message="new")
    DailyCount.objects.create(day=old, kind="risk", key="low", name="low", accounts=1, accepted=0)
    DailyCount.objects.create(
        day=timezone.now(), kind="risk", key="low", name="low", accounts=2, accepted=0
    )
    settings.KEEP_COUNTS = 90
    done = {"sessions": 1, "logs": 1, "audit": 0, "failed_tasks": 0, "changes": 0}
    done |= {"snapshots": 0, "sizes": 0, "counts": 1}
    assert pruning.prune() == done
    assert list(SyncSession.objects.all()) == [running]
    assert LogEntry.objects.get().message == "new"
    assert DailyCount.objects.get().accounts == 2
