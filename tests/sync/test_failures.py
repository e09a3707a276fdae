"""What servers, networks and people do wrong: one clear line, nothing written, the others go on."""

import time

import pytest
from django.db import connection

from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from sync.models import SyncInstanceRecord
from sync.runner import run_record, sync_accounts
from tests.servers.base import free_port
from tests.sync import cast
from tests.sync.proxy import proxy, silent_listener
from whalefall.engines.mysql.server import MySQLServer
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def fail(instance) -> SyncInstanceRecord:
    """Do the instance in a session; its record, which has failed with everything else as it was."""
    before = stored()
    session = cast.session(instance.name)
    record = session.records.get()
    assert run_record(record.pk)["success"] is False
    assert stored() == before
    record.refresh_from_db()
    session.refresh_from_db()
    assert (record.status, session.status) == ("failed", "failed")
    assert "\n" not in record.error_message
    return record


def stored():
    return [
        list(model.objects.order_by("pk").values())
        for model in (InstanceAccount, AccountPermission, AccountChangeLog)
    ]


@pytest.fixture
def known_db(orders_db):
    """An instance that was read before: there is something to lose."""
    assert sync_accounts(orders_db, "manual_single")["success"]
    return orders_db


def change(instance, **fields):
    Instance.objects.filter(pk=instance.pk).update(**fields)


def test_a_wrong_password(known_db):
    known_db.credential.password = "wrong-horse"
    known_db.credential.save()
    record = fail(known_db)
    assert "refuses" in record.error_message or "Access denied" in record.error_message
    assert "Check the user name and the password" in record.error_message
    assert record.sync_details["error"] == {"type": "LoginRefused"}
    assert "wrong-horse" not in str(record.sync_details) + record.error_message


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_an_unknown_host(known_db, db_type):
    change(known_db, host="nowhere.invalid", db_type=db_type)
    record = fail(known_db)
    assert "nowhere.invalid" in record.error_message
    assert record.sync_details["error"] == {"type": "ConnectError"}


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_a_closed_port(known_db, db_type):
    port = free_port()
    change(known_db, port=port, db_type=db_type)
    record = fail(known_db)
    assert str(port) in record.error_message
    assert record.sync_details["error"] == {"type": "ConnectError"}


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_a_silent_server_costs_its_timeout_only(known_db, settings, db_type):
    settings.CONNECT_TIMEOUT = 2
    with silent_listener() as port:
        change(known_db, port=port, db_type=db_type)
        started = time.monotonic()
        record = fail(known_db)
    assert time.monotonic() - started < 6
    assert record.sync_details["error"] == {"type": "ConnectError"}


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_server_that_dies_in_the_middle(known_db, mariadb, share):
    with proxy(mariadb) as line:
        change(known_db, port=line.port)
        sync_accounts(Instance.objects.get(pk=known_db.pk), "manual_single")
    with proxy(mariadb, cut_after=int(line.passed * share)) as line:
        change(known_db, port=line.port)
        record = fail(known_db)
    assert record.sync_details["error"]["type"] in ("ConnectError", "ConnectionLost")


def test_an_instance_without_a_credential(known_db):
    change(known_db, credential=None)
    assert fail(known_db).error_message == "Instance orders-db has no active credential."


def test_a_password_that_no_key_opens(known_db, settings):
    settings.CREDENTIAL_KEYS = ["A" * 43 + "="]
    record = fail(known_db)
    assert record.error_message == (
        "A stored password was encrypted with a key that is not in CREDENTIAL_KEYS."
    )


def test_an_instance_in_the_recycle_bin_is_left_in_peace(known_db):
    session = cast.session("orders-db")
    known_db.recycle()
    run_record(session.records.get().pk)
    assert session.records.get().error_message == (
        "orders-db is not watched: it is switched off or in the recycle bin."
    )


def test_an_instance_that_was_removed_while_it_waited(db):
    session = cast.session("gone-db")
    Instance.objects.all().delete()
    assert run_record(session.records.get().pk) is None
    assert session.records.get().error_message == "The instance was removed."


def test_an_engine_that_this_version_does_not_have(known_db, monkeypatch):
    def missing(db_type):
        raise LookupError(f"The {db_type} engine is not part of this version.")

    monkeypatch.setattr("whalefall.instances.models.engine", missing)
    assert "engine is not part of this version" in fail(known_db).error_message


def test_an_error_of_ours_is_told_apart_and_keeps_its_traceback(known_db, monkeypatch):
    def observe(server):
        raise ZeroDivisionError("password=hunter2")

    monkeypatch.setattr(MySQLServer, "observe", observe)
    record = fail(known_db)
    assert record.error_message == (
        "An error of ours (ZeroDivisionError): nothing was written, the details are in the log."
    )
    error = record.sync_details["error"]
    assert error["internal"] is True
    assert "test_failures.py" in error["traceback"]
    assert "hunter2" not in str(error)


def test_an_error_while_writing_leaves_nothing_half_written(known_db, mariadb, monkeypatch):
    from accounts import collection

    def apply(*args, **kwargs):
        InstanceAccount.objects.update(is_active=False)
        raise RuntimeError("in the middle")

    monkeypatch.setattr(collection, "apply", apply)
    assert fail(known_db).sync_details["error"]["type"] == "RuntimeError"


def test_the_other_instances_go_on(known_db):
    session = cast.session("nowhere-db", "orders-db")
    results = [run_record(pk)["success"] for pk in session.records.values_list("pk", flat=True)]
    assert results == [False, True]
    session.refresh_from_db()
    assert (session.status, session.successful_instances, session.failed_instances) == (
        "failed",
        1,
        1,
    )


def test_the_store_going_away_while_reading_writes_nothing(known_db, monkeypatch, settings):
    settings.RECORD_LEASE = 0.3
    read = MySQLServer.observe

    def lose_the_keeper(server):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            )
        time.sleep(0.5)
        return read(server)

    monkeypatch.setattr(MySQLServer, "observe", lose_the_keeper)
    assert fail(known_db).error_message == (
        "The connection to the store was lost while the server was read: nothing written."
    )
