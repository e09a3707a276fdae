"""A rule is built by clicking, beside its JSON, and tried before it is saved."""

import json

import pytest
from playwright.sync_api import expect

from classification.models import AccountClassification, ClassificationRule
from tests.admin import fleet

pytestmark = pytest.mark.xdist_group("browser")

ADD = "/admin/classification/classificationrule/add/"


@pytest.fixture
def accounts(page):
    """What the live server shows; `page` brings the store that it shares."""
    return fleet.store(fleet.instance("orders-db"), fleet.orders())


@pytest.fixture
def builder(page, accounts):
    """The page of a new rule for PostgreSQL."""
    AccountClassification.objects.create(
        name="dba", display_name="House DBA", risk_level="critical", priority=999
    )
    page.goto(ADD)
    page.locator("#id_db_type").select_option("postgresql")
    return page.get_by_role("region", name="Builder of the expression")


def expression(page):
    return json.loads(page.locator("#id_rule_expression").input_value())["expr"]


def write(page, expr):
    text = json.dumps({"version": 4, "expr": expr})
    page.locator("#id_rule_expression").fill(text)


def test_the_json_follows_what_is_clicked(page, builder):
    builder.get_by_role("button", name="Add condition").click()
    row = builder.get_by_role("group", name="Condition")
    row.get_by_label("What is asked").select_option("has_privilege")
    row.get_by_label("scope", exact=True).select_option("table")
    row.get_by_label("privilege", exact=True).fill("DELETE")
    asked = {"fn": "has_privilege", "args": {"name": "DELETE", "scope": "table"}}
    assert expression(page) == {"op": "AND", "args": [asked]}
    expect(page.locator("#wf-rule-checked")).to_contain_text("has DELETE at scope table")


def test_the_builder_follows_the_json(page, builder):
    has_role = {"fn": "has_role", "args": {"name": "dba_role"}}
    write(page, {"op": "NOT", "args": [{"op": "OR", "args": [has_role]}]})
    expect(builder.get_by_role("group", name="Group: not")).to_be_visible()
    assert builder.get_by_label("role", exact=True).input_value() == "dba_role"
    page.locator("#id_rule_expression").fill("{")
    expect(builder.get_by_role("alert")).to_contain_text("The JSON cannot be read")


def test_an_error_is_shown_at_its_node(page, builder):
    wrong = {"fn": "has_privilege", "args": {"name": "DELETE", "scope": "tabel"}}
    write(page, {"op": "AND", "args": [{"fn": "is_superuser", "args": {}}, wrong]})
    row = builder.get_by_role("group", name="Condition: has privilege")
    expect(row).to_contain_text("Unknown scope: tabel.")
    expect(row.get_by_label("scope", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(builder.get_by_role("group", name="Condition: is superuser")).not_to_contain_text("Unk")


def test_rows_move_by_keyboard(page, builder):
    calls = [{"fn": name, "args": {}} for name in ("is_superuser", "is_locked")]
    write(page, {"op": "AND", "args": [*calls, {"op": "OR", "args": []}]})
    handle = builder.get_by_role("button", name="is_superuser. Move")
    handle.press("ArrowDown")
    assert [each.get("fn") for each in expression(page)["args"]] == [
        "is_locked",
        "is_superuser",
        None,
    ]
    expect(handle).to_be_focused()
    handle.press("ArrowRight")
    assert expression(page)["args"][1] == {"op": "OR", "args": [calls[0]]}


def test_rows_move_by_mouse(page, builder):
    calls = [{"fn": name, "args": {}} for name in ("is_superuser", "is_locked")]
    write(page, {"op": "AND", "args": calls})
    handle = builder.get_by_role("button", name="is_locked. Move")
    handle.drag_to(
        builder.get_by_role("group", name="Condition: is superuser"),
        target_position={"x": 20, "y": 3},
    )
    assert expression(page)["args"] == calls[::-1]


def test_names_of_the_fleet_are_offered(page, builder):
    write(page, {"fn": "has_role", "args": {"name": ""}})
    builder.get_by_label("role", exact=True).press_sequentially("dba")
    offered = builder.locator("datalist option").first
    expect(offered).to_have_attribute("value", "dba_role")


def test_a_rule_is_tried_and_saved(page, builder):
    builder.get_by_role("button", name="Add condition").click()
    checked = page.locator("#wf-rule-checked")
    expect(checked).to_contain_text("1 account matches.")
    expect(checked.get_by_role("link", name="dba_li")).to_be_visible()
    assert not ClassificationRule.objects.exists()
    page.locator("#id_rule_name").fill("superusers")
    page.evaluate(
        "id => { const s = document.getElementById('id_classification');"
        " s.append(new Option('House DBA', id, true, true)); }",
        AccountClassification.objects.get().pk,
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/classificationrule/")
    rule = ClassificationRule.objects.get()
    assert json.loads(rule.rule_expression)["expr"]["args"] == [{"fn": "is_superuser", "args": {}}]
