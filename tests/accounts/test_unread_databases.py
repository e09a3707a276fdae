"""Principals that live in a database, while that database cannot be read."""

import pytest

from accounts.collection import apply
from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from tests.accounts.world import PlainRules, account, denied, grant, member, observe
from whalefall.engines.observed import Kind, Section
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db
CLERK = account(
    "clerk@sales",
    kind=Kind.DATABASE_USER,
    can_login=False,
    attributes={"database": "sales", "orphaned": True},
)
THINGS = (
    account("app"),
    CLERK,
    account("clerk@hr", kind=Kind.DATABASE_USER, attributes={"database": "hr"}),
    grant("clerk@sales", "SELECT", "sales.orders"),
    member("app", "clerk@sales", database="sales", section="database_accounts"),
)


@pytest.fixture
def orders_db():
    return Instance.objects.create(name="orders-db", db_type="sqlserver", host="db1", port=1433)


def read(instance, *things, unread=()):
    why = dict.fromkeys(unread, "the database is OFFLINE")
    sections = [
        denied(name, databases=why) if unread else Section(name)
        for name in ("database_accounts", "table")
    ]
    found = observe(*things, sections=sections, db_type="sqlserver")
    return apply(instance, found, rules=PlainRules())


def test_they_stay_with_all_that_was_known(orders_db):
    read(orders_db, *THINGS)
    applied = read(orders_db, account("app"), THINGS[2], unread=["sales"])
    kept = AccountPermission.objects.get(account__username="clerk@sales")
    assert applied.counts["deleted"] == 0
    assert "priv:table:SELECT@sales.orders" in kept.fact_tokens
    assert kept.permission_snapshot["type_specific"]["sqlserver"]["orphaned"] is True
    assert InstanceAccount.objects.get(username="clerk@sales").kind == Kind.DATABASE_USER
    assert not AccountChangeLog.objects.exclude(change_type="add").exists()


def test_those_of_databases_that_were_read_go(orders_db):
    read(orders_db, *THINGS)
    applied = read(orders_db, account("app"), unread=["sales"])
    assert applied.counts["deleted"] == 1
    assert not InstanceAccount.objects.get(username="clerk@hr").is_active


def test_once_it_is_read_again_who_left_is_gone(orders_db):
    read(orders_db, *THINGS)
    read(orders_db, account("app"), unread=["sales", "hr"])
    assert read(orders_db, account("app")).counts["deleted"] == 2
