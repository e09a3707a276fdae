"""Deleting an instance means the recycle bin."""

import pytest

from tests.admin import fleet

LIST = "/admin/instances/instance/"


def run(client, action, *instances):
    data = {"action": action, "_selected_action": [one.pk for one in instances], "confirmed": "yes"}
    return client.post(LIST + "?state=all", data, follow=True).content.decode()


def test_deleting_moves_to_the_recycle_bin(administrator, orders_db):
    administrator.post(f"{LIST}{orders_db.pk}/delete/", {"post": "yes"})
    orders_db.refresh_from_db()
    assert orders_db.deleted_at is not None


def test_the_list_hides_what_is_in_the_recycle_bin(administrator, orders_db):
    orders_db.recycle()
    assert "orders-db" not in administrator.get(LIST).content.decode()
    assert "orders-db" in administrator.get(LIST + "?state=deleted").content.decode()


def test_the_action_moves_many_and_says_how_many(administrator, orders_db):
    page = run(administrator, "recycle", orders_db, fleet.instance("stock-db"))
    assert "2 instances moved to the recycle bin." in page


def test_the_restore_button_asks_before_it_acts(administrator, orders_db):
    orders_db.recycle()
    administrator.get(f"{LIST}{orders_db.pk}/restore/")
    orders_db.refresh_from_db()
    assert orders_db.deleted_at is not None


def test_the_restore_button_brings_it_back(administrator, orders_db):
    orders_db.recycle()
    url = f"{LIST}{orders_db.pk}/restore/"
    page = administrator.post(url, {"_form_submitted": "on"}, follow=True).content.decode()
    orders_db.refresh_from_db()
    assert orders_db.deleted_at is None
    assert "orders-db is back." in page


def test_a_taken_endpoint_is_not_restored_and_said_so(administrator, orders_db):
    orders_db.recycle()
    fleet.instance("usurper", host=orders_db.host, port=orders_db.port)
    page = run(administrator, "restore_selected", orders_db)
    assert "This endpoint is already registered." in page
    assert "0 instances restored." in page


@pytest.mark.parametrize("action", ["recycle", "pause", "activate", "restore_selected"])
def test_an_operator_is_not_offered_what_administrators_do(operator, orders_db, action):
    run(operator, action, orders_db)
    orders_db.refresh_from_db()
    assert (orders_db.is_active, orders_db.deleted_at) == (True, None)


def test_pausing_stops_the_watching(administrator, orders_db):
    assert "1 instance changed." in run(administrator, "pause", orders_db)
    orders_db.refresh_from_db()
    assert not orders_db.is_active
