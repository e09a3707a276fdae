"""django-q2's own scheduler over days and nights: when clocks change, after downtime, and what it
leaves alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q import models as q_models
from django_q import scheduler as q_scheduler
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from sync import jobs

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


class Clock:
    """The scheduler's, to be put to any time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def local(self, value: datetime | None = None) -> datetime:
        return (value or self.now).astimezone(BERLIN)

    def tick_until(self, end: datetime, step: timedelta) -> list[datetime]:
        """Local times at which the scheduler queued something."""
        queued = []
        while self.now < end:
            before = OrmQ.objects.count()
            q_scheduler.scheduler()
            queued += [self.local()] * (OrmQ.objects.count() - before)
            self.now += step
        return queued


@pytest.fixture
def clock(monkeypatch, settings):
    """In Berlin, where clocks change in March and October. Only the job that a test names is on."""
    settings.TIME_ZONE = "Europe/Berlin"
    found = Clock()
    monkeypatch.setattr(Conf, "TIME_ZONE", "Europe/Berlin")
    monkeypatch.setattr(q_scheduler.timezone, "now", lambda: found.now)
    # It would close the connection that holds the transaction of the test.
    monkeypatch.setattr(q_scheduler, "close_old_django_connections", lambda: None)
    for module in (q_scheduler, q_models):
        monkeypatch.setattr(module, "localtime", found.local)
    Schedule.objects.update(repeats=0)
    return found


def night(clock: Clock, evening: datetime, cron: str) -> list[str]:
    """When a job ran in the 24 hours from this evening on."""
    clock.now = evening
    jobs.set_cron("sync_accounts", cron)
    Schedule.objects.filter(name="sync_accounts").update(repeats=-1)
    times = clock.tick_until(evening + timedelta(days=1), timedelta(minutes=10))
    return [f"{moment:%H:%M %z}" for moment in times]


IN_MARCH = datetime(2026, 3, 28, 20, 5, tzinfo=UTC)
IN_OCTOBER = datetime(2026, 10, 24, 20, 5, tzinfo=UTC)


def test_a_job_of_the_hour_that_is_left_out_runs_once_at_its_end(clock):
    assert night(clock, IN_MARCH, "30 2 * * *") == ["03:05 +0200"]


def test_a_job_of_the_hour_that_comes_twice_runs_once(clock):
    assert night(clock, IN_OCTOBER, "30 2 * * *") == ["02:35 +0200"]


def test_a_job_after_the_change_runs_at_its_time_of_day(clock):
    assert night(clock, IN_MARCH, "0 5 * * *") == ["05:05 +0200"]
    OrmQ.objects.all().delete()
    assert night(clock, IN_OCTOBER, "0 5 * * *") == ["05:05 +0100"]


def test_a_job_of_every_hour_runs_in_both_of_the_double_hour(clock):
    times = night(clock, IN_OCTOBER, "30 * * * *")
    assert len(times) == 24
    assert [time for time in times if time.startswith("02")] == ["02:35 +0200", "02:35 +0100"]


@pytest.mark.parametrize("evening", [IN_MARCH, IN_OCTOBER])
def test_the_next_time_that_is_shown_is_the_one_it_runs_at(clock, evening):
    clock.now = evening
    shown = jobs.set_cron("sync_accounts", "30 2 * * *").next_run
    Schedule.objects.filter(name="sync_accounts").update(repeats=-1)
    (ran,) = clock.tick_until(evening + timedelta(days=1), timedelta(minutes=10))
    assert timedelta(0) <= ran - shown <= timedelta(minutes=10)


def test_after_three_days_of_downtime_each_job_runs_once(clock):
    """Even the job of every minute, which missed 4,320 times."""
    clock.now = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    long_ago = clock.now - timedelta(days=3)
    Schedule.objects.update(repeats=-1, next_run=long_ago)
    q_scheduler.scheduler()
    assert OrmQ.objects.count() == len(jobs.JOBS)
    q_scheduler.scheduler()
    assert OrmQ.objects.count() == len(jobs.JOBS)
    assert not Schedule.objects.filter(next_run__lte=clock.now).exists()


def test_what_fell_into_a_pause_is_not_made_up_for(clock):
    clock.now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    Schedule.objects.filter(name="sync_accounts").update(next_run=clock.now - timedelta(days=9))
    jobs.resume("sync_accounts")
    q_scheduler.scheduler()
    assert not OrmQ.objects.exists()


def test_two_schedulers_on_two_machines_queue_a_job_once(clock):
    """The second one waits for the first one's rows, and finds them moved on."""
    clock.now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    Schedule.objects.filter(name="sync_accounts").update(
        repeats=-1, next_run=clock.now - timedelta(minutes=1)
    )
    q_scheduler.scheduler()
    q_scheduler.scheduler()
    assert OrmQ.objects.count() == 1


def test_a_schedule_that_is_made_in_the_double_hour_is_for_the_next_night(clock):
    clock.now = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45, the first time
    found = jobs.set_cron("sync_accounts", "30 2 * * *")
    assert timezone.localtime(found.next_run, BERLIN).isoformat() == "2026-10-26T02:30:00+01:00"
