"""One instance, from a real MariaDB into the store."""

import pytest

from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from sync.models import InPlaceSync, SyncInstanceRecord, SyncSession, SyncType
from sync.runner import run_record, sync_accounts
from tests.sync import cast

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

# BEGIN, COMMIT and a savepoint included. A record of a session adds its claim, hold and end.
UNCHANGED = {"alone": 13, "in a session": 20}


def names(instance):
    return set(InstanceAccount.objects.filter(instance=instance).values_list("username", flat=True))


def test_one_instance_in_place_needs_no_session(orders_db, mariadb):
    mariadb.execute("CREATE USER app_rw@'10.%' IDENTIFIED BY 'x'")
    result = sync_accounts(orders_db, "manual_single")
    assert result["success"] is True
    assert result["counts"]["synced"] == len(names(orders_db)) == result["counts"]["created"]
    assert "app_rw@10.%" in names(orders_db)
    assert result["message"].startswith(f"orders-db: {len(names(orders_db))} accounts read, ")
    assert result["details"]["session_id"] is None
    assert not SyncSession.objects.exists()
    assert InPlaceSync.objects.get().instance == orders_db


def test_it_remembers_the_version_and_that_the_server_answered(orders_db):
    sync_accounts(orders_db, "manual_single")
    orders_db.refresh_from_db()
    assert orders_db.main_version.startswith("10.")
    assert orders_db.last_connected_at is not None


def test_an_unknown_type_is_done_as_a_single_one(orders_db):
    assert sync_accounts(orders_db, "by_telepathy")["success"] is True
    assert not SyncSession.objects.exists()


@pytest.mark.parametrize("sync_type", ["manual_batch", "manual_task", "scheduled_task"])
def test_the_other_types_make_a_session(orders_db, sync_type, django_user_model):
    li = django_user_model.objects.create_user("dba_li")
    result = sync_accounts(orders_db, sync_type, created_by=li)
    session = SyncSession.objects.get()
    assert result["details"]["session_id"] == str(session.session_id)
    assert (session.status, session.sync_type, session.created_by) == ("completed", sync_type, li)
    record = session.records.get()
    assert record.items_synced == record.items_created == result["counts"]["synced"] > 0
    assert set(AccountChangeLog.objects.values_list("session_id", flat=True)) == {
        session.session_id
    }


@pytest.mark.parametrize("sync_type", ["manual_batch", "manual_task"])
def test_a_session_by_hand_needs_a_person(orders_db, sync_type):
    with pytest.raises(ValueError, match=f"created_by is required for {sync_type}"):
        sync_accounts(orders_db, sync_type)


def test_a_session_that_is_given_is_used(orders_db):
    session = cast.session("orders-db", "billing-db")
    result = sync_accounts(orders_db, "scheduled_task", session.session_id)
    assert result["success"] is True
    assert session.records.get(instance=orders_db).status == "completed"
    session.refresh_from_db()
    assert (session.status, session.successful_instances) == ("running", 1)


def test_an_instance_is_added_to_a_session_that_does_not_have_it(orders_db):
    session = cast.session("billing-db")
    assert sync_accounts(orders_db, "manual_task", session.session_id)["success"] is True
    session.refresh_from_db()
    assert session.total_instances == 2


@pytest.mark.parametrize("given", ["no-uuid", "00000000-0000-4000-8000-000000000000"])
def test_a_session_that_does_not_exist_is_said_so(orders_db, given):
    result = sync_accounts(orders_db, "manual_batch", given)
    assert (result["success"], result["message"]) == (False, f"There is no session {given}.")


def test_an_ended_session_takes_no_more(orders_db):
    session = cast.session("billing-db")
    session.cancel()
    result = sync_accounts(orders_db, "manual_batch", session.session_id)
    assert result["message"] == "The session is cancelled: it cannot be continued any more."


def test_a_record_delivered_twice_is_done_once(orders_db):
    pk = cast.session("orders-db").records.get().pk
    assert run_record(pk)["success"] is True
    logged = AccountChangeLog.objects.count()
    assert run_record(pk) is None
    assert AccountChangeLog.objects.count() == logged > 0


def test_a_second_run_finds_nothing_to_do(orders_db):
    sync_accounts(orders_db, "manual_single")
    before = list(AccountPermission.objects.order_by("pk").values())
    counts = sync_accounts(orders_db, "manual_single")["counts"]
    assert (counts["created"], counts["updated"], counts["deleted"]) == (0, 0, 0)
    assert list(AccountPermission.objects.order_by("pk").values()) == before


def test_no_local_transaction_is_open_while_the_server_is_read(orders_db, monkeypatch):
    from django.db import connection

    from whalefall.engines.mysql.server import MySQLServer

    seen = []
    read = MySQLServer.observe
    monkeypatch.setattr(
        MySQLServer,
        "observe",
        lambda server: seen.append(connection.in_atomic_block) or read(server),
    )
    sync_accounts(orders_db, SyncType.SCHEDULED_TASK)
    assert seen == [False]


def test_a_record_that_was_taken_away_while_reading_writes_nothing(orders_db, monkeypatch):
    from whalefall.engines.mysql.server import MySQLServer

    read = MySQLServer.observe

    def read_for_too_long(server):
        SyncInstanceRecord.objects.update(status="failed")
        return read(server)

    monkeypatch.setattr(MySQLServer, "observe", read_for_too_long)
    result = run_record(cast.session("orders-db").records.get().pk)
    assert result["message"] == (
        "The record of orders-db was taken from this worker: its lease had run out. "
        "Nothing was written."
    )
    assert not InstanceAccount.objects.exists()


@pytest.mark.parametrize("size", [5, 500])
def test_an_unchanged_run_costs_the_same_few_statements_at_every_size(
    orders_db, mariadb, size, django_assert_num_queries
):
    mariadb.execute(*(f"CREATE USER u{number}@'%'" for number in range(size)))
    sync_accounts(orders_db, "manual_single")
    with django_assert_num_queries(UNCHANGED["alone"]):
        assert sync_accounts(orders_db, "manual_single")["success"] is True
    pk = cast.session("orders-db").records.get().pk
    with django_assert_num_queries(UNCHANGED["in a session"]):
        assert run_record(pk)["success"] is True
