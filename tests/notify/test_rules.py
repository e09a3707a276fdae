"""What each kind of rule finds, and that it is told once."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule, Task

from accounts.models import AccountChangeLog
from capacity import partitions
from capacity.models import InstanceSizeStat
from classification.models import AccountRisk
from notify import findings, watch
from notify.models import Alert, Delivery, Rule
from sync import jobs, locks
from sync.models import InPlaceSync, SyncCategory
from tags.models import InstanceTag, Tag
from tests.api.cast import account
from tests.notify import cast
from tests.sync import cast as fleet

pytestmark = pytest.mark.django_db


def ago(**span):
    return timezone.now() - timedelta(**span)


def changed(who, change_type="add", when=None, **fields):
    """A line in the log of this account."""
    return AccountChangeLog.objects.create(
        account=who,
        instance=who.instance,
        change_type=change_type,
        change_time=when or timezone.now(),
        **fields,
    )


def risky(who, level):
    AccountRisk.objects.create(permission=who.permission, level=level)
    return who


def told():
    """The data of what a look now finds, in order."""
    watch.watch()
    return [each["data"] for made in Delivery.objects.order_by("pk") for each in made.notices]


@pytest.fixture
def orders_db():
    """Read for the first time yesterday."""
    instance = fleet.instance("orders-db")
    changed(account("root@%", instance, collected=False), when=ago(days=1))
    return instance


def test_a_new_account_of_enough_risk_is_told(orders_db):
    cast.rule("new_account", risk_level="high")
    changed(risky(account("dba@%", orders_db), 5))
    changed(risky(account("app@%", orders_db), 3))
    changed(account("nobody@%", orders_db))
    assert [(each["account"], each["risk"]) for each in told()] == [("dba@%", "critical")]


def test_an_account_that_is_classified_later_is_told_then(orders_db):
    cast.rule("new_account")
    late = account("dba@%", orders_db)
    changed(late)
    assert told() == []
    risky(late, 4)
    assert len(told()) == 1


def test_what_was_there_at_the_first_reading_is_not_new():
    instance, at = fleet.instance("orders-db"), timezone.now()
    cast.rule("new_account")
    changed(risky(account("root@%", instance), 5), when=at)
    assert told() == []


def test_what_happened_before_the_rule_was_made_is_not_told(orders_db):
    changed(risky(account("dba@%", orders_db), 5))
    Rule.objects.filter(pk=cast.rule("new_account").pk).update(created_at=timezone.now())
    assert told() == []


def test_a_risk_that_rose_is_told_and_one_that_fell_is_not(orders_db):
    cast.rule("risk_rose", risk_level="medium")
    dba, app = account("dba@%", orders_db), account("app@%", orders_db)
    changed(dba, "modify_privilege", risk_before="low", risk_after="high", message="1 granted")
    changed(app, "modify_privilege", risk_before="critical", risk_after="high")
    changed(app, "modify_privilege", risk_before="", risk_after="low")
    assert [(each["account"], each["before"]) for each in told()] == [("dba@%", "low")]


def test_a_session_that_failed_is_told_with_what_the_servers_said():
    cast.rule("session_failed")
    session = fleet.session("orders-db", "billing-db")
    fleet.end(session, "orders-db", "Access denied for user whalefall")
    fleet.end(session, "billing-db")
    (data,) = told()
    assert (data["failed"], data["total"]) == (1, 2)
    assert data["errors"] == ["orders-db: Access denied for user whalefall"]


def test_a_session_of_another_category_is_not_told():
    cast.rule("session_failed", sync_category=SyncCategory.CAPACITY)
    fleet.end(fleet.session("orders-db"), "orders-db", "down")
    assert told() == []


def test_an_instance_without_a_sync_for_days_is_told_until_it_works_again():
    cast.rule("instance_stale", days=2)
    stale = fleet.instance("orders-db")
    type(stale).objects.update(created_at=ago(days=5))
    assert [(each["instance"], each["days"]) for each in told()] == [("orders-db", 5)]
    session = fleet.session("orders-db")
    fleet.end(session, "orders-db")
    Rule.objects.update(checked_at=None)
    assert watch.watch()["closed"] == 1
    session.records.update(completed_at=ago(days=3))
    Rule.objects.update(checked_at=None)
    assert watch.watch()["told"] == 1


def test_a_sync_in_place_counts_as_a_sync():
    cast.rule("instance_stale", days=2)
    instance = fleet.instance("orders-db")
    type(instance).objects.update(created_at=ago(days=5))
    InPlaceSync.note(instance, SyncCategory.CAPACITY)
    assert len(told()) == 1
    InPlaceSync.note(instance, SyncCategory.ACCOUNT)
    Rule.objects.update(checked_at=None)
    assert watch.watch()["closed"] == 1


def test_an_instance_that_is_new_or_paused_is_not_stale():
    cast.rule("instance_stale", days=2)
    fleet.instance("new-db")
    paused = fleet.instance("paused-db", is_active=False)
    type(paused).objects.filter(pk=paused.pk).update(created_at=ago(days=5))
    assert told() == []


def test_what_lasts_is_told_again_after_the_days_of_the_reminder():
    cast.rule("instance_stale", days=2, remind_days=3)
    fleet.instance("orders-db")
    fleet.Instance.objects.update(created_at=ago(days=5))
    now = timezone.now()
    looks = [watch.watch(now + timedelta(days=days))["told"] for days in (0, 1, 2, 3, 4, 6)]
    assert looks == [1, 0, 0, 1, 0, 1]
    assert Alert.objects.count() == 1


def ran(job, when, success=True, result=None):
    Task.objects.create(
        id=f"{job}-{when:%d%H%M%S}", name=job, func="x", group=job, started=when, stopped=when,
        success=success, result=result,
    )  # fmt: skip


@pytest.fixture
def missed():
    """A rule that was looked at ten minutes ago, and but one schedule that counts."""
    Schedule.objects.exclude(name="sync_accounts").update(repeats=0)
    return cast.rule("job_missed", checked_at=ago(minutes=10))


def promise(when, **fields):
    Schedule.objects.filter(name="sync_accounts").update(next_run=when, **fields)


def test_a_job_that_nobody_began_is_told(missed):
    promise(due := ago(hours=2))
    ran("sync_accounts", ago(hours=26))
    (data,) = told()
    assert (data["job"], datetime.fromisoformat(data["due"])) == ("sync_accounts", due)


def test_a_job_that_was_begun_and_never_ended_is_told(missed):
    now = timezone.now()
    due = findings.due_before("0 * * * *", now - timedelta(hours=1))
    promise(due + timedelta(hours=1), cron="0 * * * *", task="lost")
    assert [datetime.fromisoformat(each["due"]) for each in told()] == [due]


def test_a_job_that_still_runs_is_not_missed(missed):
    promise(ago(hours=2))
    other, lock = connection.copy(), [locks.JOB, jobs.JOBS["sync_accounts"].number]
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", lock)
        assert told() == []


def test_a_job_that_ran_is_to_run_later_or_is_paused_is_not_missed(missed):
    promise(ago(hours=2))
    ran("sync_accounts", ago(hours=1, minutes=59))
    assert told() == []
    Task.objects.all().delete()
    for when, repeats in ((ago(hours=-2), -1), (ago(hours=2), 0)):
        promise(when, repeats=repeats)
        Rule.objects.update(checked_at=ago(minutes=10))
        assert told() == []


def test_another_time_for_a_job_is_no_missed_one(missed):
    ran("sync_accounts", ago(hours=20))
    hour = timezone.localtime(ago(hours=3), timezone.get_default_timezone()).hour
    jobs.set_cron("sync_accounts", f"0 {hour} * * *")
    assert told() == []


def test_after_a_leap_of_the_clock_the_workers_first_have_time_to_begin(missed):
    Rule.objects.update(checked_at=ago(days=3))
    promise(ago(days=1))
    assert told() == []
    Rule.objects.update(checked_at=ago(minutes=10))
    assert [each["job"] for each in told()] == ["sync_accounts"]
    Rule.objects.update(checked_at=ago(days=3))
    assert watch.watch()["closed"] == 0


def test_a_run_from_the_future_counts_for_nothing(missed):
    promise(ago(hours=2))
    ran("sync_accounts", ago(days=-300))
    assert [each["job"] for each in told()] == ["sync_accounts"]


def test_a_job_that_failed_is_told_without_its_traceback():
    cast.rule("job_failed")
    ran("sync_accounts", timezone.now(), False, "store away : Traceback (most recent call last): x")
    assert [(each["job"], each["error"]) for each in told()] == [("sync_accounts", "store away")]


def test_an_instance_that_will_be_full_soon_is_told():
    cast.rule("days_to_full", days=60)
    full, roomy = (
        fleet.instance(name, capacity_limit_bytes=limit)
        for name, limit in (("full-db", 1_500), ("roomy-db", 10**9))
    )
    today = timezone.localdate()
    partitions.ensure(*(today - timedelta(days=day) for day in range(30)))
    for instance in (full, roomy):
        InstanceSizeStat.objects.bulk_create(
            InstanceSizeStat(
                instance=instance,
                collected_date=today - timedelta(days=day),
                collected_at=timezone.now(),
                size_bytes=1_000 - 10 * day,
                database_count=1,
                measured_count=1,
            )
            for day in range(30)
        )
    assert [(each["instance"], each["left"]) for each in told()] == [("full-db", 50)]


def test_a_rule_with_tags_is_about_instances_that_have_one_of_them():
    prod = Tag.objects.create(name="prod", display_name="Production")
    cast.rule("instance_stale", days=2).tags.add(prod)
    orders, _scratch = fleet.instance("orders-db"), fleet.instance("scratch-db")
    InstanceTag.objects.create(instance=orders, tag=prod)
    fleet.Instance.objects.update(created_at=ago(days=5))
    assert [each["instance"] for each in told()] == ["orders-db"]


def test_many_findings_of_one_look_are_one_message(orders_db):
    cast.rule("new_account")
    for number in range(250):
        changed(risky(account(f"u{number}@%", orders_db), 4))
    watch.watch()
    made = Delivery.objects.get()
    assert (len(made.notices), made.left_out, made.total) == (200, 50, 250)


def test_each_finding_is_told_once_however_often_the_rule_is_looked_at(orders_db):
    cast.rule("new_account")
    changed(risky(account("dba@%", orders_db), 5))
    assert [watch.watch()["told"] for _number in range(3)] == [1, 0, 0]


def test_each_channel_gets_its_own_message(orders_db):
    paused = cast.channel(name="paused", is_active=False)
    cast.rule("new_account", cast.channel(name="a"), cast.channel(name="b"), paused)
    changed(risky(account("dba@%", orders_db), 5))
    watch.watch()
    names = Delivery.objects.values_list("channel__name", flat=True)
    assert sorted(names) == ["a", "b"]


def test_a_digest_collects_until_its_time_is_over(orders_db):
    cast.rule("new_account", cast.channel(digest_minutes=30))
    now = timezone.now()
    for number, minutes in enumerate((0, 10, 29, 31)):
        changed(risky(account(f"u{number}@%", orders_db), 4))
        watch.watch(now + timedelta(minutes=minutes))
    assert [made.total for made in Delivery.objects.order_by("pk")] == [3, 1]


def test_a_rule_that_cannot_be_looked_at_does_not_silence_the_others(orders_db, monkeypatch):
    broken = cast.rule("job_failed")
    cast.rule("new_account")
    changed(risky(account("dba@%", orders_db), 5))
    monkeypatch.setitem(findings.LOOKS, "job_failed", lambda rule, now: 1 / 0)
    done = watch.watch()
    assert (done["failed"], done["told"]) == (1, 1)
    broken.refresh_from_db()
    assert broken.last_error == "division by zero"


def test_nothing_is_told_twice_or_lost_when_a_look_breaks_off(orders_db, monkeypatch):
    cast.rule("new_account")
    changed(risky(account("dba@%", orders_db), 5))
    with monkeypatch.context() as broken:
        broken.setattr(watch, "post", lambda *args: 1 / 0)  # alerts are written, deliveries not
        assert watch.watch()["told"] == 0
    assert Alert.objects.count() == 0
    assert watch.watch()["told"] == 1


@pytest.mark.parametrize("size", [3, 60])
def test_a_look_takes_as_many_statements_for_much_as_for_little(
    size, orders_db, django_assert_num_queries
):
    cast.rule("new_account")
    for number in range(size):
        changed(risky(account(f"u{number}@%", orders_db), 4))
    with django_assert_num_queries(10):
        assert watch.watch()["told"] == size


def test_what_is_old_goes_and_what_lasts_stays(settings):
    settings.KEEP_LOGS = 30
    lasting, once = cast.rule("instance_stale", days=2), cast.rule("job_failed")
    old = {"found_at": ago(days=31), "told_at": ago(days=31)}
    kept = Alert.objects.create(rule=lasting, key="instance:1", **old)
    Alert.objects.create(rule=lasting, key="instance:2", closed_at=ago(days=31), **old)
    Alert.objects.create(rule=once, key="task:x", **old)
    cast.delivery(cast.channel(name="c"), created_at=ago(days=31))
    watch.prune(timezone.now())
    assert list(Alert.objects.all()) == [kept]
    assert not Delivery.objects.exists()


def test_due_times_are_those_of_the_jobs_time_zone(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    try:
        noon = datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
        assert findings.due_before("0 1 * * *", noon).isoformat() == "2026-07-01T01:00:00+02:00"
    finally:
        timezone.get_default_timezone.cache_clear()
