"""The privileges of an account as a tree that is read page by page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin import fleet
from tests.admin.reading import words
from tests.admin.test_account_page import text_of
from whalefall.engines.observed import GrantState, ObservedMembership

PAGE = "/admin/accounts/instanceaccount/{}/change/"


def stored(*grants, name="orders-db", memberships=()):
    observation = fleet.orders()
    observation.add_grants(grants)
    observation.memberships += memberships
    return fleet.store(fleet.instance(name), observation)


def tables(number):
    return [fleet.grant("app_rw", "SELECT", "shop", "public", f"t{n:05}") for n in range(number)]


def part(client, account, name, **query):
    response = client.get(f"/admin/accounts/instanceaccount/{account.pk}/{name}/", query)
    assert response.status_code == 200
    return response


def test_a_long_branch_is_counted_and_read_when_it_is_opened(viewer):
    account = stored(*tables(300))["app_rw"]
    page = text_of(viewer, account)
    assert "Tables and views 301 objects · 302 privileges" in page
    assert "shop.public.t00000" not in page
    body = part(viewer, account, "privileges", scope="table").content.decode()
    assert "shop.public.t00000" in body
    assert "page 1 of 4" in body


def test_its_pages_follow_each_other(viewer):
    account = stored(*tables(300))["app_rw"]
    places = []
    for number in (1, 2, 3, 4):
        response = part(viewer, account, "privileges", scope="table", p=number)
        places += [each.object for each in response.context["rights"]]
    assert len(set(places)) == 301
    assert places == sorted(places)


def test_it_is_searched_by_object_and_by_privilege(viewer):
    account = stored(*tables(30))["app_rw"]
    found = part(viewer, account, "privileges", scope="table", text="T00007").context["rights"]
    assert [each.object for each in found] == ["shop.public.t00007"]
    (found,) = part(viewer, account, "privileges", scope="table", text="delete").context["rights"]
    assert (found.object, found.privileges) == ("shop.public.orders", ["DELETE"])


def test_what_set_role_would_add_stands_apart(viewer):
    reached = ObservedMembership("dba_li", "dba_role", inherit=False)
    account = stored(memberships=[reached])["dba_li"]
    page = text_of(viewer, account)
    after = page.partition("Could be reached by SET ROLE")[2]
    assert "shop.public.orders DELETE dba_role by SET ROLE dba_role" in after


def test_denials_are_told_with_the_role_they_were_said_of(viewer):
    denied = {"state": GrantState.DENY}
    account = stored(
        fleet.grant("app_rw", "CREATE", "shop", **denied),
        fleet.grant("dba_role", "UPDATE", "shop", "public", "orders", **denied),
        fleet.grant("dba_li", "INSERT", "shop", **denied),
    )["app_rw"]
    page = text_of(viewer, account).partition("Denied")[2]
    assert "shop database DENY CREATE own" in page
    assert "shop.public.orders table DENY UPDATE team_rw → dba_role" in page
    assert "INSERT" not in page


@pytest.mark.parametrize("name", ["snapshot", "facts"])
def test_what_is_stored_is_shown_and_downloaded(viewer, name):
    account = stored()["app_rw"]
    shown = part(viewer, account, "raw", part=name).content.decode()
    assert "&quot;db_type&quot;: &quot;postgresql&quot;" in shown
    response = part(viewer, account, "raw", part=name, download=1)
    assert response.json() == getattr(account.permission, f"permission_{name}")
    assert response["Content-Disposition"].endswith(f'-{name}.json"')


def test_other_parts_are_not_there(viewer, nobody):
    account = stored()["app_rw"]
    url = f"/admin/accounts/instanceaccount/{account.pk}/raw/"
    assert viewer.get(url, {"part": "password"}).status_code == 404
    assert (
        viewer.get("/admin/accounts/instanceaccount/999000000/raw/?part=facts").status_code == 404
    )
    assert nobody.get(url, {"part": "facts"}).url.startswith("/admin/login/")


def granted(number):
    return [
        {"action": "GRANT", "object": f"table:shop.public.t{n:05}", "permissions": ["SELECT"]}
        for n in range(number)
    ]


def test_a_change_of_many_objects_shows_the_first_and_leads_to_all(viewer):
    account = stored()["app_rw"]
    change = fleet.change(account, privilege_diff=granted(500))
    page = text_of(viewer, account)
    assert "t00011" in page
    assert "t00012" not in page
    assert "and 488 more objects" in page
    url = f"/admin/accounts/accountchangelog/{change.pk}/change/"
    assert "t00199" in words(viewer.get(url))
    assert "t00200" not in words(viewer.get(url))
    assert "t00499" in words(viewer.get(url, {"p": 3}))


def test_ten_thousand_privileges_cost_no_more_queries_and_no_longer_page(viewer):
    counts, lengths = [], []
    for size in (100, 10_000):
        account = stored(*tables(size), name=f"db-{size}")["app_rw"]
        fleet.change(account, privilege_diff=granted(size))
        viewer.get(PAGE.format(account.pk))  # content types and the like are cached
        with CaptureQueriesContext(connection) as asked:
            lengths.append(len(viewer.get(PAGE.format(account.pk)).content))
            part(viewer, account, "privileges", scope="table")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 30
    assert lengths[1] < lengths[0] + 1000
