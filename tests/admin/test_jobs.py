"""The built-in jobs: when they run, and their buttons."""

import pytest
from django_q.models import OrmQ, Schedule

from sync import jobs
from tests.admin import fleet

JOBS = "/admin/django_q/schedule/"


@pytest.fixture
def nightly(db):
    return jobs.schedule("sync_accounts")


def press(client, schedule, name):
    return client.post(f"{JOBS}{schedule.pk}/{name}/", {"_form_submitted": "on"}, follow=True)


def test_an_administrator_changes_when_a_job_runs(administrator, nightly):
    administrator.post(f"{JOBS}{nightly.pk}/change/", {"cron": "30 2 * * *"})
    nightly.refresh_from_db()
    assert nightly.cron == "30 2 * * *"
    assert (nightly.next_run.hour, nightly.next_run.minute) == (2, 30)


@pytest.mark.parametrize("cron", ["every night", "99 1 * * *", "0 1 * *"])
def test_a_wrong_cron_expression_is_refused(administrator, nightly, cron):
    assert administrator.post(f"{JOBS}{nightly.pk}/change/", {"cron": cron}).status_code == 200
    nightly.refresh_from_db()
    assert nightly.cron == "0 1 * * *"


def test_pausing_and_resuming(administrator, nightly):
    press(administrator, nightly, "pause")
    assert jobs.is_paused(Schedule.objects.get(pk=nightly.pk))
    press(administrator, nightly, "resume")
    assert not jobs.is_paused(Schedule.objects.get(pk=nightly.pk))


def test_running_now_queues_it_and_says_that_no_worker_is_alive(administrator, nightly):
    page = press(administrator, nightly, "run").content.decode()
    assert OrmQ.objects.get().func() == "sync.tasks.sync_accounts"
    assert "No worker is alive" in page


def test_an_operator_only_looks_at_jobs(operator, nightly):
    assert press(operator, nightly, "run").status_code == 403
    assert operator.get(JOBS).status_code == 200


def test_a_job_says_in_words_when_it_runs(administrator, nightly):
    assert "every day at 01:00 UTC" in administrator.get(JOBS).content.decode()


def test_only_the_button_that_changes_something_is_offered(administrator, nightly):
    page = administrator.get(f"{JOBS}{nightly.pk}/change/").content.decode()
    assert (f"{nightly.pk}/pause/" in page, f"{nightly.pk}/resume/" in page) == (True, False)
    press(administrator, nightly, "pause")
    page = administrator.get(f"{JOBS}{nightly.pk}/change/").content.decode()
    assert (f"{nightly.pk}/pause/" in page, f"{nightly.pk}/resume/" in page) == (False, True)


def test_a_task_is_called_by_what_it_does(administrator, db):
    fleet.tasks()
    page = administrator.get("/admin/django_q/failure/").content.decode()
    assert "end records whose worker is gone" in page
    assert "task-False" not in page
