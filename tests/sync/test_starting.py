"""Starting sessions: what is made, what is queued, and what it costs at two sizes."""

import pytest
from django_q.models import OrmQ

from sync import queue
from sync.models import SyncInstanceRecord, SyncSession, SyncType
from tests.sync.cast import PASSWORD, instances, session


@pytest.mark.django_db
@pytest.mark.parametrize("size", [10, 200])
def test_starting_costs_the_same_at_every_size(
    size, django_assert_num_queries, django_capture_on_commit_callbacks
):
    found = instances(size)
    with django_assert_num_queries(6), django_capture_on_commit_callbacks(execute=True):
        SyncSession.objects.start(SyncType.SCHEDULED_TASK, found)
    assert OrmQ.objects.count() == size


@pytest.mark.django_db
@pytest.mark.parametrize("size", [10, 200])
def test_ending_a_record_costs_the_same_at_every_size(size, django_assert_num_queries):
    found = SyncSession.objects.start(SyncType.SCHEDULED_TASK, instances(size), enqueue=False)
    record = SyncInstanceRecord.objects.claim(found.records.first().pk)
    with django_assert_num_queries(4):  # record, session's lock, count, session
        record.complete({"synced": 1}, {})


@pytest.mark.django_db
@pytest.mark.parametrize("size", [10, 200])
def test_progress_is_one_query(size, django_assert_num_queries):
    found = SyncSession.objects.start(SyncType.SCHEDULED_TASK, instances(size), enqueue=False)
    with django_assert_num_queries(1):
        assert found.progress()["pending"] == size


@pytest.mark.django_db
def test_a_task_carries_a_primary_key_and_nothing_else(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        found = session("orders-db", enqueue=True)
    (task,) = [row.task for row in OrmQ.objects.all()]
    assert (task["func"], task["args"], task["kwargs"]) == (
        queue.RUN_RECORD,
        (found.records.get().pk,),
        {},
    )
    assert PASSWORD not in repr(task)


@pytest.mark.django_db
def test_nothing_is_queued_before_the_commit():
    session("orders-db", enqueue=True)
    assert OrmQ.objects.count() == 0


@pytest.mark.django_db
def test_a_broker_that_is_away_does_not_fail_the_start(
    django_capture_on_commit_callbacks, monkeypatch
):
    def refuse(*args):
        raise ConnectionError("the broker is away")

    monkeypatch.setattr("django_q.models.OrmQ.objects.using", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        found = session("orders-db", enqueue=True)
    assert found.records.get().status == "pending"
