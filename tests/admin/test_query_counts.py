"""Lists ask as many queries for 200 rows as for 10, and never read the snapshots."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tags.models import InstanceTag, Tag
from tests.admin import fleet
from tests.admin.test_every_page import address


def make_rows(number):
    tag = Tag.objects.create(name=f"tag-{number}", display_name="Tag")
    instances = [fleet.instance(f"db-{number}-{i}") for i in range(number)]
    InstanceTag.objects.bulk_create(InstanceTag(instance=one, tag=tag) for one in instances)
    for one in instances:
        fleet.sizes(one)
    observation = fleet.orders()
    for i in range(number):
        account = fleet.role(f"user-{i}")
        observation.accounts[account.username] = account
    for account in fleet.store(instances[0], observation).values():
        fleet.change(account)
        fleet.classified(account)
        fleet.accepted(account)
    fleet.session(*instances)
    for _ in range(number):
        fleet.tasks()
        fleet.logs()
        fleet.session(instances[0], status="failed")


def queries(client, url):
    client.get(url)  # content types and the like are cached
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in caught]


def test_every_list_asks_as_many_queries_for_many_rows_as_for_few(administrator):
    lists = {model._meta.label: address(model, "changelist") for model in admin.site._registry}
    lists["start"] = "/admin/"
    make_rows(10)
    few = {label: len(queries(administrator, url)) for label, url in lists.items()}
    make_rows(200)
    many = {label: len(queries(administrator, url)) for label, url in lists.items()}
    assert {k: (few[k], n) for k, n in many.items() if n != few[k]} == {}
    assert max(many.values()) <= 30


@pytest.mark.parametrize("column", ["permission_snapshot", "permission_facts", "fact_tokens"])
def test_the_list_of_accounts_reads_no_snapshot(administrator, orders_db, column):
    fleet.store(orders_db, fleet.orders())
    asked = queries(administrator, "/admin/accounts/instanceaccount/")
    assert not [sql for sql in asked if column in sql]


def test_the_list_of_credentials_is_not_counted_twice(administrator):
    fleet.credential()
    asked = queries(administrator, "/admin/instances/credential/")
    assert len([sql for sql in asked if "COUNT(*)" in sql]) == 1


def test_a_long_list_is_estimated_instead_of_counted(administrator, monkeypatch, orders_db):
    fleet.store(orders_db, fleet.orders())
    monkeypatch.setattr("whalefall.console.paginator.EXACT_UP_TO", 2)
    asked = queries(administrator, "/admin/accounts/instanceaccount/")
    assert [sql for sql in asked if "TABLESAMPLE" in sql]


def test_deep_pages_hold_the_same_rows_in_the_same_order(administrator, monkeypatch, orders_db):
    fleet.store(orders_db, fleet.orders())
    monkeypatch.setattr("accounts.admin.accounts.InstanceAccountAdmin.list_per_page", 2)
    monkeypatch.setattr("whalefall.big_lists.DEEP", 2)
    names = []
    for page in (1, 2, 3):
        response = administrator.get(f"/admin/accounts/instanceaccount/?p={page}")
        names += [account.username for account in response.context["cl"].result_list]
    assert names == ["app_rw", "dba_li", "dba_role", "public", "team_rw"]
