"""Two syncs of one instance at a time: one does it, the other says so."""

from threading import Thread

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper

from accounts.models import AccountChangeLog, InstanceAccount
from sync import locks, reaper
from sync.keeper import InstanceBusy, Keeper
from sync.runner import run_record, sync_accounts
from tests.sync import cast
from tests.sync.proxy import proxy
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

BUSY = "Another sync of orders-db is running: wait for it to end."


class Worker(Thread):
    """Does a record in a thread with its own connection, as a worker process has."""

    def __init__(self, pk):
        super().__init__()
        self.pk, self.result = pk, None
        self.start()

    def run(self):
        try:
            self.result = run_record(self.pk)
        finally:
            connections.close_all()


def test_the_second_sync_of_an_instance_fails_while_the_first_reads(orders_db, mariadb):
    with proxy(mariadb) as line:
        Instance.objects.filter(pk=orders_db.pk).update(port=line.port)
        line.gate.clear()
        first = Worker(cast.session("orders-db").records.get().pk)
        assert line.reached.wait(10)
        second = cast.session("orders-db").records.get()
        assert run_record(second.pk)["message"] == BUSY
        line.gate.set()
        first.join()
    second.refresh_from_db()
    assert (second.status, second.error_message) == ("failed", BUSY)
    assert first.result["success"] is True


def test_many_at_once_write_everything_once(orders_db, mariadb):
    mariadb.execute(*(f"CREATE USER u{number}@'%'" for number in range(40)))
    workers = [Worker(cast.session("orders-db").records.get().pk) for _ in range(6)]
    for worker in workers:
        worker.join()
    assert any(worker.result["success"] for worker in workers)
    assert {worker.result["message"] for worker in workers if not worker.result["success"]} <= {
        BUSY
    }
    assert AccountChangeLog.objects.count() == InstanceAccount.objects.count()


def test_one_record_is_done_by_one_of_many_workers(orders_db):
    pk = cast.session("orders-db").records.get().pk
    workers = [Worker(pk) for _ in range(6)]
    for worker in workers:
        worker.join()
    assert [worker.result for worker in workers].count(None) == 5


def test_many_that_end_at_once_end_their_session_once(transactional_db):
    session = cast.session(*(f"db-{number}" for number in range(8)))
    workers = [Worker(pk) for pk in session.records.values_list("pk", flat=True)]
    for worker in workers:
        worker.join()
    session.refresh_from_db()
    assert (session.status, session.failed_instances) == ("failed", 8)


def test_instances_do_not_stand_in_each_others_way(transactional_db):
    with Keeper(1), Keeper(2), pytest.raises(InstanceBusy), Keeper(1):
        pass


def test_the_lock_of_a_killed_worker_is_gone_with_its_connection(orders_db):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.INSTANCE, orders_db.pk])
        assert sync_accounts(orders_db, "manual_single")["message"] == BUSY
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    assert sync_accounts(orders_db, "manual_single")["success"] is True


def test_a_lease_is_renewed_while_the_server_is_read(orders_db, mariadb, settings):
    settings.RECORD_LEASE = 0.6
    session = cast.session("orders-db")
    with proxy(mariadb) as line:
        Instance.objects.filter(pk=orders_db.pk).update(port=line.port)
        line.gate.clear()
        worker = Worker(session.records.get().pk)
        worker.join(2)
        assert reaper.reap()["failed"] == 0
        line.gate.set()
        worker.join()
    assert worker.result["success"] is True


def test_the_store_notices_within_a_minute_that_a_machine_vanished(postgresql, db):
    remote = DatabaseWrapper(
        connection.settings_dict
        | {
            "HOST": postgresql.host,
            "PORT": postgresql.port,
            "NAME": "postgres",
            "USER": postgresql.admin_username,
            "PASSWORD": postgresql.admin_password,
            "OPTIONS": {},
        },
        "default",
    )
    with remote.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('tcp_keepalives_idle')::int"
            " + current_setting('tcp_keepalives_interval')::int"
            " * current_setting('tcp_keepalives_count')::int"
        )
        assert cursor.fetchone() == (60,)
    remote.close()


def test_the_next_sync_may_follow_at_once():
    for _ in range(100):
        with Keeper(1):
            pass
    with Keeper(1) as keeper:
        assert keeper.is_free
