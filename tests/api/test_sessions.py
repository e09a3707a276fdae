"""Sessions: how far they are, why records failed, cancel and retry."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.models import SyncInstanceRecord, SyncSession, SyncType
from tests.api.cast import instance
from tests.api.envelope import check_failed, check_ok

pytestmark = pytest.mark.django_db
URL = "/api/v1/sync-sessions"


def session(*states: str, ended: bool = False, **fields) -> SyncSession:
    """A session with one record per state."""
    found = SyncSession.objects.create(
        sync_type=SyncType.MANUAL_BATCH,
        sync_category="account",
        started_at=timezone.now(),
        total_instances=len(states),
        **fields,
    )
    for n, state in enumerate(states):
        SyncInstanceRecord.objects.create(
            session=found,
            instance=instance(f"{found.pk}-{n}"),
            instance_name=f"db-{n}",
            status=state,
            error_message="The server refused the login." if state == "failed" else "",
            sync_details={"error": {"type": "LoginRefused", "traceback": "File runner.py"}},
        )
    if ended:
        found.settle()
    return found


def test_a_session_tells_how_far_it_is(viewer):
    running = session("completed", "failed", "running", "pending")
    data = check_ok(viewer.get(f"{URL}/{running.session_id}"))
    assert data["status"] == "running"
    assert data["progress"] == {
        "total": 4,
        "pending": 1,
        "running": 1,
        "completed": 1,
        "failed": 1,
        "cancelled": 0,
    }
    assert [item["instance_name"] for item in data["records"]["items"]] == [
        "db-0",
        "db-1",
        "db-2",
        "db-3",
    ]


def test_records_of_a_session_are_paged(viewer):
    running = session(*["pending"] * 5)
    data = check_ok(viewer.get(f"{URL}/{running.session_id}", {"limit": 2, "page": 3}))
    assert [item["instance_name"] for item in data["records"]["items"]] == ["db-4"]
    assert data["records"]["pages"] == 3


def test_error_logs_are_the_failed_records_without_tracebacks(viewer):
    running = session("completed", "failed")
    response = viewer.get(f"{URL}/{running.session_id}/error-logs")
    (item,) = check_ok(response)["items"]
    assert item["error_message"] == "The server refused the login."
    assert item["sync_details"] == {"error": {"type": "LoginRefused"}}


def test_lists_are_filtered(viewer):
    session("completed", ended=True)
    running = session("running")
    data = check_ok(viewer.get(URL, {"status": "running", "sync_type": "manual_batch"}))
    assert [item["session_id"] for item in data["items"]] == [str(running.session_id)]
    assert check_ok(viewer.get(URL, {"sync_category": "capacity"}))["total"] == 0


def test_cancel_takes_out_what_waits(operator):
    running = session("pending", "pending", "running")
    data = check_ok(operator.post(f"{URL}/{running.session_id}/actions/cancel"))
    assert data["cancelled_records"] == 2


def test_an_ended_session_is_not_cancelled(operator):
    ended = session("completed", ended=True)
    body = check_failed(
        operator.post(f"{URL}/{ended.session_id}/actions/cancel"), 409, "SYNC_DATA_ERROR"
    )
    assert body["message"] == "The session is completed: it cannot be cancelled any more."


def test_failed_records_are_retried_in_a_new_session(operator):
    ended = session("completed", "failed", ended=True)
    data = check_ok(operator.post(f"{URL}/{ended.session_id}/actions/retry-failed"), 202)
    assert data["total_instances"] == 1
    found = check_ok(operator.get(f"{URL}/{data['session_id']}"))
    assert (found["retry_of"], found["created_by"]) == (str(ended.session_id), "otto")


def test_nothing_failed_nothing_to_retry(operator):
    ended = session("completed", ended=True)
    response = operator.post(f"{URL}/{ended.session_id}/actions/retry-failed")
    body = check_failed(response, 409, "SYNC_DATA_ERROR")
    assert body["message"] == "Nothing failed in this session that could be retried."


@pytest.mark.parametrize("session_id", [str(uuid.UUID(int=1)), "-" * 36, "x"])
def test_an_unknown_session_is_a_404(viewer, session_id):
    check_failed(viewer.get(f"{URL}/{session_id}"), 404, "RESOURCE_NOT_FOUND")


def test_the_number_of_queries_does_not_grow(viewer, administrator):
    first, counts = session("failed", ended=True), []
    for size in (10, 200):
        while SyncSession.objects.count() < size:
            SyncSession.objects.create(
                sync_type="manual_batch",
                sync_category="account",
                started_at=timezone.now(),
                retry_of=first,
                created_by_id=viewer.session["_auth_user_id"],
            )
        with CaptureQueriesContext(connection) as queries:
            check_ok(viewer.get(URL, {"limit": 200}))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
