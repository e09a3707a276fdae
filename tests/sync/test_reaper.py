"""What is put right after dead workers and lost tasks."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from sync import queue, reaper
from sync.models import ClaimLost, SyncInstanceRecord
from tests.sync.cast import claimed, end, expire, session

pytestmark = pytest.mark.django_db

NOTHING = {"failed": 0, "requeued": 0, "ended": 0}


def test_a_record_whose_lease_ran_out_fails_and_ends_its_session():
    found = session("orders-db")
    record = claimed(found)
    expire(record)
    assert reaper.reap() == NOTHING | {"failed": 1, "ended": 1}
    record.refresh_from_db()
    assert record.error_message == (
        "The worker was lost before it finished (killed, or its machine died). "
        "Nothing of this instance was written. Retry the failed records."
    )
    found.refresh_from_db()
    assert (found.status, found.failed_instances) == ("failed", 1)


def test_a_record_whose_lease_holds_is_left_alone():
    record = claimed(session("orders-db"))
    assert reaper.reap() == NOTHING
    record.refresh_from_db()
    assert record.status == "running"


def test_the_others_of_the_session_go_on():
    found = session("orders-db", "billing-db")
    expire(claimed(found))
    reaper.reap()
    end(found, "billing-db")
    found.refresh_from_db()
    assert (found.status, found.successful_instances, found.failed_instances) == ("failed", 1, 1)


def test_a_worker_that_comes_back_too_late_may_not_end_its_record():
    record = claimed(session("orders-db"))
    expire(record)
    reaper.reap()
    with pytest.raises(ClaimLost):
        record.complete({"synced": 1}, {})


def test_reaping_twice_does_nothing_more():
    expire(claimed(session("orders-db")))
    reaper.reap()
    assert reaper.reap() == NOTHING


def test_a_session_whose_records_are_gone_is_ended():
    found = session("orders-db")
    found.records.all().delete()
    assert reaper.reap() == NOTHING | {"ended": 1}
    found.refresh_from_db()
    assert found.status == "completed"


def waited(found, seconds):
    since = timezone.now() - timedelta(seconds=seconds)
    SyncInstanceRecord.objects.filter(session=found).update(queued_at=since)


def test_a_record_whose_task_was_lost_is_queued_again(settings):
    found = session("orders-db")
    waited(found, settings.REQUEUE_AFTER + 5)
    assert reaper.reap() == NOTHING | {"requeued": 1}
    (task,) = [row.task for row in OrmQ.objects.all()]
    assert (task["func"], task["args"]) == (queue.RUN_RECORD, (found.records.get().pk,))


def test_it_is_not_queued_again_each_minute(settings):
    waited(session("orders-db"), settings.REQUEUE_AFTER + 5)
    reaper.reap()
    OrmQ.objects.all().delete()
    assert reaper.reap() == NOTHING


def test_a_record_that_waits_its_turn_is_not_queued_again(settings):
    found = session("orders-db", "billing-db")
    queue.enqueue(queue.RUN_RECORD, [found.records.first().pk])
    waited(found, settings.REQUEUE_AFTER + 5)
    assert reaper.reap() == NOTHING


@pytest.mark.parametrize("size", [10, 200])
def test_reaping_costs_the_same_at_every_size(size, django_assert_num_queries):
    names = [f"db-{number}" for number in range(size)]
    session(*names)
    SyncInstanceRecord.objects.update(status="running", lease_until="2020-01-01T00:00Z")
    with django_assert_num_queries(10):
        assert reaper.reap()["failed"] == size
