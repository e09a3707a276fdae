"""What lists never read, count or order. How many queries each takes: tests/api/test_lists.py."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin import fleet


def queries(client, url):
    client.get(url)  # content types and the like are cached
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in caught]


@pytest.mark.parametrize("column", ["permission_snapshot", "permission_facts", "fact_tokens"])
def test_the_list_of_accounts_reads_no_snapshot(administrator, orders_db, column):
    fleet.store(orders_db, fleet.orders())
    asked = queries(administrator, "/admin/accounts/instanceaccount/")
    assert not [sql for sql in asked if column in sql]


def test_the_list_of_credentials_is_not_counted_twice(administrator):
    fleet.credential()
    asked = queries(administrator, "/admin/instances/credential/")
    assert len([sql for sql in asked if "COUNT(*)" in sql]) == 1


def test_a_short_list_is_shown_by_the_keys_it_was_counted_by(administrator, orders_db):
    fleet.store(orders_db, fleet.orders())
    asked = queries(administrator, "/admin/accounts/instanceaccount/?locked=0")
    counted = next(sql for sql in asked if "ARRAY_AGG" in sql)
    shown = next(sql for sql in asked if "LIMIT 50" in sql and sql != counted)
    assert '"instance_accounts"."id" = ANY' in shown


def test_an_empty_list_is_not_looked_for_again(administrator, orders_db):
    fleet.store(orders_db, fleet.orders())
    asked = queries(administrator, "/admin/accounts/instanceaccount/?presence=gone&q=app")
    about = [sql for sql in asked if 'FROM "instance_accounts"' in sql]
    assert not [sql for sql in about if "LIMIT 50" in sql and "LIMIT 5001" not in sql]


def test_a_long_list_is_estimated_instead_of_counted(administrator, monkeypatch, orders_db):
    fleet.store(orders_db, fleet.orders())
    monkeypatch.setattr("whalefall.console.paginator.EXACT_UP_TO", 2)
    asked = queries(administrator, "/admin/accounts/instanceaccount/")
    assert [sql for sql in asked if "TABLESAMPLE" in sql]
    page = administrator.get("/admin/accounts/instanceaccount/").content.decode()
    assert "about 5 accounts" in page


def test_deep_pages_hold_the_same_rows_in_the_same_order(administrator, monkeypatch, orders_db):
    fleet.store(orders_db, fleet.orders())
    monkeypatch.setattr("accounts.admin.accounts.InstanceAccountAdmin.list_per_page", 2)
    monkeypatch.setattr("whalefall.big_lists.DEEP", 2)
    names = []
    for page in (1, 2, 3):
        response = administrator.get(f"/admin/accounts/instanceaccount/?p={page}")
        names += [account.username for account in response.context["cl"].result_list]
    assert names == ["app_rw", "dba_li", "dba_role", "public", "team_rw"]
