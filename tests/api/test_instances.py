"""Watched servers: list, change, recycle bin."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tags.models import Tag
from tests.api.cast import credential, instance
from tests.api.envelope import check_failed, check_ok, errors
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db
URL = "/api/v1/instances"
ORDERS = {"name": "orders-db", "db_type": "mysql", "host": "10.0.0.7", "port": 3306}


def names(response) -> list[str]:
    return [item["name"] for item in check_ok(response)["items"]]


def test_an_administrator_registers_an_instance(administrator):
    data = check_ok(administrator.post(URL, ORDERS | {"credential": credential().pk}), 201)
    assert (data["credential_name"], data["tls_mode"], data["status"]) == (
        "collector",
        "require",
        "active",
    )
    assert Instance.objects.get().host == "10.0.0.7"


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        (
            {"db_type": "db2"},
            "db_type",
            "Unknown: db2. Must be one of: mysql, postgresql, sqlserver, oracle.",
        ),
        ({"port": 0}, "port", "Ensure this value is greater than or equal to 1."),
        ({"port": "x"}, "port", "A valid integer is required."),
        (
            {"host": "root@db"},
            "host",
            "Not a host: root@db. Give a name or an address, without port or user.",
        ),
        ({"name": ""}, "name", "This field may not be blank."),
        ({"credential": 99}, "credential", 'Invalid pk "99" - object does not exist.'),
        (
            {"tls_mode": "maybe"},
            "tls_mode",
            "Unknown: maybe. Must be one of: off, require, verify-ca, verify-full.",
        ),
    ],
)
def test_bad_input_is_named(administrator, wrong, path, message):
    assert errors(administrator.post(URL, ORDERS | wrong)) == {path: message}


def test_a_misspelt_field_is_refused(administrator):
    found = errors(administrator.post(URL, ORDERS | {"pasword": "hunter2"}))
    assert found["pasword"].startswith("Unknown field. Unknown: pasword. Must be one of: id, name")


def test_a_list_instead_of_an_object_is_refused(administrator):
    check_failed(administrator.post(URL, [ORDERS]), 400, "VALIDATION_ERROR")


def test_an_endpoint_is_registered_once(administrator):
    instance("orders-db", host="10.0.0.7")
    found = errors(administrator.post(URL, ORDERS | {"name": "again"}))
    assert found == {"": "This endpoint is already registered."}


def test_a_name_is_taken_once(administrator):
    instance("orders-db")
    assert "name" in errors(administrator.post(URL, ORDERS))


def test_the_endpoint_of_a_recycled_instance_is_free(administrator):
    instance("old", host="10.0.0.7").recycle()
    check_ok(administrator.post(URL, ORDERS), 201)


def test_a_credential_of_another_engine_is_refused(administrator):
    other = credential(db_type="oracle")
    found = errors(administrator.post(URL, ORDERS | {"credential": other.pk}))
    assert found == {"credential": "This credential is for oracle, the instance is mysql."}


def test_a_part_of_an_instance_is_changed(administrator):
    orders = instance()
    data = check_ok(administrator.patch(f"{URL}/{orders.pk}", {"environment": "prod"}))
    assert (data["environment"], data["name"]) == ("prod", "orders-db")


def test_deleting_puts_into_the_recycle_bin_and_restore_takes_out(administrator):
    orders = instance()
    check_ok(administrator.delete(f"{URL}/{orders.pk}"))
    assert names(administrator.get(URL)) == []
    assert names(administrator.get(URL, {"include_deleted": "true"})) == ["orders-db"]
    assert check_ok(administrator.get(f"{URL}/{orders.pk}"))["status"] == "deleted"
    check_failed(administrator.patch(f"{URL}/{orders.pk}", {"port": 1}), 404, "RESOURCE_NOT_FOUND")
    restored = check_ok(administrator.post(f"{URL}/{orders.pk}/actions/restore"))
    assert restored["status"] == "active"


def test_restore_is_refused_when_the_endpoint_was_registered_anew(administrator):
    old = instance("old", host="10.0.0.7")
    old.recycle()
    instance("new", host="10.0.0.7")
    response = administrator.post(f"{URL}/{old.pk}/actions/restore")
    assert errors(response) == {"": "This endpoint is already registered."}


def test_lists_are_filtered(viewer):
    orders = instance("orders-db", environment="prod")
    instance("stock-db", db_type="postgresql", is_active=False)
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders)
    asked = {
        "search": "ORDERS",
        "db_type": "mysql",
        "status": "active",
        "tags": "gold,none",
        "environment": "prod",
    }
    for name, value in asked.items():
        assert names(viewer.get(URL, {name: value})) == ["orders-db"], name
    assert names(viewer.get(URL, {"status": "inactive"})) == ["stock-db"]


def test_an_instance_shows_its_tags_once(viewer):
    orders = instance()
    for name in ("gold", "west"):
        Tag.objects.create(name=name, display_name=name.title()).instances.add(orders)
    (item,) = check_ok(viewer.get(URL, {"tags": "gold,west"}))["items"]
    assert [tag["name"] for tag in item["tags"]] == ["gold", "west"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page": "0"}, "Not usable: 0. Must be a whole number from 1 to 10000000."),
        ({"page": "x"}, "Not usable: x. Must be a whole number from 1 to 10000000."),
        ({"limit": "201"}, "Not usable: 201. Must be a whole number from 1 to 200."),
        ({"order": "up"}, "Unknown: up. Must be one of: asc, desc."),
        (
            {"sort": "password"},
            "Unknown: password. Must be one of: "
            "name, db_type, host, environment, created_at, last_connected_at.",
        ),
        ({"status": "gone"}, "Unknown: gone. Must be one of: active, inactive, deleted."),
        ({"include_deleted": "perhaps"}, "Unknown: perhaps. Must be one of: true, false."),
        (
            {"db_typ": "mysql"},
            "Unknown: db_typ. Must be one of: search, db_type, status, tags, environment, "
            "include_deleted, page, limit, sort, order, format.",
        ),
    ],
)
def test_a_list_refuses_what_it_does_not_know(viewer, query, message):
    (name,) = query
    assert errors(viewer.get(URL, query)) == {name: message}


def test_pages_sorted_downwards(viewer):
    for name in "abc":
        instance(name)
    data = check_ok(viewer.get(URL, {"limit": 2, "page": 2, "sort": "name", "order": "desc"}))
    assert [item["name"] for item in data["items"]] == ["a"]
    assert (data["total"], data["pages"], data["page"], data["limit"]) == (3, 2, 2, 2)


def test_a_page_behind_the_end_is_empty(viewer):
    assert names(viewer.get(URL, {"page": 7})) == []


def test_a_long_list_is_estimated_and_says_so(viewer, settings):
    settings.API_ESTIMATE_ABOVE = 10
    Instance.objects.bulk_create(
        Instance(name=f"i{n}", db_type="mysql", host=f"h{n}", port=1) for n in range(40)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE instances")
    body = viewer.get(URL).json()
    assert body["meta"] == {"total_is_estimate": True}
    assert 30 <= body["data"]["total"] <= 50
    assert viewer.get(URL, {"db_type": "mysql"}).json()["meta"] == {"total_is_estimate": True}
    assert "meta" not in viewer.get(URL, {"search": "i7"}).json()


@pytest.mark.parametrize("url", [URL, f"{URL}/options", "/api/v1/credentials"])
def test_the_number_of_queries_does_not_grow(viewer, url):
    counts = []
    for start, size in ((0, 10), (10, 200)):
        for n in range(start, size):
            used = credential(f"c{n}")
            found = instance(f"i{n:03}", credential=used)
            found.tags.create(name=f"t{n}", display_name=f"T{n}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            check_ok(viewer.get(url, {"limit": 200} if "options" not in url else {}))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_options_are_short(viewer):
    instance("orders-db")
    instance("stock-db", db_type="oracle")
    (option,) = check_ok(viewer.get(f"{URL}/options", {"db_type": "oracle"}))
    assert set(option) == {"id", "name", "db_type", "host", "port"}


def test_statistics_count_by_state_and_engine(viewer):
    instance("a")
    instance("b", is_active=False)
    instance("c", db_type="oracle").recycle()
    assert check_ok(viewer.get(f"{URL}/statistics")) == {
        "total": 2,
        "active": 1,
        "inactive": 1,
        "deleted": 1,
        "never_connected": 2,
        "db_types": [{"db_type": "mysql", "total": 2, "active": 1}],
    }


def test_connection_status_of_one_never_connected(viewer):
    data = check_ok(viewer.get(f"{URL}/{instance().pk}/connection-status"))
    assert (data["status"], data["last_connected_at"]) == ("never_connected", None)


def test_the_list_is_exported_without_formulas(viewer):
    instance("orders-db", description='=HYPERLINK("http://evil")', credential=credential())
    response = viewer.get(f"{URL}/exports", HTTP_ACCEPT="text/csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    header, row = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert header.startswith("name,db_type,host,port")
    assert ""","'=HYPERLINK(""http://evil"")",""" in row


def test_an_unknown_instance_is_a_404(viewer):
    check_failed(viewer.get(f"{URL}/{'9' * 18}"), 404, "RESOURCE_NOT_FOUND")
    check_failed(viewer.get(f"{URL}/{'9' * 30}"), 404, "RESOURCE_NOT_FOUND")
