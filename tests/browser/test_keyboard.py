"""Everything is done without a mouse: Tab, Enter, Escape, Space and the arrow keys alone."""

import re

import pytest
from playwright.sync_api import expect

from classification.models import AccountClassification
from tags.models import Tag
from tests.admin import fleet
from tests.admin.conftest import person
from tests.browser.keyboard import check_is_seen, focused, walk_to
from tests.browser.test_rule_builder import ADD, expression

pytestmark = pytest.mark.xdist_group("browser")

ACCOUNTS = "/admin/accounts/instanceaccount/"
INSTANCES = "/admin/instances/instance/"
PASSWORD = "orca-swims-deep-7"


@pytest.fixture
def orders_db(page):
    return fleet.instance("orders-db")


@pytest.fixture
def accounts(orders_db):
    return fleet.store(orders_db, fleet.orders())


def type_in(page, text):
    page.keyboard.type(text)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def choose(page, value):
    """By the arrow keys; the field keeps the focus while the page follows each step."""
    for key in ("ArrowUp", "ArrowDown"):
        for _press in range(40):
            if focused(page)["value"] == value:
                return
            press(page, key)
            assert focused(page)["tag"] == "SELECT"
    raise AssertionError(f"{value} is not offered")


def test_one_logs_in(stranger, db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person("viewer", PASSWORD)
    stranger.goto("/admin/")
    if focused(stranger)["id"] != "id_username":
        walk_to(stranger, "id_username")
    type_in(stranger, "viewer")
    walk_to(stranger, "id_password")
    type_in(stranger, PASSWORD)
    press(stranger, "Enter")
    expect(stranger).to_have_url(re.compile("/admin/$"))


def test_the_first_stop_leads_past_the_menu(page):
    page.goto("/admin/")
    press(page, "Tab")
    assert focused(page)["name"] == "Skip to the content"
    check_is_seen(focused(page))
    press(page, "Enter", "Tab")
    assert page.evaluate("!!document.activeElement.closest('#content, main')")


def test_no_stop_holds_the_focus(page, accounts):
    """Round the whole page and back to where one began: no trap."""
    page.goto(ACCOUNTS)
    press(page, "Tab")
    first, seen = focused(page), 0
    while seen < 300:
        press(page, "Tab")
        seen += 1
        now = focused(page)
        if now["tag"] == "BODY":
            break
        check_is_seen(now)
    assert seen < 300
    press(page, "Tab")
    assert focused(page)["name"] == first["name"]


def test_the_menu_of_the_person_opens_and_closes(page):
    page.goto("/admin/")
    walk_to(page, "A administrator unfold_more")
    press(page, "Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    assert focused(page)["name"] == "A administrator unfold_more"


def test_accounts_are_filtered_and_one_is_opened(page, accounts):
    page.goto(ACCOUNTS)
    walk_to(page, "Filters filter_list")
    press(page, "Enter")
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.wait_for_function("document.activeElement.closest('#changelist-filter')")
    press(page, "Shift+Tab")
    assert focused(page)["sheet"]
    press(page, "Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    assert focused(page)["name"] == "Filters filter_list"
    walk_to(page, "dba_li")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Privileges in effect")).to_be_visible()


def test_a_rule_is_built_completed_and_taken_apart(page, accounts):
    AccountClassification.objects.create(name="dba", display_name="House DBA", priority=999)
    page.goto(ADD)
    walk_to(page, "id_db_type")
    type_in(page, "PostgreSQL")
    walk_to(page, "+ Add group")
    press(page, "Enter")
    walk_to(page, "+ Add condition")
    press(page, "Enter")
    walk_to(page, "What is asked")
    choose(page, "has_role")
    walk_to(page, "role")
    type_in(page, "dba")
    expect(page.locator("datalist option").first).to_have_attribute("value", "dba_role")
    type_in(page, "_role")  # headless, the browser draws no list to choose from
    assert "dba_role" in str(expression(page))
    remove = page.get_by_role("button", name="Remove").last.get_attribute("aria-label") or "Remove"
    walk_to(page, remove)
    press(page, "Enter")
    assert "dba_role" not in str(expression(page))
    check_is_seen(focused(page))


def test_tags_are_put_on_several_instances(page, orders_db):
    Tag.objects.create(name="gold", display_name="Gold")
    fleet.instance("stock-db")
    page.goto(INSTANCES)
    for _row in range(2):
        walk_to_checkbox(page)
        press(page, "Space")
    choose_action(page, "Change tags")
    walk_to(page, "Gold")
    press(page, "Space")
    walk_to(page, "Preview")
    press(page, "Enter")
    page.wait_for_load_state()
    expect(page.locator("#tag-preview")).to_contain_text("changes on 2 instances")
    walk_to(page, "Apply")
    press(page, "Enter")
    expect(page.get_by_text("2 tags changed.")).to_be_visible()


def walk_to_checkbox(page):
    for _press in range(150):
        press(page, "Tab")
        if page.evaluate("document.activeElement.classList.contains('action-select')"):
            return
    raise AssertionError("no row can be chosen")


def choose_action(page, name):
    for _press in range(150):
        press(page, "Tab")
        if page.evaluate("document.activeElement.name === 'action'"):
            type_in(page, name)
            walk_to(page, "Run")
            press(page, "Enter")
            expect(page.get_by_role("button", name="Preview")).to_be_visible()
            return
    raise AssertionError("no action can be chosen")


BACK = "document.activeElement.innerText.includes('Classify accounts')"


class TestADialog:
    @pytest.fixture
    def opened(self, page, orders_db):
        page.goto(f"{INSTANCES}{orders_db.pk}/change/")
        walk_to(page, "label Classify accounts")
        press(page, "Enter")
        expect(page.get_by_role("dialog", name="Classify accounts")).to_be_visible()
        page.wait_for_function("document.activeElement.closest('#modal-content')")
        return page

    def test_it_takes_the_focus_and_holds_it(self, opened):
        for key in ("Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
            press(opened, key)
            assert focused(opened)["inside"]
            check_is_seen(focused(opened))

    def test_escape_closes_it_and_gives_the_focus_back(self, opened):
        press(opened, "Escape")
        expect(opened.get_by_role("dialog")).to_be_hidden()
        opened.wait_for_function(BACK)

    def test_its_cross_is_a_button(self, opened):
        walk_to(opened, "Close")
        press(opened, "Enter")
        expect(opened.get_by_role("dialog")).to_be_hidden()
        opened.wait_for_function(BACK)


def test_a_question_is_answered(page, orders_db):
    page.goto(f"{INSTANCES}{orders_db.pk}/delete/")
    walk_to(page, "Move to the recycle bin")
    press(page, "Enter")
    page.wait_for_url(re.compile(f"{INSTANCES}$"))
    orders_db.refresh_from_db()
    assert orders_db.deleted_at is not None
