"""The numbers of the start page are true, and each leads to the list behind it."""

import html
import re

import pytest

from tests.admin import fleet


def cards(client) -> dict[str, tuple[str, str]]:
    """Title -> (number, address)."""
    page = client.get("/admin/").content.decode()
    found = re.findall(
        r'<a href="([^"]*)" class="wf-card.*?wf-card-title">(.*?)</span>'
        r'.*?wf-card-value">(.*?)</span>',
        page,
        re.DOTALL,
    )
    return {title: (value, html.unescape(url)) for url, title, value in found}


@pytest.fixture
def house(orders_db):
    accounts = fleet.store(orders_db, fleet.orders())
    fleet.classified(accounts["dba_li"])
    fleet.change(accounts["app_rw"])
    fleet.session(orders_db, status="failed")
    fleet.instance("stock-db")
    fleet.instance("old-db").recycle()


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Instances", "2"),
        ("Accounts", "5"),
        ("Superusers", "1"),
        ("Changes", "1"),
        ("Critical accounts", "1"),
        ("High-risk accounts", "0"),
        ("Running sessions", "0"),
        ("Failed syncs", "1"),
    ],
)
def test_a_number_is_that_of_the_list_behind_it(viewer, house, title, number):
    value, url = cards(viewer)[title]
    assert value == number
    response = viewer.get(url)
    assert response.status_code == 200
    assert str(response.context["cl"].result_count) == number


def test_it_names_the_riskiest_accounts_and_the_latest_changes(viewer, house):
    page = viewer.get("/admin/").content.decode()
    assert page.index("Riskiest accounts") < page.index("dba_li") < page.index("Latest changes")


def test_an_empty_house_has_a_start_page_too(viewer):
    assert cards(viewer)["Accounts"][0] == "0"
    assert "Nothing has been synchronised yet." in viewer.get("/admin/").content.decode()
