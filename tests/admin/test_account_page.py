"""The page of an account says what it may do, by which path, and what could not be read."""

import pytest

from accounts.models import InstanceAccount
from tests.admin import fleet
from tests.admin.reading import words


def text_of(client, account) -> str:
    return words(client.get(f"/admin/accounts/instanceaccount/{account.pk}/change/"))


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def test_it_names_the_capability_and_the_reason(viewer, accounts):
    page = text_of(viewer, accounts["dba_li"])
    assert "SUPERUSER" in page
    assert "superuser" in page


def test_it_shows_the_path_of_a_privilege(viewer, accounts):
    page = text_of(viewer, accounts["app_rw"])
    assert "shop.public.orders DELETE team_rw → dba_role" in page


def test_it_marks_what_may_be_given_on(viewer, accounts):
    assert "shop.public.orders SELECT ⇗ may be given on team_rw" in text_of(
        viewer, accounts["app_rw"]
    )


def test_it_tells_own_rights_from_inherited_ones(viewer, accounts):
    assert "shop CONNECT own" in text_of(viewer, accounts["app_rw"])


def test_it_says_which_role_may_be_given_on(viewer, accounts):
    assert "team_rw direct may give it on" in text_of(viewer, accounts["app_rw"])


def test_it_names_the_remedy_for_what_could_not_be_read(viewer, accounts):
    page = text_of(viewer, accounts["app_rw"])
    assert "rights on routines · denied" in page
    assert "GRANT SELECT ON pg_proc TO whalefall;" in page


def test_its_history_shows_what_was_granted_and_revoked(viewer, accounts):
    fleet.change(accounts["app_rw"])
    page = text_of(viewer, accounts["app_rw"])
    assert "+ SELECT on table:shop.public.orders" in page
    assert "− CREATE on database:shop" in page
    assert "Locked False → True" in page


def test_an_account_without_a_snapshot_says_so(viewer, accounts):
    accounts["app_rw"].permission.delete()
    account = InstanceAccount.objects.get(username="app_rw")
    assert "Its privileges have not been read yet." in text_of(viewer, account)


def test_names_are_escaped(viewer, orders_db):
    observation = fleet.orders()
    observation.add_grants([fleet.grant("app_rw", "CONNECT", "<script>alert(1)</script>")])
    account = fleet.store(orders_db, observation)["app_rw"]
    url = f"/admin/accounts/instanceaccount/{account.pk}/change/"
    assert "<script>alert(1)" not in viewer.get(url).content.decode()


def test_the_list_finds_who_holds_a_privilege_on_an_object(viewer, accounts):
    url = "/admin/accounts/instanceaccount/?privilege=delete ON shop.public.orders&presence=all"
    page = viewer.get(url).content.decode()
    assert ">app_rw<" in page
    assert ">dba_li<" in page  # a superuser needs no grant
    assert ">public<" not in page


def test_the_list_names_the_choices_for_a_privilege_that_does_not_exist(viewer, accounts):
    url = "/admin/accounts/instanceaccount/?privilege=DELEET ON shop.public.orders"
    assert "DELETE" in viewer.get(url, follow=True).content.decode()


def test_accounts_that_are_gone_are_shown_on_request(viewer, accounts):
    InstanceAccount.objects.filter(username="app_rw").update(is_active=False)
    assert ">app_rw<" not in viewer.get("/admin/accounts/instanceaccount/").content.decode()
    gone = viewer.get("/admin/accounts/instanceaccount/?presence=gone").content.decode()
    assert ">app_rw<" in gone


def test_accounts_that_come_with_the_product_are_shown_on_request(viewer, orders_db):
    observation = fleet.orders()
    observation.accounts["pg_monitor"] = fleet.role("pg_monitor")
    fleet.store(orders_db, observation)
    url = "/admin/accounts/instanceaccount/"
    assert ">pg_monitor<" not in viewer.get(url).content.decode()
    assert ">pg_monitor<" in viewer.get(url + "?presence=product").content.decode()
