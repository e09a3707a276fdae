"""Tags of many instances at once: choose instances, choose tags, preview, apply."""

import pytest
from playwright.sync_api import expect

from tags.models import InstanceTag, Tag
from tests.admin import fleet

pytestmark = pytest.mark.xdist_group("browser")

INSTANCES = "/admin/instances/instance/"


@pytest.fixture
def gold(page):
    """Three instances, of which one is gold already."""
    tag = Tag.objects.create(name="gold", display_name="Gold", category="tier", color="#aa8800")
    Tag.objects.create(name="west", display_name="West", category="region", color="#3366cc")
    for name in ("orders-db", "stock-db", "users-db"):
        fleet.instance(name)
    tag.instances.add(fleet.Instance.objects.get(name="orders-db"))
    return tag


def choose(page, *names):
    page.goto(INSTANCES)
    for name in names:
        page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option("change_tags")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("button", name="Preview")).to_be_visible()


def test_tags_are_put_on_after_a_preview(page, gold):
    choose(page, "orders-db", "users-db")
    expect(page.get_by_text("orders-db, users-db")).to_be_visible()
    page.get_by_label("Gold").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#tag-preview")).to_have_text("Gold: changes on 1 instance")
    assert InstanceTag.objects.count() == 1
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 tag changed.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="users-db")).to_contain_text("Gold")
    expect(page.get_by_role("row").filter(has_text="stock-db")).not_to_contain_text("Gold")


def test_all_tags_are_taken_off(page, gold):
    choose(page, "orders-db", "stock-db")
    page.get_by_label("take every tag off").check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 tag changed.")).to_be_visible()
    assert not InstanceTag.objects.exists()


def test_without_a_tag_it_asks_for_one(page, gold):
    choose(page, "users-db")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Choose at least one tag.")).to_be_visible()
