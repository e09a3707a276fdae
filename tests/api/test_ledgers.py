"""The ledger: every account, what it may do, what changed."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountChangeLog
from tags.models import Tag
from tests.api.cast import NOW, account, assigned, classification, instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts/ledgers"

FACTS = {
    "capabilities": ["CREATE_ROLE"],
    "capability_reasons": {"CREATE_ROLE": {"because": "CREATE USER", "path": ["team", "dba"]}},
    "paths": {"cap:CREATE_ROLE": ["team", "dba"]},
}


def names(response) -> list[str]:
    return [item["username"] for item in check_ok(response)["items"]]


@pytest.fixture
def fleet():
    """app_rw on orders-db, dba_li (superuser, locked) on stock-db, gone_bo, a recycled bin."""
    orders, stock = instance("orders-db"), instance("stock-db", db_type="postgresql")
    app = account("app_rw@%", orders, tokens=("priv:table:UPDATE", "priv:table:UPDATE@a.b"))
    dba = account(
        "dba_li", stock, kind="role", is_superuser=True, is_locked=True, tokens=("cap:SUPERUSER",)
    )
    account("gone_bo", orders, is_active=False, deleted_at=NOW)
    account("old", instance("old-db", deleted_at=NOW))
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders)
    assigned(dba, classification())
    return {"app": app, "dba": dba, "orders": orders, "stock": stock}


def test_a_row_shows_account_instance_and_classifications(viewer, fleet):
    (item,) = check_ok(viewer.get(URL, {"classification": "super_admin"}))["items"]
    assert (item["username"], item["status"], item["instance"]["name"]) == (
        "dba_li",
        "active",
        "stock-db",
    )
    assert item["permission"]["is_superuser"] is True
    assert [label["name"] for label in item["classifications"]] == ["super_admin"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["app_rw@%", "dba_li"]),
        ({"search": "STOCK"}, ["dba_li"]),
        ({"search": "app_"}, ["app_rw@%"]),
        ({"search": "%"}, ["app_rw@%"]),
        ({"db_type": "mysql"}, ["app_rw@%"]),
        ({"tags": "gold"}, ["app_rw@%"]),
        ({"is_superuser": "true"}, ["dba_li"]),
        ({"is_locked": "true"}, ["dba_li"]),
        ({"kind": "role"}, ["dba_li"]),
        ({"status": "gone"}, ["gone_bo"]),
        ({"status": "all"}, ["app_rw@%", "dba_li", "gone_bo"]),
        ({"capability": "superuser"}, ["dba_li"]),
        ({"privilege": "update"}, ["app_rw@%"]),
        ({"privilege": "update", "object": "a.b"}, ["app_rw@%", "dba_li"]),
        ({"privilege": "update", "object": "a.c"}, ["dba_li"]),
        ({"classification": "nobody"}, []),
        ({"risk_level": "critical"}, ["dba_li"]),
        ({"sort": "instance", "order": "desc"}, ["dba_li", "app_rw@%"]),
    ],
)
def test_the_ledger_is_filtered(viewer, fleet, query, expected):
    assert names(viewer.get(URL, query)) == expected


def test_accounts_of_the_product_are_hidden_until_asked_for(viewer):
    account("mysql.sys@localhost", comes_with_product=True)
    account("dba_li@%")
    assert names(viewer.get(URL)) == ["dba_li@%"]
    asked = {"include_system": "true"}
    assert names(viewer.get(URL, asked)) == ["dba_li@%", "mysql.sys@localhost"]


def test_a_grant_by_pattern_counts_for_the_account_that_has_it(viewer):
    held = ("priv:database.pattern:SELECT", "priv:database.pattern:SELECT@sal%")
    account("app@%", tokens=held)
    account("other@%", tokens=(held[0], "priv:database.pattern:SELECT@hr%"))
    asked = {"privilege": "SELECT", "object": "sales.orders"}
    assert names(viewer.get(URL, asked)) == ["app@%"]


def test_unknown_times_stand_last_in_either_direction(viewer):
    for name, seen in (("never", None), ("early", NOW.replace(day=1)), ("late", NOW)):
        account(name, last_login_at=seen)
    asked = {"sort": "last_login_at", "order": "desc"}
    assert names(viewer.get(URL, asked)) == ["late", "early", "never"]
    assert names(viewer.get(URL, asked | {"order": "asc"})) == ["early", "late", "never"]


def test_the_ledger_of_some_instances(viewer, fleet):
    both = f"{fleet['orders'].pk},{fleet['stock'].pk}"
    assert names(viewer.get(URL, {"instance": both})) == ["app_rw@%", "dba_li"]
    found = errors(viewer.get(URL, {"instance": "orders-db"}))
    assert found == {"instance": "Not a number: orders-db. Give ids parted by commas."}


def test_an_ended_assignment_is_not_shown(viewer, fleet):
    fleet["dba"].permission.assignments.update(is_active=False)
    assert names(viewer.get(URL, {"classification": "super_admin"})) == []


def test_permissions_with_paths(viewer):
    dba = account("dba_li", facts=FACTS)
    data = check_ok(viewer.get(f"{URL}/{dba.pk}/permissions"))
    assert data["snapshot"]["version"] == 4
    assert data["facts"]["paths"] == FACTS["paths"]
    assert data["capabilities"] == [
        {
            "name": "CREATE_ROLE",
            "because": "CREATE USER",
            "path": ["team", "dba"],
            "text": "dba_li -> team -> dba: CREATE_ROLE (CREATE USER)",
        }
    ]


def test_permissions_before_the_first_sync_are_a_409(viewer):
    new = account("new", collected=False)
    body = check_failed(viewer.get(f"{URL}/{new.pk}/permissions"), 409, "SNAPSHOT_MISSING")
    assert "new" in body["message"]


def test_an_account_before_its_collection_is_listed(viewer):
    account("new", collected=False)
    (item,) = check_ok(viewer.get(URL))["items"]
    assert (item["permission"], item["classifications"]) == (None, [])


def test_the_change_history_is_newest_first(viewer):
    dba = account("dba_li")
    for day, kind in ((1, "add"), (2, "modify_privilege")):
        AccountChangeLog.objects.create(
            account=dba,
            instance=dba.instance,
            change_type=kind,
            change_time=NOW.replace(day=day),
            privilege_diff=[
                {"action": "GRANT", "object": "database:sales", "permissions": ["SELECT"]}
            ],
        )
    data = check_ok(viewer.get(f"{URL}/{dba.pk}/change-history"))
    assert [item["change_type"] for item in data["items"]] == ["modify_privilege", "add"]
    assert data["items"][0]["privilege_diff"][0]["object"] == "database:sales"


@pytest.mark.parametrize("tail", ["permissions", "change-history"])
def test_an_unknown_account_is_a_404(viewer, tail):
    check_failed(viewer.get(f"{URL}/999000000/{tail}"), 404, "RESOURCE_NOT_FOUND")


def test_the_export_is_filtered_and_free_of_formulas(viewer, fleet):
    account("=cmd|' /C calc'!A0", fleet["orders"])
    response = viewer.get(f"{URL}/exports", {"db_type": "mysql"})
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("instance,db_type,username,kind,status,is_superuser")
    assert lines[1].startswith("orders-db,mysql,'=cmd|' /C calc'!A0,user,active,false,")
    assert len(lines) == 3


def test_an_export_refuses_bad_filters_in_the_envelope(viewer):
    response = viewer.get(f"{URL}/exports", {"kind": "ghost"}, HTTP_ACCEPT="text/csv")
    assert list(errors(response)) == ["kind"]


def test_the_number_of_queries_does_not_grow(viewer):
    label, counts = classification(), []
    for start, size in ((0, 10), (10, 200)):
        for n in range(start, size):
            on = instance(f"db-{n}")
            Tag.objects.create(name=f"t{n}", display_name="T").instances.add(on)
            assigned(account(f"user-{n}", on), label)
        with CaptureQueriesContext(connection) as queries:
            assert len(check_ok(viewer.get(URL, {"limit": 200}))["items"]) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_the_export_streams_without_a_query_per_row(viewer, django_assert_max_num_queries):
    on, label = instance(), classification()
    for n in range(50):
        assigned(account(f"user-{n}", on), label)
    with django_assert_max_num_queries(8):
        response = viewer.get(f"{URL}/exports")
        assert len(list(response.streaming_content)) == 51


def test_a_list_never_reads_the_wide_columns(viewer, fleet):
    with CaptureQueriesContext(connection) as queries:
        check_ok(viewer.get(URL))
    assert not any("permission_snapshot" in query["sql"] for query in queries)
