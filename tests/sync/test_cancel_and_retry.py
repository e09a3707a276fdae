"""Cancelling in the middle, and doing the failed ones again."""

import pytest

from sync.models import SyncSession, SyncType, WrongTransition
from tests.sync.cast import claimed, end, session

pytestmark = pytest.mark.django_db


def states(found):
    return dict(found.records.values_list("instance_name", "status"))


def test_cancelling_takes_out_what_has_not_begun():
    found = session("orders-db", "billing-db", "crm-db")
    end(found, "orders-db")
    assert found.cancel() == 2
    found.refresh_from_db()
    assert states(found) == {
        "orders-db": "completed",
        "billing-db": "cancelled",
        "crm-db": "cancelled",
    }
    assert (found.status, found.successful_instances) == ("cancelled", 1)


def test_what_runs_while_cancelling_finishes_and_ends_the_session():
    found = session("orders-db", "billing-db")
    running = claimed(found)
    assert found.cancel() == 1
    assert SyncSession.objects.get(pk=found.pk).status == "running"
    running.complete({"synced": 7}, {})
    found.refresh_from_db()
    assert (found.status, found.successful_instances) == ("cancelled", 1)


def test_cancelling_twice_while_something_runs_does_nothing_more():
    found = session("orders-db", "billing-db")
    claimed(found)
    found.cancel()
    asked = found.cancel_requested_at
    assert found.cancel() == 0
    assert SyncSession.objects.get(pk=found.pk).cancel_requested_at == asked


def test_a_cancelled_record_that_is_delivered_is_left_alone():
    found = session("orders-db", "billing-db")
    pk = found.records.get(instance_name="orders-db").pk
    found.cancel()
    assert type(found.records.first()).objects.claim(pk) is None


def failed_session():
    found = session("orders-db", "billing-db")
    end(found, "orders-db", error="Access denied")
    end(found, "billing-db")
    found.refresh_from_db()
    return found


def test_a_retry_is_a_new_session_of_the_failed_ones():
    found = failed_session()
    again = found.retry_failed(enqueue=False)
    assert (again.retry_of, again.total_instances) == (found, 1)
    assert states(again) == {"orders-db": "pending"}
    assert states(found) == {"orders-db": "failed", "billing-db": "completed"}


def test_a_retry_by_a_person_is_theirs(django_user_model):
    li = django_user_model.objects.create_user("dba_li")
    again = failed_session().retry_failed(created_by=li, enqueue=False)
    assert (again.created_by, again.sync_type) == (li, SyncType.MANUAL_BATCH)


def test_asking_twice_gives_the_retry_that_runs():
    found = failed_session()
    assert found.retry_failed(enqueue=False) == found.retry_failed(enqueue=False)
    assert SyncSession.objects.filter(retry_of=found).count() == 1


def test_a_running_session_cannot_be_retried():
    with pytest.raises(WrongTransition, match="still running: wait for it to end"):
        session("orders-db").retry_failed()


def test_nothing_failed_means_nothing_to_retry():
    found = session("orders-db")
    end(found, "orders-db")
    found.refresh_from_db()
    with pytest.raises(WrongTransition, match="Nothing failed in this session"):
        found.retry_failed()


def test_an_instance_that_is_not_watched_any_more_is_not_retried():
    found = failed_session()
    found.records.get(instance_name="orders-db").instance.recycle()
    with pytest.raises(WrongTransition, match="Nothing failed in this session"):
        found.retry_failed()
