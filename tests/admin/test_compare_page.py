"""Two accounts are chosen and stand side by side."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin import fleet
from tests.admin.reading import words

URL = "/admin/accounts/instanceaccount/compare/"
LIST = "/admin/accounts/instanceaccount/"


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def text_of(client, **query):
    return words(client.get(URL, query))


def sides(left, right):
    return {"left": left.pk, "right": right.pk}


def test_it_shows_who_has_what_the_other_has_not(viewer, accounts):
    page = text_of(viewer, **sides(accounts["app_rw"], accounts["dba_role"]))
    assert "only left 2 only right 0" in page
    assert "only left shop.public.orders table SELECT ✓ team_rw WITH GRANT OPTION –" in page
    assert "DELETE" not in page


def test_what_is_the_same_is_shown_on_request(viewer, accounts):
    page = text_of(viewer, **sides(accounts["app_rw"], accounts["dba_role"]), show="all")
    assert "same shop.public.orders table DELETE ✓ team_rw → dba_role ✓ own" in page


def test_the_catalog_and_attributes_are_compared(viewer, accounts):
    page = text_of(viewer, **sides(accounts["app_rw"], accounts["dba_li"]), of="catalog")
    assert "only left team_rw role MEMBER ✓ own WITH ADMIN OPTION –" in page
    assert "superuser - yes" in page


def test_two_are_chosen_in_the_list(viewer, accounts):
    chosen = [accounts["app_rw"].pk, accounts["dba_li"].pk]
    data = {"action": "compare_selected", "_selected_action": chosen}
    assert viewer.post(LIST, data).url == f"{URL}?left={min(chosen)}&right={max(chosen)}"
    data["_selected_action"] = chosen[:1]
    assert "Choose two accounts" in viewer.post(LIST, data, follow=True).content.decode()


def test_the_other_one_is_searched(viewer, accounts):
    page = text_of(viewer, left=accounts["app_rw"].pk, find="dba")
    assert "dba_li orders-db" in page
    assert "dba_role orders-db" in page
    assert "No account has that" in text_of(viewer, left=accounts["app_rw"].pk, find="nobody")


def test_the_same_name_elsewhere_is_offered(viewer, accounts):
    other = fleet.store(fleet.instance("stock-db"), fleet.orders())["app_rw"]
    page = text_of(viewer, left=accounts["app_rw"].pk)
    assert "The same name elsewhere: app_rw stock-db" in page
    account = viewer.get(f"{LIST}{accounts['app_rw'].pk}/change/").content.decode()
    assert f"right={other.pk}" in account


def test_an_account_that_was_not_read_yet_is_named(viewer, accounts):
    accounts["dba_li"].permission.delete()
    page = text_of(viewer, **sides(accounts["app_rw"], accounts["dba_li"]))
    assert "Nothing is known about the rights of dba_li" in page


@pytest.mark.parametrize("query", [{}, {"left": "x"}, {"left": "999000000"}, {"find": "%_'"}])
def test_without_two_it_asks_for_them(viewer, query):
    assert "First choose the other one." in text_of(viewer, **query)


def test_many_differences_cost_no_more_queries(viewer):
    counts = []
    for size in (100, 2_000):
        observation = fleet.orders()
        observation.add_grants(
            fleet.grant("app_rw", "SELECT", "shop", "public", f"t{n}") for n in range(size)
        )
        stored = fleet.store(fleet.instance(f"db-{size}"), observation)
        with CaptureQueriesContext(connection) as caught:
            page = text_of(viewer, **sides(stored["app_rw"], stored["dba_role"]))
        assert f"only left {size + 2}" in page
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 12
