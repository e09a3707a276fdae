"""What real servers show, stored, changed and stored again: through the engines and `apply`."""

from __future__ import annotations

import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import Access
from accounts.collection import apply
from accounts.facts import explain
from accounts.models import AccountChangeLog, AccountPermission
from tests.servers.base import Unavailable
from tests.servers.mariadb import MariaDBServer
from tests.servers.postgresql import SERVERS
from whalefall.engines import engine
from whalefall.engines.base import Target
from whalefall.instances.models import Instance

pytestmark = [pytest.mark.live, pytest.mark.django_db]


def started(server):
    try:
        server.start()
    except Unavailable as exc:
        if os.environ.get("CI") == "true":
            pytest.fail(str(exc))
        pytest.skip(str(exc))
    return server


@pytest.fixture(scope="module")
def mariadb():
    server = started(MariaDBServer())
    server.execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id int)",
        "CREATE ROLE reader",
        "CREATE ROLE writer",
        "GRANT SELECT ON shop.orders TO reader",
        "GRANT reader TO writer",
        "GRANT UPDATE ON shop.* TO writer",
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def postgresql():
    server = started(SERVERS["18"]())
    server.run("CREATE TABLE orders (id int)")
    server.run("CREATE ROLE reader; CREATE ROLE writer IN ROLE reader; CREATE ROLE alice LOGIN")
    server.run("GRANT SELECT ON orders TO reader; GRANT writer TO alice")
    yield server
    server.stop()


def instance(db_type):
    return Instance.objects.create(name="shop-db", db_type=db_type, host="shop-db", port=1)


def sync(found, server, **target):
    """Read the server as its administrator and store it."""
    values = {
        "host": server.host,
        "port": server.port,
        "username": server.admin_username,
        "password": server.admin_password,
        "tls_mode": "off",
        **target,
    }
    with engine(found.db_type).connect(Target(**values)) as opened:
        observation = opened.observe()
    with CaptureQueriesContext(connection) as queries:
        applied = apply(found, observation)
    return applied, len(queries)


def last_change(username):
    return AccountChangeLog.objects.filter(account__username=username).latest("id")


def test_mariadb_a_second_reading_changes_nothing(mariadb):
    found = instance("mysql")
    sync(found, mariadb)
    applied, statements = sync(found, mariadb)
    assert applied.counts["unchanged"] == applied.counts["synced"]
    assert applied.incomplete == {}
    assert statements <= 15


def test_mariadb_grants_revokes_and_a_new_account_are_told(mariadb):
    found = instance("mysql")
    mariadb.execute("CREATE USER bob@'%'", "GRANT SELECT ON shop.* TO bob@'%'")
    sync(found, mariadb)
    mariadb.execute(
        "REVOKE SELECT ON shop.* FROM bob@'%'", "GRANT writer TO bob@'%'", "CREATE USER eve@'%'"
    )
    applied, _statements = sync(found, mariadb)
    change = last_change("bob@%")
    assert (
        change.message
        == "REVOKE SELECT on database:shop; GRANT MEMBER WITHOUT DEFAULT on role:writer"
    )
    assert applied.counts["created"] == 1
    mariadb.execute("DROP USER bob@'%', eve@'%'")
    applied, _statements = sync(found, mariadb)
    assert applied.counts["deleted"] == 2


def test_mariadb_a_nested_role_gives_access_by_its_path(mariadb):
    found = instance("mysql")
    mariadb.execute(
        "CREATE USER ann@'%'", "GRANT writer TO ann@'%'", "SET DEFAULT ROLE writer FOR ann@'%'"
    )
    sync(found, mariadb)
    access = Access("SELECT", "shop.orders")
    row = access.accounts().get(account__username="ann@%")
    assert [way.text for way in access.ways(row)] == [
        "ann@% -> writer -> reader: SELECT ON shop.orders"
    ]


def test_mariadb_a_collector_without_rights_takes_nothing_away(mariadb):
    found = instance("mysql")
    sync(found, mariadb)
    mariadb.execute(
        "CREATE USER weak@'%' IDENTIFIED BY 'w'",
        "GRANT SELECT ON mysql.user TO weak@'%'",
        "GRANT SELECT ON mysql.global_priv TO weak@'%'",
    )
    applied, _statements = sync(found, mariadb, username="weak", password="w")
    mariadb.execute("DROP USER weak@'%'")
    assert applied.incomplete
    assert applied.counts["updated"] == 0
    reader = AccountPermission.objects.get(account__username="reader")
    assert "priv:table:SELECT@shop.orders" in reader.fact_tokens


def test_postgresql_a_second_reading_changes_nothing(postgresql):
    found = instance("postgresql")
    sync(found, postgresql, database="postgres")
    applied, statements = sync(found, postgresql, database="postgres")
    assert applied.counts["unchanged"] == applied.counts["synced"]
    assert statements <= 15


def test_postgresql_inherited_rights_stand_with_their_path(postgresql):
    found = instance("postgresql")
    sync(found, postgresql, database="postgres")
    alice = AccountPermission.objects.get(account__username="alice")
    token = "priv:table:SELECT@postgres.public.orders"
    assert explain("alice", alice.permission_facts, token) == (
        "alice -> writer -> reader: SELECT ON postgres.public.orders"
    )


def test_postgresql_a_new_owner_and_option_are_told(postgresql):
    found = instance("postgresql")
    postgresql.run("CREATE TABLE carts (id int); GRANT SELECT ON carts TO alice")
    sync(found, postgresql, database="postgres")
    postgresql.run("GRANT SELECT ON carts TO alice WITH GRANT OPTION; ALTER ROLE alice CREATEDB")
    sync(found, postgresql, database="postgres")
    change = last_change("alice")
    assert change.privilege_diff == [
        {
            "action": "ALTER",
            "object": "table:postgres.public.carts",
            "permissions": ["SELECT WITH GRANT OPTION"],
        }
    ]
    assert [entry["field"] for entry in change.other_diff] == ["create_db"]
