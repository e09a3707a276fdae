"""Real workers, killed with SIGKILL at any point: all or nothing, nothing lost, nothing twice."""

import random
import time
from collections import Counter

import pytest
from django.db.models import Q
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from sync import jobs, queue, reaper
from sync.models import SyncInstanceRecord, SyncSession, SyncType
from tests.servers.base import wait_until
from tests.sync import cast
from tests.sync.cluster import cluster, workshop
from tests.sync.proxy import proxy
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

Status = SyncInstanceRecord.Status
ROUNDS = 50
SEED = 20_261_122


def ended(session):
    session.refresh_from_db()
    return session.has_ended


def test_workers_do_a_session(orders_db):
    with cluster():
        session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, [orders_db])
        wait_until(lambda: ended(session), "the session", 30)
        assert queue.live_workers() == 1
    assert (session.status, session.successful_instances) == ("completed", 1)
    assert queue.live_workers() == 0


def test_a_task_that_is_lost_with_its_worker_is_delivered_again(orders_db):
    session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, [orders_db])
    OrmQ.objects.all().delete()
    assert reaper.requeue_lost(after=0) == 1
    with cluster():
        wait_until(lambda: ended(session), "the session", 30)
    assert session.status == "completed"


def test_workers_with_redis_do_a_session(orders_db, redis, settings, monkeypatch):
    from django_q.conf import Conf

    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", redis.url)
    with cluster(REDIS_URL=redis.url):
        session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, [orders_db])
        wait_until(lambda: ended(session), "the session", 30)
        assert queue.live_workers() == 1
    assert not OrmQ.objects.exists()
    assert session.status == "completed"


def test_a_task_that_redis_lost_with_its_worker_is_delivered_again(
    orders_db, redis, settings, monkeypatch
):
    from django_q.conf import Conf

    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", redis.url)
    session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, [orders_db])
    queue.get_broker().dequeue()  # as a worker does that is killed right after
    assert queue.waiting() == 0
    assert reaper.requeue_lost(after=0) == 1
    with cluster(REDIS_URL=redis.url):
        wait_until(lambda: ended(session), "the session", 30)
    assert session.status == "completed"


def test_a_killed_workers_session_ends_when_the_lease_is_over(orders_db, mariadb):
    with proxy(mariadb) as line:
        Instance.objects.filter(pk=orders_db.pk).update(port=line.port)
        line.gate.clear()
        session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, [orders_db])
        with cluster(WHALEFALL_RECORD_LEASE="2"):
            assert line.reached.wait(30)
    held = session.records.get().lease_until
    wait_until(lambda: timezone.now() > held, "the end of the lease", 10)
    with cluster():
        jobs.run("reap_records")
        wait_until(lambda: ended(session), "the reaper", 30)
    record = session.records.get()
    assert (session.status, record.sync_details) == ("failed", {"error": {"type": "LeaseExpired"}})
    assert not AccountChangeLog.objects.exists()


class Fleet:
    """Four instances on a MariaDB and a PostgreSQL that get a new account each round."""

    def __init__(self, mariadb, postgresql):
        self.mariadb, self.postgresql = mariadb, postgresql
        cast.superusers_are_critical()
        mariadb.execute(*(f"CREATE USER filler{number}@'%'" for number in range(60)))
        self.instances = [
            *(cast.on(f"m{n}", mariadb, database_name=f) for n, f in enumerate(("", "mysql"))),
            *(
                cast.on(f"p{n}", postgresql, database_name=f, db_type="postgresql")
                for n, f in enumerate(("postgres", "template1"))
            ),
        ]

    def change(self, number):
        self.mariadb.execute(
            f"GRANT {'SUPER' if number % 3 else 'FILE'} ON *.* TO new{number}@'%' IDENTIFIED BY ''",
            f"GRANT SELECT ON db{number}.* TO filler1@'%'",
        )
        self.postgresql.run(f"CREATE ROLE new{number}; GRANT new{number} TO pg_monitor")


def assert_all_or_nothing():
    """What failed has written nothing, what was written has its record completed."""
    failed = SyncInstanceRecord.objects.exclude(status=Status.COMPLETED)
    for session_id, instance in failed.values_list("session__session_id", "instance"):
        assert not AccountChangeLog.objects.filter(session_id=session_id, instance=instance)
    logged = Counter(AccountChangeLog.objects.values_list("account", "session_id"))
    assert not [key for key, count in logged.items() if count > 1]
    assert not InstanceAccount.objects.filter(permission=None).exists()
    mysql = AccountPermission.objects.filter(db_type="mysql")
    assert not mysql.filter(is_superuser=True).exclude(assignments__is_active=True).exists()


def assert_nothing_lost_or_doubled(fleet, rounds):
    """Each change of each round stands exactly once in the log of each instance."""
    for instance in fleet.instances:
        log = AccountChangeLog.objects.filter(instance=instance)
        added = Counter(log.filter(change_type="add").values_list("account__username", flat=True))
        assert set(added.values()) == {1}
        names = {name.partition("@")[0] for name in added}
        assert {f"new{number}" for number in range(rounds)} <= names
        if instance.db_type == "mysql":
            entries = [
                entry for row in log.filter(~Q(change_type="add")) for entry in row.privilege_diff
            ]
            seen = Counter(entry["object"].rpartition(":")[2] for entry in entries)
            assert [seen[f"db{number}"] for number in range(rounds)] == [1] * rounds


def expire_and_reap():
    running = SyncInstanceRecord.objects.filter(status=Status.RUNNING)
    interrupted = running.update(lease_until="2020-01-01T00:00Z")
    assert reaper.fail_expired()[0] == interrupted
    assert (
        not SyncSession.objects.filter(status="running")
        .exclude(records__status=Status.PENDING)
        .exists()
    )
    return interrupted


def drain():
    """Let living workers do what waits, so that the last session has every instance to itself."""
    waiting = SyncInstanceRecord.objects.unfinished()
    with cluster():
        wait_until(lambda: not waiting.exists(), "the waiting records", 120)


def run(fleet):
    """A session that nobody disturbs."""
    session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, fleet.instances)
    drain()
    session.refresh_from_db()
    return session


def interrupt(workers, done, seconds):
    """Let workers end `done` records, kill them `seconds` later, and do as the reaper does when the
    leases are over; how many records were in their hands.
    """
    waiting = SyncInstanceRecord.objects.filter(status=Status.PENDING)
    goal = max(waiting.count() - done - 1, 0)
    with workers.cluster():
        wait_until(lambda: waiting.count() <= goal, "a worker", 60)
        time.sleep(seconds)
    assert_all_or_nothing()
    return expire_and_reap()


def test_workers_killed_at_any_point_leave_everything_or_nothing(mariadb, postgresql):
    chance, interrupted = random.Random(SEED), 0
    mariadb.reset()
    fleet = Fleet(mariadb, postgresql)
    run(fleet)
    with workshop() as workers:
        for number in range(ROUNDS):
            fleet.change(number)
            session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, fleet.instances)
            interrupted += interrupt(workers, chance.randrange(4), chance.uniform(0, 0.2))
            # What the killed workers had fetched is lost, as it is with Redis.
            OrmQ.objects.all().delete()
            if number % 2 and not ended(session):
                session.cancel()
            reaper.requeue_lost(after=0)
    assert interrupted > ROUNDS / 5
    drain()
    last = run(fleet)
    assert last.status == "completed"
    assert not SyncSession.objects.filter(status="running").exists()
    assert_all_or_nothing()
    assert_nothing_lost_or_doubled(fleet, ROUNDS)
