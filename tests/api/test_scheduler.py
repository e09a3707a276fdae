"""The built-in jobs."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from sync import queue
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
JOBS = "/api/v1/scheduler/jobs"
NIGHTLY = f"{JOBS}/sync_accounts"


@pytest.fixture
def worker():
    """What tells a worker from the others: the name of its connection to the store."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [queue.CLUSTER_NAME])
        yield
    other.close()


def ran(name: str, success: bool, result) -> None:
    now = timezone.now()
    Task.objects.create(
        id=name, name=name, func="x", group=name, started=now, stopped=now, success=success,
        result=result,
    )  # fmt: skip


def test_the_list_says_when_each_runs_and_that_no_worker_is_alive(viewer):
    data = check_ok(viewer.get(JOBS))
    nightly = next(job for job in data["jobs"] if job["id"] == "sync_accounts")
    assert (nightly["cron"], nightly["state"]) == ("0 1 * * *", "active")
    assert datetime.fromisoformat(nightly["next_run"]).hour == 1
    assert (data["workers_alive"], data["time_zone"]) == (False, "UTC")


def test_the_list_takes_the_same_queries_however_many_ran(viewer, django_assert_max_num_queries):
    for number in range(30):
        ran(f"run-{number}", True, {})
    with django_assert_max_num_queries(6):
        viewer.get(JOBS)


def test_the_last_run_shows_what_came_of_it(viewer):
    ran("sync_accounts", True, {"failed": 0})
    last = check_ok(viewer.get(NIGHTLY))["last_run"]
    assert (last["success"], last["result"]) == (True, {"failed": 0})


def test_a_failed_run_shows_the_error_without_its_traceback(viewer):
    ran("sync_accounts", False, "store away : Traceback (most recent call last): secret.py")
    assert check_ok(viewer.get(NIGHTLY))["last_run"]["result"] == "store away"


def test_a_job_that_never_ran_has_no_last_run(viewer):
    assert check_ok(viewer.get(NIGHTLY))["last_run"] is None


def test_an_unknown_job_names_the_choices(viewer):
    body = check_failed(viewer.get(f"{JOBS}/make_coffee"), 404, "RESOURCE_NOT_FOUND")
    assert body["message"].startswith("Unknown job: make_coffee. Must be one of: sync_accounts, ")


def test_another_time_is_taken_over(administrator):
    data = check_ok(administrator.put(NIGHTLY, {"cron": "30 4 * * 1"}))
    assert data["cron"] == "30 4 * * 1"
    moment = datetime.fromisoformat(data["next_run"])
    assert (moment.hour, moment.minute, moment.weekday()) == (4, 30, 0)


@pytest.mark.parametrize("cron", ["often", "* * * *", "61 * * * *", "0 1 * * * *", ""])
def test_what_is_no_cron_expression_is_refused(administrator, cron):
    assert list(errors(administrator.put(NIGHTLY, {"cron": cron}))) == ["cron"]
    assert Schedule.objects.get(name="sync_accounts").cron == "0 1 * * *"


def test_a_paused_job_has_no_next_run_until_it_is_resumed(administrator):
    paused = check_ok(administrator.post(f"{NIGHTLY}/actions/pause"))
    assert (paused["state"], paused["next_run"]) == ("paused", None)
    resumed = check_ok(administrator.post(f"{NIGHTLY}/actions/resume"))
    assert resumed["state"] == "active"
    assert datetime.fromisoformat(resumed["next_run"]) > timezone.now()


def test_a_job_is_run_now(administrator, worker):
    data = check_ok(administrator.post(f"{NIGHTLY}/actions/run"), 202)
    assert OrmQ.objects.get().task["id"] == data["task_id"]


@pytest.mark.parametrize("url", [f"{NIGHTLY}/actions/run", f"{JOBS}/actions/reload"])
def test_without_a_worker_it_says_so_and_queues_nothing(administrator, url):
    body = check_failed(administrator.post(url), 409, "SYNC_DATA_ERROR")
    assert body["message"] == "No worker is alive: start one (manage.py qcluster)."
    assert not OrmQ.objects.exists()


def test_a_reload_makes_what_is_missing_and_keeps_what_was_changed(administrator, worker):
    Schedule.objects.filter(name="prune_history").delete()
    administrator.put(NIGHTLY, {"cron": "5 5 * * *"})
    assert check_ok(administrator.post(f"{JOBS}/actions/reload")) == {"created": 1}
    assert Schedule.objects.get(name="sync_accounts").cron == "5 5 * * *"
