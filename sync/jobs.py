"""The built-in jobs and their schedules: made once, then people's to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.models import Schedule, Task, validate_cron
from django_q.tasks import async_task

from sync import locks
from whalefall.logs import mask


@dataclass(frozen=True, slots=True)
class Job:
    """`number` is its advisory lock. `cron` is how often it runs until somebody changes that. `app`
    has it among its tasks, by its name.
    """

    name: str
    number: int
    cron: str
    title: Any
    app: str = "sync"

    @property
    def task(self) -> str:
        return f"{self.app}.tasks.{self.name}"


JOBS = {
    job.name: job
    for job in (
        Job("sync_accounts", 1, "0 1 * * *", _("read the accounts of every instance")),
        Job("calculate_account", 2, "0 2 * * *", _("classify every account")),
        Job("sync_databases", 5, "0 3 * * *", _("measure the databases of every instance")),
        Job("calculate_database", 6, "0 4 * * *", _("sum up sizes by day, week, month, quarter")),
        Job("reap_records", 3, "* * * * *", _("end records whose worker is gone")),
        Job("prune_history", 4, "0 5 * * *", _("delete what is older than is kept")),
        Job("send_notifications", 7, "* * * * *", _("tell who wants to be told"), "notify"),
    )
}


TASKS = {
    **{job.task: job.title for job in JOBS.values()},
    "sync.tasks.run_record": _("read one instance"),
    "notify.tasks.deliver": _("send one message"),
}
"""What the tasks in the queue do, for people."""


def in_words(cron: str) -> str:
    """The usual expressions said plainly, with the zone that schedules keep; others empty."""
    if cron == "* * * * *":
        return str(_("every minute"))
    minute, hour, *days = cron.split()
    if days == ["*", "*", "*"] and minute.isdecimal() and hour.isdecimal():
        time = {"time": f"{int(hour):02}:{int(minute):02}", "zone": time_zone()}
        return str(_("every day at %(time)s %(zone)s") % time)
    return ""


def create_schedules() -> int:
    """Make the schedules that are missing; how many that were. Existing ones are left alone."""
    known = set(schedules().values_list("name", flat=True))
    missing = [_schedule(job) for job in JOBS.values() if job.name not in known]
    return len(Schedule.objects.bulk_create(missing))


def _schedule(job: Job) -> Schedule:
    schedule = Schedule(
        name=job.name, func=job.task, schedule_type=Schedule.CRON, cron=job.cron, repeats=-1
    )
    # Not at once: a machine that is set up at noon has its nightly jobs at night.
    schedule.next_run = schedule.calculate_next_run()
    return schedule


def schedules() -> QuerySet[Schedule]:
    """The schedules of the built-in jobs."""
    return Schedule.objects.filter(name__in=JOBS).order_by("name")


def with_last_run() -> QuerySet[Any]:
    """The schedules with `last_started`, `last_stopped` (None before the first run), `last_success`
    and `last_result` of the newest run, whether its time had come or a person started it.
    """
    newest = Task.objects.filter(group=OuterRef("name")).order_by("-stopped")
    return schedules().annotate(
        **{
            f"last_{name}": Subquery(newest.values(name)[:1])
            for name in ("started", "stopped", "success", "result")
        }
    )


def readable(result: Any, success: bool) -> Any:
    """A run's result for people: what django-q2 keeps of a failure ends in a traceback."""
    if success or not isinstance(result, str):
        return result
    return mask(result.partition(" : Traceback")[0])


def time_zone() -> str:
    """The one that cron expressions are read in."""
    return timezone.get_default_timezone_name()


def schedule(name: str) -> Schedule:
    """Raises LookupError naming the choices when there is no such job."""
    if name not in JOBS:
        raise LookupError(f"Unknown job: {name}. Must be one of: {', '.join(JOBS)}")
    found = schedules().filter(name=name).first()
    if found is None:
        create_schedules()
        found = schedules().get(name=name)
    return found


def run(name: str) -> str:
    """Queue a job now, whatever its schedule says; the id of the task."""
    task: str = async_task(schedule(name).func, group=name)
    return task


def is_paused(found: Schedule) -> bool:
    """django-q2 passes over schedules that are to be repeated 0 times."""
    return found.repeats == 0


def is_running(name: str) -> bool:
    """Whether some worker is at this job now: they hold its lock while they are."""
    return locks.is_held(locks.JOB, JOBS[name].number)


def pause(name: str) -> None:
    schedule(name)
    schedules().filter(name=name).update(repeats=0)


def resume(name: str) -> Schedule:
    """From the next time on; what fell into the pause is not made up for."""
    found = schedule(name)
    found.repeats, found.next_run = -1, found.calculate_next_run()
    found.save(update_fields=("repeats", "next_run"))
    return found


def check_cron(cron: str) -> None:
    """Raises ValidationError when `cron` is no cron expression of five fields."""
    if len(cron.split()) != 5:
        raise ValidationError(_("A cron expression has five fields, for example 0 1 * * *."))
    validate_cron(cron)


def set_cron(name: str, cron: str) -> Schedule:
    """Raises ValidationError as `check_cron` does."""
    found = schedule(name)
    check_cron(cron)
    found.schedule_type, found.cron = Schedule.CRON, cron
    found.next_run = found.calculate_next_run()
    found.save(update_fields=("schedule_type", "cron", "next_run"))
    return found
