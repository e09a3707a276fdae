"""The words above each page and in the browser's tab are the menu's, never a label of the code."""

import pytest

from tags.models import Tag
from tests.admin import fleet

ACCOUNTS = "/admin/accounts/instanceaccount/"


def steps(response):
    return [step.title for step in response.context["steps"]]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/admin/instances/instance/", ["Fleet", "Instances"]),
        ("/admin/instances/instance/add/", ["Fleet", "Instances", "Add"]),
        ("/admin/accounts/accountchangelog/", ["Accounts", "Changes"]),
        (ACCOUNTS, ["Accounts"]),
        (f"{ACCOUNTS}access/", ["Accounts", "Who has access to …"]),
        ("/admin/axes/accessattempt/", ["People and logs", "Lockouts"]),
        ("/admin/preferences/", ["Language and time zone"]),
    ],
)
def test_a_page_is_called_as_in_the_menu(administrator, url, expected):
    assert steps(administrator.get(url)) == expected


def test_the_tab_of_the_browser_says_the_same(administrator):
    page = administrator.get("/admin/accounts/accountchangelog/").content.decode()
    assert "Changes | WhaleFall</title>" in page


def test_a_row_is_called_by_its_name_and_never_by_an_id(administrator, orders_db):
    accounts = fleet.store(orders_db, fleet.orders())
    change = fleet.change(accounts["app_rw"])
    response = administrator.get(f"/admin/accounts/accountchangelog/{change.pk}/change/")
    assert steps(response) == ["Accounts", "Changes", "app_rw: privileges changed"]
    assert "app_rw: privileges changed" in response.content.decode().partition("</title>")[0]


def test_a_session_is_called_by_what_it_read_and_when(administrator, orders_db):
    session = fleet.session(orders_db)
    response = administrator.get(f"/admin/sync/syncsession/{session.pk}/change/")
    assert steps(response)[-1] == f"accounts · {session.started_at:%F %H:%M} UTC"


def test_what_was_only_read_has_no_button_to_a_history(administrator, orders_db):
    account = fleet.store(orders_db, fleet.orders())["app_rw"]
    shown = administrator.get(f"{ACCOUNTS}{account.pk}/change/").content.decode()
    assert f"{ACCOUNTS}{account.pk}/history/" not in shown
    tag = Tag.objects.create(name="gold", display_name="Gold", color="gray")
    shown = administrator.get(f"/admin/tags/tag/{tag.pk}/change/").content.decode()
    assert f"/admin/tags/tag/{tag.pk}/history/" in shown


def test_a_colour_with_a_name_is_not_shown_as_black(administrator):
    tag = Tag.objects.create(name="gold", display_name="Gold", color="gray")
    shown = administrator.get(f"/admin/tags/tag/{tag.pk}/change/").content.decode()
    assert 'value="#808080"' in shown
