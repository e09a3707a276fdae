"""The states of sessions and records: every step that is allowed, and every one that is not."""

import pytest
from django.utils import timezone

from sync.models import ClaimLost, SyncInstanceRecord, SyncSession, WrongTransition
from tests.sync.cast import claimed, end, expire, instance, session

pytestmark = pytest.mark.django_db

Status = SyncInstanceRecord.Status


def in_state(status):
    """A record of a running session (another record keeps it running) in the given state."""
    found = session("orders-db", "billing-db")
    record = claimed(found)
    if status == Status.PENDING:
        SyncInstanceRecord.objects.filter(pk=record.pk).update(status=status, claim=None)
        record.refresh_from_db()
    elif status == Status.COMPLETED:
        record.complete({}, {})
    elif status == Status.FAILED:
        record.fail("no")
    elif status == Status.CANCELLED:
        SyncInstanceRecord.objects.filter(pk=record.pk).update(status=status, claim=None)
        record.refresh_from_db()
    return record


STEPS = {
    "complete": lambda record: record.complete({}, {}),
    "fail": lambda record: record.fail("no"),
    "cancel": lambda record: record.cancel(),
}
ALLOWED = {
    (Status.RUNNING, "complete"): Status.COMPLETED,
    (Status.RUNNING, "fail"): Status.FAILED,
    (Status.PENDING, "cancel"): Status.CANCELLED,
}
WRONG = [(status, step) for status in Status for step in STEPS if (status, step) not in ALLOWED]


@pytest.mark.parametrize(("status", "step"), ALLOWED)
def test_a_record_takes_the_steps_of_its_state(status, step):
    record = in_state(status)
    STEPS[step](record)
    assert record.status == ALLOWED[status, step]
    assert SyncInstanceRecord.objects.get(pk=record.pk).status == ALLOWED[status, step]


@pytest.mark.parametrize(("status", "step"), WRONG)
def test_a_record_refuses_every_other_step(status, step):
    record = in_state(status)
    with pytest.raises(WrongTransition, match=rf"^The record of orders-db is {status.label}: "):
        STEPS[step](record)
    assert SyncInstanceRecord.objects.get(pk=record.pk).status == status


@pytest.mark.parametrize("status", [s for s in Status if s != Status.PENDING])
def test_only_a_waiting_record_can_be_claimed(status):
    record = in_state(status)
    assert SyncInstanceRecord.objects.claim(record.pk) is None
    assert SyncInstanceRecord.objects.get(pk=record.pk).status == status


def test_a_claim_gives_a_lease_and_a_start(settings):
    settings.RECORD_LEASE = 60
    before = timezone.now()
    record = claimed(session("orders-db"))
    assert 50 < (record.lease_until - before).total_seconds() < 70
    assert record.started_at is not None


def test_a_record_is_claimed_once():
    found = session("orders-db")
    record = claimed(found)
    assert SyncInstanceRecord.objects.claim(record.pk) is None


def test_only_the_holder_of_the_claim_may_end_a_record():
    record = claimed(session("orders-db"))
    SyncInstanceRecord.objects.filter(pk=record.pk).update(claim=None)
    with pytest.raises(ClaimLost, match="its lease had run out"):
        record.complete({"synced": 1}, {})
    assert SyncInstanceRecord.objects.get(pk=record.pk).status == Status.RUNNING


def test_a_lost_record_can_be_neither_renewed_nor_held():
    record = claimed(session("orders-db"))
    SyncInstanceRecord.objects.filter(pk=record.pk).update(status=Status.FAILED)
    assert record.renew() is False
    with pytest.raises(ClaimLost):
        record.hold()


def test_renewing_moves_the_lease():
    record = claimed(session("orders-db"))
    expire(record)
    assert record.renew() is True
    assert SyncInstanceRecord.objects.get(pk=record.pk).lease_until > timezone.now()


def test_a_session_runs_until_its_last_record_ends():
    found = session("orders-db", "billing-db")
    end(found, "orders-db")
    found.refresh_from_db()
    assert (found.status, found.successful_instances, found.completed_at) == ("running", 1, None)
    end(found, "billing-db")
    found.refresh_from_db()
    assert (found.status, found.successful_instances) == ("completed", 2)
    assert found.completed_at is not None


def test_one_failed_record_fails_the_session():
    found = session("orders-db", "billing-db")
    end(found, "orders-db", error="Access denied")
    end(found, "billing-db")
    found.refresh_from_db()
    assert (found.status, found.successful_instances, found.failed_instances) == ("failed", 1, 1)


def test_a_session_without_instances_is_completed_at_once():
    assert session().status == SyncSession.Status.COMPLETED


@pytest.mark.parametrize("error", ["", "Access denied"])
def test_an_ended_session_never_changes(error):
    found = session("orders-db")
    end(found, "orders-db", error)
    before = SyncSession.objects.values().get(pk=found.pk)
    assert found.settle() is False
    with pytest.raises(WrongTransition, match="it cannot be cancelled any more"):
        found.cancel()
    with pytest.raises(WrongTransition, match="it cannot be continued any more"):
        found.record_of(instance("billing-db"))
    assert SyncSession.objects.values().get(pk=found.pk) == before


def test_progress_counts_every_state():
    found = session("orders-db", "billing-db", "crm-db")
    end(found, "orders-db")
    claimed(found, "billing-db")
    assert found.progress() == {
        "pending": 1,
        "running": 1,
        "completed": 1,
        "failed": 0,
        "cancelled": 0,
        "total": 3,
    }
