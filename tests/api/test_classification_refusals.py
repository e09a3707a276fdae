"""What every endpoint about classifications refuses, with which code, and at which path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
    RiskException,
)
from tests.api.cast import account, assigned, classification
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db

URL = "/api/v1/accounts/classifications"
RULES = f"{URL}/rules"
ASSIGNMENTS = f"{URL}/assignments"
EXCEPTIONS = f"{URL}/exceptions"
VALIDATE, PREVIEW = f"{RULES}/actions/validate-expression", f"{RULES}/actions/preview"
CLASSIFY = f"{URL}/actions/auto-classify"
CLEAR = "/api/v1/cache/actions/clear-classification"
SUPERUSER = {"version": 4, "expr": {"fn": "is_superuser", "args": {}}}
NOWHERE = 999_000_000
HUGE = 10**30


@pytest.fixture(autouse=True)
def _nothing_shipped(db) -> None:
    ClassificationRule.objects.all().delete()
    AccountClassification.objects.update(is_system=False)
    AccountClassification.objects.all().delete()


def rule(**fields: Any) -> ClassificationRule:
    label = fields.pop("classification", None) or classification()
    values = {"db_type": "mysql", "rule_name": "superusers", "rule_expression": SUPERUSER}
    return ClassificationRule.objects.create(classification=label, **(values | fields))


def ask(client: Any, method: str, url: str, body: Any = None) -> Any:
    return getattr(client, method)(url, {} if body is None else body)


DRAFT = {"db_type": "mysql", "rule_expression": SUPERUSER}
LABEL = {"name": "risky", "display_name": "Risky"}
HOLDS = {"username_pattern": "a*", "reason": "why", "approver": "Vera", "ends_on": "2999-01-01"}
BAD_INPUT = [
    ("post", URL, {**LABEL, "priority": "first"}, ["priority"]),
    ("post", URL, {**LABEL, "priority": HUGE}, ["priority"]),
    ("post", URL, {**LABEL, "is_active": "perhaps"}, ["is_active"]),
    ("post", URL, {**LABEL, "prioriti": 1}, ["prioriti"]),
    ("post", URL, {"name": "x" * 101, "display_name": "y" * 101}, ["display_name", "name"]),
    ("get", f"{URL}?risk_level=huge", None, ["risk_level"]),
    ("get", f"{URL}?sort=colour", None, ["sort"]),
    ("get", f"{URL}?limit=0", None, ["limit"]),
    ("post", RULES, {**DRAFT, "rule_name": "r"}, ["classification"]),
    ("post", RULES, {**DRAFT, "rule_name": "r", "classification": NOWHERE}, ["classification"]),
    ("get", f"{RULES}/filter?db_type=db2", None, ["db_type"]),
    ("get", f"{RULES}/filter?classification_id=x", None, ["classification_id"]),
    ("get", f"{RULES}/stats?rule_ids=1,b", None, ["rule_ids"]),
    ("post", VALIDATE, {"db_type": "mysql"}, ["rule_expression"]),
    ("post", VALIDATE, {"rule_expression": SUPERUSER}, ["db_type"]),
    ("post", VALIDATE, {**DRAFT, "db_type": "db2"}, ["db_type"]),
    ("post", VALIDATE, {**DRAFT, "rule_expression": None}, ["rule_expression"]),
    ("post", PREVIEW, {**DRAFT, "rule_id": NOWHERE}, ["rule_id"]),
    ("post", PREVIEW, {**DRAFT, "classification": NOWHERE}, ["classification"]),
    ("post", PREVIEW, {**DRAFT, "limit": 0}, ["limit"]),
    ("post", PREVIEW, {**DRAFT, "limit": 100_000}, ["limit"]),
    ("post", ASSIGNMENTS, {"account_id": NOWHERE}, ["account_id", "classification_id"]),
    ("post", ASSIGNMENTS, {"account_id": "x", "classification_id": HUGE}, None),
    ("get", f"{ASSIGNMENTS}?assignment_type=maybe", None, ["assignment_type"]),
    ("get", f"{ASSIGNMENTS}?account_id=x", None, ["account_id"]),
    ("post", EXCEPTIONS, {**HOLDS, "classification": NOWHERE}, ["classification"]),
    ("post", EXCEPTIONS, {**HOLDS, "rule": NOWHERE}, ["rule"]),
    ("post", EXCEPTIONS, {**HOLDS, "ends_on": "soon"}, None),
    ("get", f"{EXCEPTIONS}?state=asleep", None, ["state"]),
    ("post", CLASSIFY, {"instance_id": HUGE}, ["instance_id"]),
    ("post", CLASSIFY, {"use_optimized": 7}, ["use_optimized"]),
    ("post", CLEAR, {"db_type": "db2"}, ["db_type"]),
    ("get", "/api/v1/accounts/statistics/history?kind=mood", None, ["kind"]),
    ("get", "/api/v1/accounts/statistics/history?days=0", None, ["days"]),
]


@pytest.mark.parametrize(("method", "url", "body", "paths"), BAD_INPUT)
def test_bad_input_is_a_400_that_names_what_is_wrong(administrator, method, url, body, paths):
    found = errors(ask(administrator, method, url, body))
    assert found
    assert paths is None or sorted(found) == paths


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", f"{URL}/{NOWHERE}"),
        ("put", f"{URL}/{NOWHERE}"),
        ("delete", f"{URL}/{NOWHERE}"),
        ("get", f"{RULES}/{NOWHERE}"),
        ("put", f"{RULES}/{NOWHERE}"),
        ("delete", f"{RULES}/{NOWHERE}"),
        ("get", f"{RULES}/{HUGE}"),
        ("delete", f"{ASSIGNMENTS}/{NOWHERE}"),
        ("get", f"{ASSIGNMENTS}/{NOWHERE}/explain"),
        ("get", f"{EXCEPTIONS}/{NOWHERE}"),
        ("delete", f"{EXCEPTIONS}/{NOWHERE}"),
        ("get", f"{URL}/permissions/db2"),
    ],
)
def test_what_is_not_there_is_a_404(administrator, method, url):
    body = {**DRAFT, "rule_name": "r"}
    check_failed(ask(administrator, method, url, body), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("url", [URL, RULES, VALIDATE, PREVIEW, ASSIGNMENTS, EXCEPTIONS])
def test_a_body_that_is_empty_or_no_json_is_told_apart(administrator, url):
    check_failed(administrator.post(url, {}), 400, "REQUEST_DATA_EMPTY")
    broken = administrator.post(url, "{", content_type="application/json")
    check_failed(broken, 400, "INVALID_REQUEST")


@pytest.mark.parametrize("url", [URL, RULES])
def test_nothing_is_changed_in_part(administrator, url):
    check_failed(administrator.patch(f"{url}/1", {"name": "x"}), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("url", [VALIDATE, PREVIEW])
@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("{", "INVALID_DSL_EXPRESSION"),
        ({"version": 3, "expr": {}}, "DSL_V4_REQUIRED"),
        ({"expr": {"fn": "is_superuser"}}, "DSL_V4_REQUIRED"),
        ({"version": 4}, "INVALID_DSL_EXPRESSION"),
        ({"version": 4, "expr": {"op": "AND", "args": []}}, "INVALID_DSL_EXPRESSION"),
        ({"version": 4, "expr": {"fn": "no_such"}}, "INVALID_DSL_EXPRESSION"),
    ],
)
def test_an_expression_that_is_none_has_its_code(viewer, url, expression, code):
    check_failed(viewer.post(url, {**DRAFT, "rule_expression": expression}), 400, code)


def test_a_shipped_rule_is_not_deleted(administrator):
    shipped = rule(pack_id="MY-99")
    body = check_failed(administrator.delete(f"{RULES}/{shipped.pk}"), 400, "SYSTEM_RULE")
    assert body["message"] == "superusers is shipped with the system; switch it off instead."
    assert ClassificationRule.objects.exists()


def test_a_classification_that_somebody_has_is_not_deleted(administrator):
    label = classification()
    assigned(account(), label)
    body = check_failed(administrator.delete(f"{URL}/{label.pk}"), 409, "CLASSIFICATION_IN_USE")
    assert body["message"] == "super_admin is in use: 0 rules, 1 accounts."


def test_a_classification_keeps_a_code_of_its_own_when_it_is_changed(administrator):
    classification("taken")
    mine = classification("mine")
    response = administrator.put(f"{URL}/{mine.pk}", {**LABEL, "name": "taken"})
    assert list(errors(response, 400, "NAME_EXISTS")) == ["name"]


def test_a_rule_is_not_changed_into_another_one(administrator):
    label = classification()
    rule(classification=label)
    locked = {"version": 4, "expr": {"fn": "is_locked", "args": {}}}
    other = rule(classification=label, rule_name="locked", rule_expression=locked)
    body = {"classification": label.pk, **DRAFT}
    url = f"{RULES}/{other.pk}"
    response = administrator.put(url, {**body, "rule_name": "locked"})
    check_failed(response, 400, "EXPRESSION_DUPLICATED")
    again = {**body, "rule_name": "superusers", "rule_expression": locked}
    check_failed(administrator.put(url, again), 400, "NAME_EXISTS")


def test_a_classification_that_is_switched_off_is_not_given(operator):
    label = classification(is_active=False)
    body = {"account_id": account().pk, "classification_id": label.pk}
    assert list(errors(operator.post(ASSIGNMENTS, body))) == ["classification_id"]
    assert not AccountClassificationAssignment.objects.exists()


def test_the_detail_of_a_rule_is_parsed_whether_asked_or_not(viewer):
    made = rule()
    for query in ("", "?parse_expression=true"):
        data = check_ok(viewer.get(f"{RULES}/{made.pk}{query}"))
        assert data["rule_expression"] == SUPERUSER


def test_rule_names_and_expressions_in_any_letters_come_back_as_given(administrator):
    label = classification()
    expression = {"version": 4, "expr": {"fn": "has_role", "args": {"name": "Größe-角色"}}}
    body = {"classification": label.pk, "db_type": "mysql", "rule_name": "名前 ünï"}
    data = check_ok(administrator.post(RULES, {**body, "rule_expression": expression}), 201)
    assert data["rule_name"] == "名前 ünï"
    stored = ClassificationRule.objects.get().rule_expression
    assert "Größe-角色" in stored
    assert list(json.loads(stored)) == ["expr", "version"]


def test_an_ended_exception_ends_once(operator):
    label = classification()
    made = check_ok(operator.post(EXCEPTIONS, {**HOLDS, "classification": label.pk}), 201)
    first = operator.delete(f"{EXCEPTIONS}/{made['id']}")
    second = operator.delete(f"{EXCEPTIONS}/{made['id']}")
    assert (first.json()["message"], second.json()["message"]) == (
        "Ended.",
        "It had ended before.",
    )
    assert RiskException.objects.get().state == "ended"


def test_a_rule_that_the_store_cannot_ask_does_not_stop_the_others(operator):
    """Its old assignments stay, and the answer says which rule failed and why."""
    label = classification()
    rule(classification=label)
    broken = rule(classification=label, rule_name="broken", db_type="mysql")
    who = account(tokens=("cap:SUPERUSER",))
    with connection.cursor() as cursor:
        text = '{"version":4,"expr":{"fn":"gone","args":{}}}'
        cursor.execute(
            "UPDATE classification_rules SET rule_expression = %s WHERE id = %s", (text, broken.pk)
        )
    data = check_ok(operator.post(CLASSIFY, {"instance_id": who.instance_id}))
    told = {each["name"]: each["error"] for each in data["rules"]}
    assert (data["failed"], told["superusers"]) == (1, "")
    assert "gone" in told["broken"]
    assert AccountClassificationAssignment.objects.active().count() == 1
