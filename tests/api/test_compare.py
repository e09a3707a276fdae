"""Two accounts of the ledger, side by side."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin import fleet
from tests.api.cast import account, instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts/compare"


@pytest.fixture
def accounts():
    return fleet.store(fleet.instance("orders-db"), fleet.orders())


def asked(client, left, right, **query):
    return client.get(URL, {"left": left.pk, "right": right.pk, **query})


def test_it_says_what_only_one_of_them_has_and_by_which_path(viewer, accounts):
    data = check_ok(asked(viewer, accounts["app_rw"], accounts["dba_role"]))
    (connect, select) = data["items"]
    assert (connect["scope"], connect["object"], connect["names"]) == (
        "database",
        "shop",
        ["CONNECT"],
    )
    assert (select["held"], select["left"]["path"], select["right"]) == ("left", ["team_rw"], None)


def test_what_is_the_same_is_shown_on_request_and_always_counted(viewer, accounts):
    response = asked(viewer, accounts["app_rw"], accounts["dba_role"], show="all")
    assert "same" in [item["held"] for item in check_ok(response)["items"]]
    assert response.json()["meta"]["summary"] == {
        "left": 2,
        "right": 0,
        "different": 0,
        "unknown": 0,
        "same": 1,
    }


@pytest.mark.parametrize(
    ("of", "names"),
    [("catalog", ["CONNECT"]), ("roles", ["team_rw"]), ("capabilities", ["ADMIN_OPTION"])],
)
def test_other_parts_are_compared_alike(viewer, accounts, of, names):
    data = check_ok(asked(viewer, accounts["app_rw"], accounts["team_rw"], of=of))
    assert [name for item in data["items"] for name in item["names"] if item["left"]][:1] == names


def test_attributes_stand_beside(viewer, accounts):
    response = asked(viewer, accounts["app_rw"], accounts["dba_li"])
    first = response.json()["meta"]["attributes"][0]
    assert first == {"name": "superuser", "held": "different", "left": "-", "right": "yes"}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({}, "left"),
        ({"left": 1, "right": "x"}, "right"),
        ({"left": 1, "right": 2, "of": "tables"}, "of"),
        ({"left": 1, "right": 2, "show": "some"}, "show"),
        ({"left": 1, "right": 2, "middle": 3}, "middle"),
    ],
)
def test_bad_questions_are_named(viewer, query, path):
    assert path in errors(viewer.get(URL, query))


def test_who_is_not_there_or_was_not_read_is_named(viewer):
    there, new = account("app@%"), account("new@%", collected=False)
    gone = {"left": there.pk, "right": 999_000_000}
    check_failed(viewer.get(URL, gone), 404, "RESOURCE_NOT_FOUND")
    assert "new@%" in check_failed(asked(viewer, there, new), 409, "SNAPSHOT_MISSING")["message"]


def test_the_number_of_queries_does_not_grow(viewer):
    counts = []
    for size in (10, 300):
        observation = fleet.orders()
        observation.add_grants(
            fleet.grant("app_rw", "SELECT", "shop", "public", f"t{n}") for n in range(size)
        )
        stored = fleet.store(fleet.instance(f"db-{size}"), observation)
        with CaptureQueriesContext(connection) as queries:
            data = check_ok(asked(viewer, stored["app_rw"], stored["dba_role"], limit=5))
        assert (data["total"], len(data["items"])) == (size + 2, 5)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_two_accounts_of_different_products_can_be_compared(viewer, accounts):
    other = account("app@%", instance("stock-db"), facts={"privileges": {"global": ["FILE"]}})
    other.permission.permission_snapshot |= {
        "categories": {"attributes": {}, "grants": [], "owns": [], "memberships": []},
        "type_specific": {},
        "sections": {},
    }
    other.permission.save()
    data = check_ok(asked(viewer, accounts["dba_role"], other))
    assert [(item["held"], item["names"]) for item in data["items"]] == [
        ("right", ["FILE"]),
        ("left", ["DELETE"]),
    ]
