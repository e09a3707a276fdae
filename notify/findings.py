"""What each kind of rule looks for: its findings of now, those told before left out where the kind
is not one that lasts.

Events are looked for in the last two days and told apart by their keys, rather than from a mark on:
rows of runs that overlap become visible out of order, and an account is classified after it was
first seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from croniter import croniter
from django.db.models import (
    CharField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Concat, Greatest
from django.utils import timezone
from django_q.models import Failure, Task

from accounts.models import AccountChangeLog
from capacity.forecast import TooLittle
from capacity.history import forecast_instance
from classification.risks import LEVELS
from notify.models import Alert, Rule
from sync import jobs
from sync.models import InPlaceSync, SyncCategory, SyncInstanceRecord, SyncSession
from whalefall.instances.models import Instance
from whalefall.logs import mask

WINDOW = timedelta(days=2)
MOST = 1000
"""Findings of one look; the rest comes with the next one."""
GRACE = timedelta(hours=1)
"""A job may run so much later than it is due before it is missed."""
LOOKS_APART = timedelta(minutes=30)
"""Looks for missed jobs are ten minutes apart; after a longer pause one look judges nothing new."""
TASKS_KEPT = timedelta(days=7)
"""At least so long the outcome of a task is kept."""
DAYS_OF_HISTORY = 90
ERRORS_SHOWN = 5
ADDED = ("add", "restore")
CHANGED = ("modify_privilege", "modify_other")


@dataclass(frozen=True, slots=True)
class Finding:
    """`data` is what the words are made from, and `page` the row of the console it is about."""

    key: str
    data: dict[str, Any]


def look(rule: Rule, now: datetime) -> list[Finding]:
    """What this rule finds now, at most MOST of it."""
    return [found for found, _number in zip(LOOKS[rule.kind](rule, now), range(MOST), strict=False)]


def _since(rule: Rule, now: datetime) -> datetime:
    return max(rule.created_at, now - WINDOW)


def _untold(rule: Rule, rows: QuerySet[Any], prefix: str) -> QuerySet[Any]:
    """Rows whose key `prefix:pk` has no alert of this rule yet."""
    key = Concat(Value(f"{prefix}:"), Cast("pk", CharField()), output_field=CharField())
    told = Alert.objects.filter(rule=rule, key=OuterRef("alert_key"))
    return rows.annotate(alert_key=key).filter(~Exists(told)).order_by("pk")


def _tagged(rule: Rule, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """Rows about instances that have one of the rule's tags; all where it has none."""
    tags = list(rule.tags.all())
    if not tags:
        return rows
    return rows.filter(**{f"{path}__in": Instance.objects.filter(tags__in=tags).values("pk")})


def _changes(rule: Rule, now: datetime, types: tuple[str, ...]) -> QuerySet[Any]:
    """Log lines of accounts that are there, but for the first reading of an instance: what was
    there before anybody looked is not new.
    """
    log = AccountChangeLog.objects.filter(instance=OuterRef("instance")).order_by()
    first = log.values("instance").annotate(first=Min("change_time")).values("first")
    rows = AccountChangeLog.objects.filter(
        change_type__in=types,
        change_time__gte=_since(rule, now),
        change_time__gt=Subquery(first),
        account__is_active=True,
        instance__deleted_at=None,
    )
    return _tagged(rule, _untold(rule, rows, "change"), "instance")


def _new_account(rule: Rule, now: datetime) -> Iterator[Finding]:
    rows = _changes(rule, now, ADDED).filter(account__permission__risk__level__gte=rule.risk_number)
    rows = rows.select_related("account", "instance").annotate(
        level=F("account__permission__risk__level")
    )
    for row in rows[:MOST]:
        data = {**_account(row, LEVELS[row.level - 1]), "time": row.change_time.isoformat()}
        yield Finding(row.alert_key, data)


def _risk_rose(rule: Rule, now: datetime) -> Iterator[Finding]:
    rows = _changes(rule, now, CHANGED).filter(risk_after__in=LEVELS[rule.risk_number - 1 :])
    rows = rows.exclude(risk_before=F("risk_after")).select_related("account", "instance")
    for row in rows[:MOST]:
        before = LEVELS.index(row.risk_before) if row.risk_before in LEVELS else -1
        if LEVELS.index(row.risk_after) > before:
            more = {"before": row.risk_before, "what": row.message}
            yield Finding(row.alert_key, _account(row, row.risk_after) | more)


def _account(row: Any, risk: str) -> dict[str, Any]:
    return {
        "account": row.account.username,
        "instance": row.instance.name,
        "risk": risk,
        "severity": risk,
        "page": ["accounts_instanceaccount", row.account_id],
    }


def _session_failed(rule: Rule, now: datetime) -> Iterator[Finding]:
    rows = SyncSession.objects.filter(
        status=SyncSession.Status.FAILED, completed_at__gte=_since(rule, now)
    )
    if rule.sync_category:
        rows = rows.filter(sync_category=rule.sync_category)
    for session in _untold(rule, rows, "session")[:MOST]:
        failed = session.records.filter(status=SyncInstanceRecord.Status.FAILED)
        failed = _tagged(rule, failed, "instance")
        if count := failed.count():
            lines = failed.order_by("instance_name").values_list("instance_name", "error_message")
            data = {
                "session": str(session.session_id),
                "category": session.sync_category,
                "failed": count,
                "total": session.total_instances,
                "errors": [f"{name}: {mask(error)}"[:200] for name, error in lines[:ERRORS_SHOWN]],
                "severity": "high" if count == session.total_instances else "medium",
                "page": ["sync_syncsession", session.pk],
            }
            yield Finding(session.alert_key, data)


