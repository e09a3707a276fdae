import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountPermission, InstanceAccount
from tests.accounts.test_access import instance_with, login, user
from tests.accounts.world import account, grant, member
from whalefall.engines.observed import Kind

pytestmark = pytest.mark.django_db


def names(rows):
    return [row.account.username for row in rows]


def test_the_list_is_by_instance_and_name_and_without_who_is_gone():
    instance_with("b-db", user("one"))
    instance_with("a-db", user("two"), user("one"))
    InstanceAccount.objects.filter(username="two@%").update(is_active=False)
    rows = AccountPermission.objects.present().listed()
    assert [(row.instance.name, row.account.username) for row in rows] == [
        ("a-db", "one@%"),
        ("b-db", "one@%"),
    ]


def test_a_privilege_is_found_in_whatever_scope_it_is_held():
    instance_with("a-db", *map(user, "abc"), grant("a@%", "UPDATE", "s.t"), grant("b@%", "UPDATE"))
    assert names(AccountPermission.objects.holding("update").listed()) == ["a@%", "b@%"]


def test_what_takes_set_role_is_found_when_asked_for():
    dba = login("dba", Kind.ROLE, superuser=True)
    instance_with("a-db", login("alice"), dba, member("alice", "dba"), db_type="postgresql")
    having = AccountPermission.objects.having
    assert names(having("cap:SUPERUSER").listed()) == ["dba"]
    assert names(having("cap:SUPERUSER", reach=True).listed()) == ["alice", "dba"]


def test_the_search_looks_at_accounts_and_instances():
    instance_with("orders-db", user("app"))
    instance_with("other", user("orders_rw"), user("nobody"))
    found = InstanceAccount.objects.present().search("ORDERS").order_by("username")
    assert [account.username for account in found] == ["app@%", "orders_rw@%"]


def test_what_comes_with_the_product_is_hidden():
    instance_with("a-db", user("pg_app"), account("mysql.sys@localhost"))
    instance_with("b-db", *map(login, ("pg_monitor", "pgbouncer")), db_type="postgresql")
    assert names(AccountPermission.objects.shown().listed()) == ["pg_app@%", "pgbouncer"]
    assert InstanceAccount.objects.shown().count() == 2


def test_a_list_takes_one_query_and_no_json():
    instance_with("a-db", *(user(f"u{number}") for number in range(50)))
    with CaptureQueriesContext(connection) as queries:
        rows = [(row.instance.name, row.username, row.permission.is_superuser)
                for row in InstanceAccount.objects.present().with_permission()]  # fmt: skip
    assert len(rows) == 50
    assert len(queries) == 1
    assert "permission_facts" not in queries[0]["sql"]
