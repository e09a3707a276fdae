"""Risks are accepted and ended in the console; what is accepted is no risk there."""

from datetime import timedelta

import pytest

from classification import risks
from classification.models import RiskException
from tests.admin import fleet
from tests.admin.test_account_page import text_of
from whalefall.models import User

PAGE = "/admin/classification/riskexception/"
ASSIGNMENT = "/admin/classification/accountclassificationassignment/"
ACCOUNTS = "/admin/accounts/instanceaccount/"
TOMORROW = timedelta(days=1)


@pytest.fixture
def dba_li(orders_db):
    found = fleet.store(orders_db, fleet.orders())["dba_li"]
    fleet.classified(found)
    return found


@pytest.fixture
def accept_url(dba_li):
    return f"{ASSIGNMENT}{dba_li.permission.assignments.get().pk}/accept_risk/"


def form(**fields):
    day = (risks.today() + TOMORROW).isoformat()
    given = {"_form_submitted": "on", "reason": "moves", "approver": "Vera", "ends_on": day}
    return given | fields


def test_an_operator_accepts_the_risk_on_the_page_of_the_assignment(operator, dba_li, accept_url):
    operator.post(accept_url, form())
    made = RiskException.objects.get()
    assert (made.account, made.created_by.username, made.state) == (dba_li, "operator", "holding")
    assert f"accepted until {made.ends_on.isoformat()}" in text_of(operator, dba_li)
    assert ">dba_li<" not in operator.get(f"{ACCOUNTS}?risk=critical").content.decode()


def test_a_risk_is_accepted_from_the_page_of_the_account(operator, viewer, dba_li, accept_url):
    page = f"{ACCOUNTS}{dba_li.pk}/change/"
    assert f'hx-get="{accept_url}?from=account"' in operator.get(page).content.decode()
    assert accept_url not in viewer.get(page).content.decode()
    assert operator.post(f"{accept_url}?from=account", form()).url == page
    assert accept_url not in operator.get(page).content.decode()  # it is accepted now


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"approver": ""}, {"ends_on": "2020-01-01"}])
def test_a_risk_is_not_accepted_without_grounds(operator, accept_url, wrong):
    operator.post(accept_url, form(**wrong))
    assert not RiskException.objects.exists()


def test_an_operator_accepts_a_risk_for_a_pattern(operator, dba_li):
    label = dba_li.permission.assignments.get().classification
    data = form(username_pattern="dba_*", classification=label.pk)
    assert operator.post(f"{PAGE}add/", data).status_code == 302
    assert RiskException.objects.get().created_by.username == "operator"
    page = operator.get(f"{ACCOUNTS}?q=dba_li").content.decode()
    assert "accepted" in page


def test_the_form_says_what_is_missing(operator, dba_li):
    page = operator.post(f"{PAGE}add/", form(ends_on="2020-01-01")).content.decode()
    assert "The last day lies in the past." in page
    assert "Give an account or a pattern, one of both." in page


def test_an_operator_ends_it_and_the_risk_is_back(operator, dba_li):
    made = fleet.accepted(dba_li)
    operator.post(f"{PAGE}{made.pk}/end/", {"_form_submitted": "on"})
    made.refresh_from_db()
    assert (made.state, made.ended_by) == ("ended", User.objects.get(username="operator"))
    assert ">dba_li<" in operator.get(f"{ACCOUNTS}?risk=critical").content.decode()


def test_a_viewer_accepts_and_ends_nothing(viewer, dba_li, accept_url):
    made = fleet.accepted(dba_li)
    assert viewer.post(accept_url, form()).status_code == 403
    assert viewer.post(f"{PAGE}{made.pk}/end/", {"_form_submitted": "on"}).status_code == 403
    made.refresh_from_db()
    assert (made.state, RiskException.objects.count()) == ("holding", 1)


def test_the_start_page_counts_no_accepted_risk(viewer, dba_li):
    assert ">dba_li<" in viewer.get("/admin/").content.decode()
    fleet.accepted(dba_li)
    assert ">dba_li<" not in viewer.get("/admin/").content.decode()


def test_the_list_of_accounts_is_sorted_by_risk(viewer, orders_db, dba_li):
    column = viewer.get(ACCOUNTS).context["cl"].list_display.index("risk")
    first = viewer.get(f"{ACCOUNTS}?o=-{column}").context["cl"].result_list[0]
    assert first == dba_li


def test_the_list_says_where_it_holds_for_how_many_and_how_long(operator, dba_li):
    fleet.accepted(dba_li)
    page = operator.get(PAGE).content.decode()
    assert "orders-db" in page
    assert "ends today" in page


def test_the_page_of_an_exception_names_the_accounts_that_it_covers(viewer, dba_li):
    made = fleet.accepted(dba_li)
    page = viewer.get(f"{PAGE}{made.pk}/change/").content.decode()
    assert f"{ACCOUNTS}{dba_li.pk}/change/" in page
    assert "orders-db" in page
