"""Each person sees the console in their own language and time zone."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import InstanceAccount
from tests.admin import fleet
from whalefall.models import User

PAGE = "/admin/preferences/"


def choose(browser, **chosen: str):
    return browser.post(PAGE, {"language": "", "time_zone": "", **chosen}, follow=True)


def test_the_page_speaks_the_language_just_chosen(viewer):
    answer = choose(viewer, language="zh-hans")
    assert "已保存。" in answer.content.decode()


def test_the_language_stays_for_the_next_login(viewer):
    choose(viewer, language="zh-hans")
    viewer.cookies.pop("django_language", None)
    assert "实例" in viewer.get("/admin/").content.decode()


def test_the_switch_in_the_menu_is_remembered_as_well(viewer):
    viewer.post(reverse("set_language"), {"language": "zh-hans", "next": "/admin/"})
    assert User.objects.get(username="viewer").language == "zh-hans"


def test_whoever_has_chosen_nothing_gets_what_the_browser_asks_for(viewer):
    page = viewer.get("/admin/", headers={"accept-language": "zh-hans"}).content.decode()
    assert 'lang="zh-hans"' in page


def test_times_are_shown_in_the_zone_chosen(viewer, orders_db):
    seen = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    account = fleet.store(orders_db, fleet.orders())["app_rw"]
    InstanceAccount.objects.filter(pk=account.pk).update(first_seen_at=seen)
    choose(viewer, time_zone="Asia/Shanghai")
    page = viewer.get(f"/admin/accounts/instanceaccount/{account.pk}/change/").content.decode()
    assert "2026-01-02 07:30" in page


def test_the_api_keeps_the_time_of_the_system(viewer, orders_db):
    choose(viewer, time_zone="Asia/Shanghai")
    told = viewer.get(f"/api/v1/instances/{orders_db.pk}").json()
    assert told["data"]["created_at"].endswith(("Z", "+00:00"))


def test_messages_of_the_api_follow_the_language_and_codes_do_not(viewer):
    choose(viewer, language="zh-hans")
    told = viewer.get("/api/v1/instances/999000000").json()
    assert (told["message"], told["message_code"]) == ("未找到。", "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("chosen", [{"language": "xx"}, {"time_zone": "Mars/Phobos"}])
def test_what_there_is_not_is_refused_and_nothing_is_kept(viewer, chosen):
    answer = choose(viewer, **chosen)
    assert "Select a valid choice" in answer.content.decode()
    assert set(User.objects.values_list("language", "time_zone")) == {("", "")}


def test_a_zone_that_is_no_longer_known_harms_nothing(viewer):
    User.objects.update(time_zone="Atlantis/Gone")
    assert viewer.get("/admin/").status_code == 200


def test_nobody_chooses_without_a_login(client, db):
    assert client.get(PAGE).status_code == 302
