"""Who has a privilege on an object, by which paths."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tags.models import Tag
from tests.api.cast import account, instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts/access"
ASKED = {"privilege": "update", "object": "sales.orders"}
ON_TABLE = ("priv:table:UPDATE", "priv:table:UPDATE@sales.orders")


def test_who_has_it_with_the_path(viewer):
    account(
        "app_rw@%",
        tokens=("role:team", *ON_TABLE),
        facts={"paths": {ON_TABLE[1]: ["team"]}},
    )
    account("other@%", tokens=("priv:table:UPDATE", "priv:table:UPDATE@sales.lines"))
    (item,) = check_ok(viewer.get(URL, ASKED))["items"]
    assert (item["username"], item["instance_name"]) == ("app_rw@%", "orders-db")
    assert item["ways"][0]["path"] == ["team"]
    assert item["ways"][0]["text"] == "app_rw@% -> team: UPDATE ON sales.orders"


def test_a_wider_grant_counts(viewer):
    account("dba@%", tokens=("priv:global:UPDATE",))
    assert check_ok(viewer.get(URL, ASKED))["items"][0]["ways"][0]["token"] == "priv:global:UPDATE"


def test_reach_adds_who_may_set_a_role(viewer):
    account("li@%", tokens=tuple(f"reach:{word}" for word in ON_TABLE))
    assert check_ok(viewer.get(URL, ASKED))["total"] == 0
    assert check_ok(viewer.get(URL, ASKED | {"reach": "true"}))["total"] == 1


def test_the_answer_says_where_it_may_miss_somebody(viewer):
    account("app@%", tokens=("section.denied:table",))
    body = viewer.get(URL, ASKED).json()
    assert body["data"]["items"] == []
    assert body["meta"]["unknown"] == [{"instance": "orders-db", "accounts": 1}]


def test_the_question_is_narrowed_to_instances(viewer):
    account("app@%", instance("a"), tokens=ON_TABLE)
    there = instance("b")
    account("app@%", there, tokens=ON_TABLE)
    (item,) = check_ok(viewer.get(URL, ASKED | {"instance": there.pk}))["items"]
    assert item["instance_name"] == "b"
    assert check_ok(viewer.get(URL, ASKED | {"db_type": "postgresql"}))["total"] == 0


def test_the_question_is_narrowed_to_tags(viewer):
    there = instance("b")
    Tag.objects.create(name="gold", display_name="Gold").instances.add(there)
    for on in (instance("a"), there):
        account("app@%", on, tokens=ON_TABLE)
    (item,) = check_ok(viewer.get(URL, ASKED | {"tags": "gold,silver"}))["items"]
    assert item["instance_name"] == "b"


def exported(client, **query):
    response = client.get(f"{URL}/exports", ASKED | query)
    return b"".join(response.streaming_content).decode("utf-8-sig").splitlines()


def test_the_export_has_a_row_for_each_way(viewer):
    account(
        "app@%", tokens=("priv:global:UPDATE", *ON_TABLE), facts={"paths": {ON_TABLE[1]: ["team"]}}
    )
    header, *rows = exported(viewer)
    assert header == "instance,db_type,account,kind,path,set_role,how"
    assert rows == [
        "orders-db,mysql,app@%,user,,,app@%: UPDATE",
        "orders-db,mysql,app@%,user,team,,app@% -> team: UPDATE ON sales.orders",
    ]


def test_an_export_that_may_miss_somebody_says_so(viewer):
    account("app@%", tokens=("section.denied:table",))
    (row,) = exported(viewer)[1:]
    assert row == "orders-db,,,,,,not all could be read: 1 accounts may have it"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({}, "privilege"),
        (ASKED | {"scope": "tabel"}, "scope"),
        (ASKED | {"db_type": "db2"}, "db_type"),
        (ASKED | {"instance": "x"}, "instance"),
        (ASKED | {"objekt": "x"}, "objekt"),
        (ASKED | {"limit": "0"}, "limit"),
    ],
)
def test_bad_questions_are_named(viewer, query, path):
    instance()
    assert path in errors(viewer.get(URL, query))


def test_a_privilege_that_nobody_knows_is_a_400_with_a_hint(viewer):
    instance()
    body = check_failed(viewer.get(URL, ASKED | {"privilege": "UPDAT"}), 400, "VALIDATION_ERROR")
    assert "Did you mean" in body["message"]


def test_the_number_of_queries_does_not_grow(viewer):
    on, counts = instance(), []
    for start, size in ((0, 10), (10, 200)):
        for n in range(start, size):
            account(f"user-{n}", on, tokens=ON_TABLE)
        with CaptureQueriesContext(connection) as queries:
            assert len(check_ok(viewer.get(URL, ASKED | {"limit": 200}))["items"]) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
