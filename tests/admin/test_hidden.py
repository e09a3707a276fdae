"""People see and change which accounts lists leave out."""

import pytest

from accounts.models import HiddenAccount, InstanceAccount
from tests.admin import fleet

LIST = "/admin/accounts/hiddenaccount/"


@pytest.fixture
def shipped(db):
    return HiddenAccount.objects.get(db_type="postgresql", pattern="pg_*")


def listed(client):
    page = client.get("/admin/accounts/instanceaccount/")
    return [account.username for account in page.context["cl"].result_list]


def test_a_pattern_hides_accounts_from_the_list(administrator, orders_db):
    fleet.store(orders_db, fleet.orders())
    form = {"db_type": "postgresql", "pattern": "*_rw", "is_active": "on"}
    administrator.post(f"{LIST}add/", form)
    assert listed(administrator) == ["dba_li", "dba_role", "public"]
    assert InstanceAccount.objects.filter(comes_with_product=True).count() == 2


def test_a_shipped_one_can_be_switched_off_and_nothing_else(administrator, shipped):
    administrator.post(f"{LIST}{shipped.pk}/change/", {"pattern": "pg_signal*"})
    shipped.refresh_from_db()
    assert (shipped.pattern, shipped.is_active) == ("pg_*", False)
    assert administrator.post(f"{LIST}{shipped.pk}/delete/", {"post": "yes"}).status_code == 403


def test_shipped_ones_are_not_deleted_with_others(administrator, shipped):
    ours = HiddenAccount.objects.create(db_type="mysql", pattern="ops*")
    chosen = {"action": "delete_selected", "_selected_action": [ours.pk, shipped.pk]}
    page = administrator.post(LIST, chosen).content.decode()
    assert "pg_* is shipped: switch it off instead." in page
    administrator.post(LIST, {**chosen, "_selected_action": [ours.pk], "post": "yes"})
    assert not HiddenAccount.objects.filter(pk=ours.pk).exists()
    assert HiddenAccount.objects.filter(pk=shipped.pk).exists()


def test_a_search_finds_parts_of_names(viewer, orders_db):
    fleet.store(orders_db, fleet.orders())
    page = viewer.get("/admin/accounts/instanceaccount/?q=A_L")
    assert [account.username for account in page.context["cl"].result_list] == ["dba_li"]
    page = viewer.get("/admin/accounts/instanceaccount/?q=dba%20li")
    assert [account.username for account in page.context["cl"].result_list] == ["dba_li"]
