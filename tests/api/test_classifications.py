"""Classifications, rules and assignments."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification import statistics
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
)
from tests.api.cast import account, assigned, classification, instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts/classifications"
RULES = f"{URL}/rules"
ASSIGNMENTS = f"{URL}/assignments"
SUPERUSER = {"version": 4, "expr": {"fn": "is_superuser", "args": {}}}
FILE = {
    "version": 4,
    "expr": {"fn": "has_privilege", "args": {"name": "FILE", "scope": "global"}},
}


@pytest.fixture(autouse=True)
def _nothing_shipped(db) -> None:
    ClassificationRule.objects.all().delete()
    AccountClassification.objects.update(is_system=False)
    AccountClassification.objects.all().delete()


def rule(label: AccountClassification, expression=SUPERUSER, **fields) -> ClassificationRule:
    values = {"db_type": "mysql", "rule_name": "superusers", "rule_expression": expression}
    return ClassificationRule.objects.create(classification=label, **(values | fields))


def draft(label: AccountClassification, expression=SUPERUSER, **fields) -> dict:
    values = {"db_type": "mysql", "rule_name": "superusers", "rule_expression": expression}
    return {"classification": label.pk, **values, **fields}


# --- classifications


def test_the_list_is_by_priority_with_counts(viewer):
    low, high = classification("low", priority=1), classification("high", priority=9)
    rule(high)
    assigned(account(), high)
    assigned(account("b"), low)
    items = check_ok(viewer.get(URL))["items"]
    assert [(i["name"], i["rule_count"], i["account_count"]) for i in items] == [
        ("high", 1, 1),
        ("low", 0, 1),
    ]


def test_accounts_in_the_recycle_bin_count_for_nobody(viewer):
    label = classification("risky")
    binned = account()
    assigned(binned, label, rule=rule(label))
    binned.instance.recycle()
    assert check_ok(viewer.get(URL))["items"][0]["account_count"] == 0
    (counted,) = check_ok(viewer.get(f"{RULES}/stats"))
    assert counted["accounts"] == 0


@pytest.mark.parametrize(
    ("model", "field"), [(AccountClassification, "classification"), (ClassificationRule, "rule")]
)
def test_the_store_counts_all_of_them_once_and_not_one_by_one(model, field):
    plan = model.objects.annotate(accounts=statistics.given(field)).explain()
    assert "InitPlan" in plan


def test_one_is_created_changed_and_deleted(administrator):
    body = {"name": "risky", "display_name": "Risky", "risk_level": "high", "color": "red"}
    pk = check_ok(administrator.post(URL, body), 201)["id"]
    changed = check_ok(administrator.put(f"{URL}/{pk}", body | {"priority": 5}))
    assert changed["priority"] == 5
    check_ok(administrator.delete(f"{URL}/{pk}"))
    check_failed(administrator.get(f"{URL}/{pk}"), 404, "RESOURCE_NOT_FOUND")


def test_a_code_is_taken_once(administrator):
    classification("risky")
    body = {"name": "risky", "display_name": "Risky"}
    assert "name" in errors(administrator.post(URL, body), 400, "NAME_EXISTS")


def test_bad_input_is_named(administrator):
    body = {"name": "a b", "display_name": "", "risk_level": "huge", "color": "mauve"}
    found = errors(administrator.post(URL, body))
    assert set(found) == set(body)
    assert found["risk_level"].endswith("Must be one of: critical, high, medium, low, info.")


def test_one_in_use_is_not_deleted(administrator):
    label = classification()
    rule(label)
    body = check_failed(administrator.delete(f"{URL}/{label.pk}"), 409, "CLASSIFICATION_IN_USE")
    assert body["message"] == "super_admin is in use: 1 rules, 0 accounts."


def test_a_shipped_one_stays_and_keeps_its_code(administrator):
    label = classification(is_system=True)
    check_failed(administrator.delete(f"{URL}/{label.pk}"), 400, "SYSTEM_CLASSIFICATION")
    body = {"name": "other", "display_name": "Super"}
    check_failed(administrator.put(f"{URL}/{label.pk}", body), 400, "SYSTEM_CLASSIFICATION")


def test_colors_to_choose_from(viewer):
    colors = check_ok(viewer.get(f"{URL}/colors"))
    assert {"name": "red", "value": "#dc2626"} in colors


def test_what_a_rule_may_name(viewer):
    data = check_ok(viewer.get(f"{URL}/permissions/mysql"))
    assert "FILE" in data["scopes"]["global"]
    assert "SUPERUSER" in data["capabilities"]
    assert "has_privilege" in [function["name"] for function in data["functions"]]
    body = check_failed(viewer.get(f"{URL}/permissions/db2"), 404, "RESOURCE_NOT_FOUND")
    assert body["message"].startswith("Unknown: db2. Must be one of: mysql")


# --- rules


def test_a_rule_is_stored_canonically(administrator):
    text = '{"expr": {"args": {"types": ["mysql"]}, "fn": "db_type_in"}, "version": 4}'
    data = check_ok(administrator.post(RULES, draft(classification(), text)), 201)
    assert data["rule_expression"]["expr"]["fn"] == "db_type_in"
    stored = ClassificationRule.objects.get().rule_expression
    assert stored == '{"expr":{"args":{"types":["mysql"]},"fn":"db_type_in"},"version":4}'


def test_the_list_is_grouped_by_engine(viewer):
    label = classification()
    rule(label)
    rule(label, db_type="postgresql")
    data = check_ok(viewer.get(RULES))
    assert sorted(data["rules_by_db_type"]) == ["mysql", "postgresql"]
    assert data["total"] == 2


def test_a_rule_in_detail_reads_as_words(viewer):
    data = check_ok(viewer.get(f"{RULES}/{rule(classification()).pk}"))
    assert data["rule_expression"] == SUPERUSER
    assert data["reads_as"] == "is a superuser"


def test_rules_are_filtered(viewer):
    label, other = classification(), classification("other")
    rule(label)
    rule(other, db_type="postgresql", rule_name="elsewhere")
    asked = {"classification_id": other.pk, "db_type": "postgresql"}
    (item,) = check_ok(viewer.get(f"{RULES}/filter", asked))["items"]
    assert item["rule_name"] == "elsewhere"


def test_a_name_is_taken_once_per_engine(administrator):
    label = classification()
    rule(label)
    found = errors(administrator.post(RULES, draft(label, FILE)), 400, "NAME_EXISTS")
    assert list(found) == ["rule_name"]
    check_ok(administrator.post(RULES, draft(label, db_type="postgresql")), 201)


def test_the_same_question_is_asked_once(administrator):
    label = classification()
    rule(label)
    response = administrator.post(RULES, draft(label, rule_name="again"))
    assert errors(response, 400, "EXPRESSION_DUPLICATED") == {
        "rule_expression": "Rule superusers asks the same already."
    }


def test_a_rule_is_saved_again_unchanged(administrator):
    label = classification()
    known = rule(label)
    data = check_ok(administrator.put(f"{RULES}/{known.pk}", draft(label, description="why")))
    assert data["description"] == "why"


@pytest.mark.parametrize("expression", [{"version": 3, "expr": {}}, [1], 7, "[]"])
def test_another_version_is_refused(administrator, expression):
    response = administrator.post(RULES, draft(classification(), expression))
    check_failed(response, 400, "DSL_V4_REQUIRED")


def test_every_error_is_listed_with_its_path(administrator):
    expression = {
        "version": 4,
        "expr": {
            "op": "AND",
            "args": [
                {"fn": "has_privilege", "args": {"name": "FILE", "scope": "galaxy"}},
                {"op": "OR", "args": []},
                {"fn": "is_supperuser"},
            ],
        },
    }
    response = administrator.post(RULES, draft(classification(), expression))
    found = errors(response, 400, "INVALID_DSL_EXPRESSION")
    assert list(found) == [
        "expr.args[0].args.scope",
        "expr.args[1].args",
        "expr.args[2].fn",
    ]
    assert "is_superuser" in str(response.json()["errors"][2])


@pytest.mark.parametrize("text", ["{", "not json"])
def test_text_that_is_no_json_is_refused(administrator, text):
    response = administrator.post(RULES, draft(classification(), text))
    check_failed(response, 400, "INVALID_DSL_EXPRESSION")


def test_an_expression_is_validated_without_saving(viewer):
    url = f"{RULES}/actions/validate-expression"
    data = check_ok(viewer.post(url, {"db_type": "mysql", "rule_expression": FILE}))
    assert (data["valid"], data["canonical"][:8]) == (True, '{"expr":')
    wrong = {"db_type": "mysql", "rule_expression": {"version": 4, "expr": {"fn": "x"}}}
    check_failed(viewer.post(url, wrong), 400, "INVALID_DSL_EXPRESSION")
    assert not ClassificationRule.objects.exists()


@pytest.mark.parametrize("size", [10_000])
def test_an_expression_of_any_size_is_answered(viewer, size):
    args = [{"fn": "is_superuser", "args": {}}] * size
    body = {
        "db_type": "mysql",
        "rule_expression": {"version": 4, "expr": {"op": "OR", "args": args}},
    }
    response = viewer.post(f"{RULES}/actions/validate-expression", body)
    assert "more than" in check_failed(response, 400, "INVALID_DSL_EXPRESSION")["message"]


def test_stats_count_accounts_per_rule(viewer):
    label = classification()
    first, other = rule(label), rule(label, FILE, rule_name="files")
    assigned(account(), label, rule=first)
    data = check_ok(viewer.get(f"{RULES}/stats", {"rule_ids": f"{first.pk},{other.pk}"}))
    assert {row["rule_name"]: row["accounts"] for row in data} == {"superusers": 1, "files": 0}
    assert "rule_ids" in errors(viewer.get(f"{RULES}/stats", {"rule_ids": "a"}))


def test_a_preview_adds_drops_and_leaves_unknown(viewer):
    label = classification()
    known = rule(label)
    assigned(account("keeps", tokens=("cap:SUPERUSER", "priv:global:FILE")), label, rule=known)
    assigned(account("loses", tokens=("cap:SUPERUSER",)), label, rule=known)
    account("gains", tokens=("priv:global:FILE",))
    account("hidden", tokens=("section.denied:global",))
    body = {"db_type": "mysql", "rule_expression": FILE, "rule_id": known.pk}
    data = check_ok(viewer.post(f"{RULES}/actions/preview", body))
    listed = {kind: [i["username"] for i in data[kind]["items"]] for kind in ("add", "drop")}
    assert listed == {"add": ["gains"], "drop": ["loses"]}
    assert [item["username"] for item in data["unknown"]["items"]] == ["hidden"]
    assert (data["matched"], data["keep"]) == (2, 1)
    assert data["add"]["items"][0]["evidence"]["tokens"] == ["priv:global:FILE"]


def test_a_preview_of_what_nobody_can_be_unknown_to(viewer):
    account("li@10.1.2.3")
    asked = {"fn": "host_matches", "args": {"pattern": "10.*"}}
    body = {"db_type": "mysql", "rule_expression": {"version": 4, "expr": asked}}
    data = check_ok(viewer.post(f"{RULES}/actions/preview", body))
    assert (data["matched"], data["unknown"]) == (1, {"total": 0, "items": []})


def test_a_rule_is_deleted(administrator):
    known = rule(classification())
    check_ok(administrator.delete(f"{RULES}/{known.pk}"))
    assert not ClassificationRule.objects.exists()


# --- assignments


def test_only_active_assignments_are_listed(viewer):
    label = classification()
    assigned(account("now"), label)
    assigned(account("then"), label, is_active=False)
    (item,) = check_ok(viewer.get(ASSIGNMENTS, {"classification_id": label.pk}))["items"]
    assert (item["username"], item["classification"], item["risk_level"]) == (
        "now",
        "super_admin",
        "critical",
    )


def test_one_is_given_by_hand_and_ended(operator):
    label, who = classification(), account()
    body = {"account_id": who.pk, "classification_id": label.pk, "note": "agreed"}
    data = check_ok(operator.post(ASSIGNMENTS, body), 201)
    assert (data["assignment_type"], data["assigned_by"]) == ("manual", "otto")
    check_ok(operator.delete(f"{ASSIGNMENTS}/{data['id']}"))
    ended = AccountClassificationAssignment.objects.get()
    assert (ended.is_active, ended.deactivated_by.username) == (False, "otto")
    check_failed(operator.delete(f"{ASSIGNMENTS}/{data['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_nobody_is_classified_before_the_first_sync(operator):
    who = account(collected=False)
    body = {"account_id": who.pk, "classification_id": classification().pk}
    check_failed(operator.post(ASSIGNMENTS, body), 409, "SNAPSHOT_MISSING")


def test_an_assignment_is_explained_with_leaves_and_paths(viewer):
    label = classification()
    who = account(
        "li@%",
        tokens=("priv:global:FILE",),
        facts={"paths": {"priv:global:FILE": ["team", "dba"]}},
    )
    given = assigned(who, label, rule=rule(label, FILE))
    data = check_ok(viewer.get(f"{ASSIGNMENTS}/{given.pk}/explain"))
    assert data["verdict"] == "true"
    assert data["finding"]["tokens"] == ["priv:global:FILE"]
    assert data["paths"] == ["li@% -> team -> dba: FILE"]


def test_one_given_by_hand_explains_itself(viewer):
    given = assigned(account(), classification(), assignment_type="manual")
    data = check_ok(viewer.get(f"{ASSIGNMENTS}/{given.pk}/explain"))
    assert (data["rule"], data["finding"], data["paths"]) == (None, None, [])


@pytest.mark.parametrize("url", [URL, RULES, f"{RULES}/filter", ASSIGNMENTS])
def test_the_number_of_queries_does_not_grow(viewer, url):
    on, counts = instance(), []
    for start, size in ((0, 10), (10, 200)):
        for n in range(start, size):
            label = classification(f"c{n}")
            types = ["mysql"] * (n + 1)
            expression = {"version": 4, "expr": {"fn": "db_type_in", "args": {"types": types}}}
            by = rule(label, expression, rule_name=f"r{n}")
            assigned(account(f"user-{n}", on), label, rule=by)
        with CaptureQueriesContext(connection) as queries:
            check_ok(viewer.get(url, {"limit": 200}))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


# --- statistics and cache


def test_statistics_of_accounts(viewer):
    label, who = classification(), account("dba", is_superuser=True, is_locked=True)
    account("gone", is_active=False)
    assigned(who, label, rule=rule(label))
    data = check_ok(viewer.get("/api/v1/accounts/statistics"))
    assert {key: data["summary"][key] for key in ("total", "active", "gone", "superusers")} == {
        "total": 2,
        "active": 1,
        "gone": 1,
        "superusers": 1,
    }
    assert data["db_types"] == [
        {"db_type": "mysql", "total": 2, "active": 1, "superusers": 1, "locked": 1}
    ]
    assert [(c["name"], c["accounts"]) for c in data["classifications"]] == [("super_admin", 1)]
    assert check_ok(viewer.get("/api/v1/accounts/statistics/rules"))[0]["accounts"] == 1


def test_each_part_of_the_statistics_is_served_alone(viewer):
    assigned(account("dba"), classification())
    url = "/api/v1/accounts/statistics"
    whole = check_ok(viewer.get(url))
    for name, part in whole.items():
        assert check_ok(viewer.get(f"{url}/{name.replace('_', '-')}")) == part


def test_a_classification_in_detail(viewer):
    label = classification(color="amber")
    data = check_ok(viewer.get(f"{URL}/{label.pk}"))
    assert (data["name"], data["risk_level"], data["color"]) == ("super_admin", "critical", "amber")


def test_the_cache_of_rules_is_cleared(viewer, administrator):
    from classification.rules import active_rules

    rule(classification())
    active_rules()
    stats = check_ok(viewer.get("/api/v1/cache/classification/stats"))
    assert (stats["mysql"]["cached"], stats["mysql"]["rules"]) == (True, 1)
    url = "/api/v1/cache/actions/clear-classification"
    assert check_ok(administrator.post(url, {"db_type": "mysql"}))["cleared"] == 2
    assert check_ok(viewer.get("/api/v1/cache/stats"))["classification"]["mysql"]["cached"] is False
    assert "db_type" in errors(administrator.post(url, {"db_type": "db2"}))
