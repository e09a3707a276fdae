"""People keep views of lists: filters, search and order under a name."""

import re

import pytest

from tests.admin import fleet
from whalefall.models import AuditEntry, SavedView, User

LIST = "/admin/accounts/instanceaccount/"
SAVE = "/admin/views/"


def save(client, name="Risky", query="risk=critical&q=app&p=3", **more):
    form = {"page": "accounts_instanceaccount", "name": name, "query": query, **more}
    return client.post(SAVE, form)


def bar(client, query=""):
    page = client.get(f"{LIST}?{query}").content.decode()
    return page.split('class="wf-views"')[1].split("</nav>")[0]


def names(client):
    return re.findall(r'<a href="[^"]*"[^>]*>([^<]*)</a>', bar(client))


def test_a_view_brings_its_filters_back(viewer, orders_db):
    accounts = fleet.store(orders_db, fleet.orders())
    fleet.classified(accounts["app_rw"])
    answer = save(viewer)
    assert answer.url == f"{LIST}?risk=critical&q=app"
    listed = viewer.get(answer.url).context["cl"].result_list
    assert [account.username for account in listed] == ["app_rw"]
    assert 'aria-current="page"' in bar(viewer, "risk=critical&q=app")


def test_only_what_is_asked_and_not_kept_yet_can_be_saved(viewer):
    assert "Save this view" not in bar(viewer)
    assert "Save this view" in bar(viewer, "risk=critical&q=app")
    save(viewer)
    assert "Save this view" not in bar(viewer, "risk=critical&q=app&p=0")


def test_a_name_is_used_again(viewer):
    save(viewer)
    save(viewer, query="q=b")
    assert SavedView.objects.get().query == "q=b"


def test_views_are_ones_own_unless_shared(operator, viewer):
    save(operator, "mine")
    save(operator, "ours", is_shared="on")
    assert names(operator) == ["mine", "ours"]
    assert names(viewer) == ["ours"]


def test_a_viewer_shares_nothing(viewer):
    assert save(viewer, is_shared="on").status_code == 403
    assert "for everybody" not in bar(viewer, "q=a")


def test_who_may_delete_a_view(operator, viewer, administrator):
    save(operator, is_shared="on")
    delete = f"/admin/views/{SavedView.objects.get().pk}/delete/"
    assert viewer.post(delete).status_code == 403
    assert operator.get(delete).status_code == 405
    assert administrator.post(delete).url == LIST
    assert not SavedView.objects.exists()


def test_what_another_keeps_for_themselves_is_not_there(operator, administrator):
    save(operator)
    pk = SavedView.objects.get().pk
    assert administrator.post(f"/admin/views/{pk}/delete/").status_code == 404


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 101}, {"page": "no_such"}])
def test_what_is_no_view_is_refused(viewer, wrong):
    form = {"page": "accounts_instanceaccount", "name": "a", "query": "q=a", **wrong}
    viewer.post(SAVE, form)
    assert not SavedView.objects.exists()


def test_saving_is_in_the_audit_log(viewer):
    save(viewer)
    assert AuditEntry.objects.filter(object_type__icontains="view").exists()


def test_views_go_with_their_person(viewer):
    save(viewer)
    User.objects.all().delete()
    assert not SavedView.objects.exists()


def test_the_search_keeps_the_filters_and_the_filters_the_search(viewer):
    page = viewer.get(f"{LIST}?risk=critical&q=app").content.decode()
    search = page.split('id="changelist-search"')[1].split("</form>")[0]
    assert '<input type="hidden" name="risk" value="critical">' in search
    filters = page.split('id="filter-form"')[1].split("</form>")[0]
    assert re.search(r'name="q"[^>]*value="app"|value="app"[^>]*name="q"', filters)


@pytest.mark.parametrize(
    ("query", "text"),
    [("", "Choose instances under Fleet"), ("q=nobody", "Search for less, or take filters away.")],
)
def test_an_empty_list_says_what_to_do_next(viewer, query, text):
    assert text in viewer.get(f"{LIST}?{query}").content.decode()


def test_the_keyboard_gets_past_the_menu(viewer):
    page = viewer.get(LIST).content.decode()
    assert page.index("Skip to the content") < page.index('id="nav-sidebar"')
    assert 'href="#content"' in page
    assert 'id="content"' in page
