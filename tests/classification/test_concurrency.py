"""Runs, readers and people at the same moment, in real threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from classification.classify import classify
from classification.models import AccountClassificationAssignment as Assignment
from tests.classification import cast
from tests.classification.cast import call, retoken
from tests.servers.base import wait_until
from whalefall.models import User

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = 300


def own_connection(work, *args):
    try:
        return work(*args)
    finally:
        connections.close_all()


@pytest.fixture
def fleet():
    orders = cast.instance()
    gives = cast.classification()
    cast.rule("superusers", gives, call("has_capability", name="SUPERUSER"))
    accounts = [cast.account(orders, f"u{i}@%", "cap:SUPERUSER") for i in range(ACCOUNTS)]
    return orders, gives, accounts


def test_runs_at_once_give_each_account_one_assignment(fleet):
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(own_connection, classify) for _ in range(4)]
        added = sorted(run.result().added for run in runs)
    assert added == [0, 0, 0, ACCOUNTS]
    assert Assignment.objects.active().count() == Assignment.objects.count() == ACCOUNTS


def test_runs_over_instances_go_side_by_side_with_one_over_all(fleet):
    others = [cast.instance(f"db{i}") for i in range(3)]
    for other in others:
        cast.account(other, "root@%", "cap:SUPERUSER")
    scopes = [None, *(other.id for other in others), None]
    with ThreadPoolExecutor(5) as pool:
        runs = [pool.submit(own_connection, classify, scope) for scope in scopes]
        assert sum(run.result().added for run in runs) == ACCOUNTS + 3


def test_a_reader_never_sees_a_moment_without_classifications(fleet):
    _orders, gives, accounts = fleet
    classify()
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(Assignment.objects.active().filter(classification=gives).count())

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(own_connection, read)
        try:
            for i in range(6):
                for account in accounts[i::7]:
                    retoken(account, "cap:SUPERUSER", f"role:r{i}")
                gives.rules.update(
                    rule_expression=cast.text(
                        {"op": "AND", "args": [call("is_superuser")] * (i + 1)}
                    )
                )
                assert classify().removed == 0
        finally:
            done.set()
        reader.result()
    assert seen == {ACCOUNTS}


def test_by_hand_during_a_run_ends_with_one_assignment(fleet):
    _orders, gives, accounts = fleet

    def assign():
        for account in accounts[::10]:
            Assignment.objects.assign(account, gives, None)

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(own_connection, classify), pool.submit(own_connection, assign)]
        for each in work:
            each.result()
    assert Assignment.objects.active().count() == ACCOUNTS
    assert Assignment.objects.active().filter(assignment_type="manual").count() == ACCOUNTS / 10


def test_a_run_that_breaks_off_leaves_everything_as_it_was(fleet, monkeypatch):
    classify()
    before = sorted(Assignment.objects.values_list("id", "is_active"))
    _orders, _gives, accounts = fleet
    for account in accounts:
        retoken(account)
    monkeypatch.setattr("classification.statements.INSERT", "SELECT 1/0")
    with pytest.raises(Exception, match="division by zero"):
        classify()
    assert sorted(Assignment.objects.values_list("id", "is_active")) == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'run\\_%%'")
        assert cursor.fetchone() == (0,)


def test_a_run_passes_over_what_a_person_gave_at_the_same_moment(fleet, monkeypatch):
    """A person's assignment comes between the run's look and its write."""
    from classification import statements

    _orders, gives, accounts = fleet
    real, given = statements.INSERT, []

    class Insert(str):
        def format(self, on_conflict=""):
            if not given:
                with ThreadPoolExecutor(1) as pool:
                    person = pool.submit(
                        own_connection, Assignment.objects.assign, accounts[0], gives, None
                    )
                    given.append(person.result())
                # What the run would have seen a moment earlier.
                return real.replace("AND x.is_active)", "AND false)").format(on_conflict="")
            return real.format(on_conflict=on_conflict)

    monkeypatch.setattr(statements, "INSERT", Insert())
    assert classify().added == ACCOUNTS - 1
    assert Assignment.objects.active().get(assignment_type="manual") == given[0]
    assert Assignment.objects.active().count() == ACCOUNTS


def test_nobody_who_is_deleted_stays_named_by_what_they_just_did(fleet):
    _orders, gives, accounts = fleet
    ada = User.objects.create_user("ada")
    given, deleting = threading.Event(), threading.Event()

    def give():
        with transaction.atomic():
            Assignment.objects.assign(accounts[0], gives, ada)
            given.set()
            assert deleting.wait(20)

    with ThreadPoolExecutor(2) as pool:
        giving = pool.submit(own_connection, give)
        assert given.wait(20)
        leaving = pool.submit(own_connection, User.objects.filter(pk=ada.pk).delete)
        wait_until(waits_for_a_lock, "the deletion to wait", 20)
        deleting.set()
        giving.result()
        leaving.result()
    assert Assignment.objects.get().assigned_by_id is None


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database())"
        )
        return cursor.fetchone()[0]


def test_who_was_deleted_a_moment_ago_is_not_named(fleet):
    _orders, gives, accounts = fleet
    ada = User.objects.create_user("ada")
    User.objects.filter(pk=ada.pk).delete()
    made = Assignment.objects.assign(accounts[0], gives, ada)
    assert made.assigned_by_id is None