def _instance_stale(rule: Rule, now: datetime) -> Iterator[Finding]:
    days = rule.days or 1
    category = rule.sync_category or SyncCategory.ACCOUNT
    good = SyncInstanceRecord.objects.filter(
        instance=OuterRef("pk"),
        status=SyncInstanceRecord.Status.COMPLETED,
        session__sync_category=category,
    ).order_by("-pk")
    in_place = InPlaceSync.objects.filter(instance=OuterRef("pk"), sync_category=category)
    limit = now - timedelta(days=days)
    rows = Instance.objects.watched().filter(created_at__lt=limit)
    # PostgreSQL's GREATEST passes over what is not there.
    last_one = Greatest(
        Subquery(good.values("completed_at")[:1]), Subquery(in_place.values("completed_at")[:1])
    )
    rows = rows.annotate(last=last_one)
    rows = rows.filter(Q(last=None) | Q(last__lt=limit)).order_by("name")
    for instance in _tagged(rule, rows, "pk")[:MOST]:
        last = getattr(instance, "last", None)
        data = {
            "instance": instance.name,
            "days": (now - (last or instance.created_at)).days,
            "last": last.isoformat() if last else None,
            "severity": "high",
            "page": ["instances_instance", instance.pk],
        }
        yield Finding(f"instance:{instance.pk}", data)


def _job_missed(rule: Rule, now: datetime) -> Iterator[Finding]:
    """What the schedule itself promised counts, not what its cron expression says about the past:
    that may be from after the time it names, and the clock may have been moved.
    """
    runs = Task.objects.filter(group__in=jobs.JOBS, started__lte=now).order_by()
    last_runs = dict(runs.values_list("group").annotate(Max("started")))
    told = set(rule.alerts.filter(closed_at=None).values_list("key", flat=True))
    for schedule in jobs.schedules():
        last = last_runs.get(schedule.name)
        due = _promised(schedule, now)
        missed = rule.created_at <= due < now - GRACE and (last is None or last < due)
        # After a pause of the workers, or a leap of the clock, they first have a moment to begin.
        sure = _is_watched(rule, now) or f"job:{schedule.name}" in told
        if missed and sure and not jobs.is_paused(schedule) and not jobs.is_running(schedule.name):
            data = {
                "job": schedule.name,
                "due": due.isoformat(),
                "last": last.isoformat() if last else None,
                "severity": "high",
                "page": ["django_q_schedule", schedule.pk],
            }
            yield Finding(f"job:{schedule.name}", data)


def _promised(schedule: Any, now: datetime) -> datetime:
    """When it was to run last: its next time, where that has passed and nobody began it; the time
    before for one that was begun and never ended. (What ended long ago is not kept.)
    """
    promised: datetime = schedule.next_run
    if schedule.task and not Task.objects.filter(pk=schedule.task).exists():
        before = due_before(str(schedule.cron), promised)
        return before if now - before < TASKS_KEPT else promised
    return promised


def _is_watched(rule: Rule, now: datetime) -> bool:
    """Whether the last look is as long ago as looks are apart."""
    return rule.checked_at is not None and now - rule.checked_at <= LOOKS_APART


def due_before(cron: str, moment: datetime) -> datetime:
    """The last time before `moment` that a cron expression names, in the time zone of jobs."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    found: datetime = croniter(cron, local).get_prev(datetime)
    return found


def _job_failed(rule: Rule, now: datetime) -> Iterator[Finding]:
    rows = Failure.objects.filter(group__in=jobs.JOBS, stopped__gte=_since(rule, now))
    for task in _untold(rule, rows, "task")[:MOST]:
        data = {
            "job": task.group,
            "error": str(jobs.readable(task.result, False))[:500],
            "severity": "high",
            "page": ["django_q_failure", task.pk],
        }
        yield Finding(task.alert_key, data)


def _days_to_full(rule: Rule, now: datetime) -> Iterator[Finding]:
    rows = Instance.objects.watched().exclude(capacity_limit_bytes=None).order_by("name")
    for instance in _tagged(rule, rows, "pk"):
        try:
            full = forecast_instance(instance, DAYS_OF_HISTORY).full
        except TooLittle:
            continue
        if full.days is not None and full.days < (rule.days or 0):
            data = {
                "instance": instance.name,
                "left": full.days,
                "on": str(full.on or ""),
                "severity": "high" if full.days < 7 else "medium",
                "page": ["instances_instance", instance.pk],
            }
            yield Finding(f"instance:{instance.pk}", data)


LOOKS: dict[str, Callable[[Rule, datetime], Iterator[Finding]]] = {
    Rule.Kind.NEW_ACCOUNT: _new_account,
    Rule.Kind.RISK_ROSE: _risk_rose,
    Rule.Kind.SESSION_FAILED: _session_failed,
    Rule.Kind.INSTANCE_STALE: _instance_stale,
    Rule.Kind.JOB_MISSED: _job_missed,
    Rule.Kind.JOB_FAILED: _job_failed,
    Rule.Kind.DAYS_TO_FULL: _days_to_full,
}
