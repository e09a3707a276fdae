"""Who has access to ...: asked across the fleet, with the ways, and what nobody could read."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tags.models import Tag
from tests.admin import fleet
from whalefall.engines.observed import Section, SectionStatus

URL = "/admin/accounts/instanceaccount/access/"
DELETE = {"privilege": "delete", "object": "shop.public.orders"}


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def asked(client, **query):
    response = client.get(URL, DELETE | query)
    assert response.status_code == 200
    return response


def names(response):
    return [found.account.username for found, _ways in response.context["rows"]]


def test_it_says_who_and_by_which_way(viewer, accounts):
    response = asked(viewer)
    assert names(response) == ["app_rw", "dba_li", "dba_role", "team_rw"]
    page = response.content.decode()
    assert "app_rw -&gt; team_rw -&gt; dba_role: DELETE ON shop.public.orders" in page
    assert "4 accounts have it" in page


def test_it_says_what_the_name_was_understood_as(viewer, accounts):
    page = asked(viewer, object="shop.orders").content.decode()
    assert '<b>DELETE</b> table <span class="wf-mono">shop.public.orders</span>' in page


def test_without_a_question_it_shows_the_form(viewer):
    page = viewer.get(URL).content.decode()
    assert "For example UPDATE on" in page
    assert "accounts have it" not in page


def test_a_privilege_that_does_not_exist_is_answered_with_the_nearest(viewer, accounts):
    assert "Did you mean DELETE" in asked(viewer, privilege="DELET").content.decode()


def test_an_instance_that_was_not_read_in_full_is_unknown(viewer):
    observation = fleet.orders()
    observation.sections["table"] = Section("table", SectionStatus.DENIED, "permission denied")
    fleet.store(fleet.instance("blind-db"), observation)
    page = asked(viewer, object="shop.public.lines").content.decode()
    assert "The answer may miss accounts here" in page
    assert "4 accounts may have it" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"instance": "orders"}, 4),
        ({"instance": "stock"}, 0),
        ({"tag": "gold"}, 4),
        ({"db_type": "postgresql"}, 4),
    ],
)
def test_it_is_narrowed(viewer, accounts, orders_db, query, found):
    fleet.store(fleet.instance("users-db"), fleet.orders())
    fleet.instance("stock-db")
    Tag.objects.create(name="gold", display_name="Gold").instances.add(orders_db)
    rows = len(names(asked(viewer, **query)))
    assert rows == (found if "db_type" not in query else 2 * found)


def test_a_tag_that_does_not_exist_is_refused(viewer, accounts):
    assert "Select a valid choice" in asked(viewer, tag="silver").content.decode()


def test_the_answer_comes_as_csv(viewer, accounts):
    response = asked(viewer, export="1")
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 5
    assert lines[1].startswith("orders-db,postgresql,app_rw,user,team_rw -> dba_role,,")


def test_the_answer_comes_as_xlsx(viewer, accounts):
    response = asked(viewer, export="xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert sheet.max_row == 5
    assert [cell.value for cell in sheet[2]][:3] == ["orders-db", "postgresql", "app_rw"]


def test_it_is_closed_to_who_has_no_role(nobody):
    assert nobody.get(URL).url.startswith("/admin/login/")


def test_it_stands_in_the_menu(viewer):
    page = viewer.get("/admin/").content.decode()
    assert f'href="{URL}"' in page


def test_many_accounts_cost_no_more_queries(viewer):
    counts = []
    for size in (5, 200):
        observation = fleet.orders()
        for n in range(size):
            account = fleet.role(f"user-{n}", superuser=True)
            observation.accounts[account.username] = account
        fleet.store(fleet.instance(f"db-{size}"), observation)
        viewer.get(URL)
        with CaptureQueriesContext(connection) as caught:
            asked(viewer)
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 14
