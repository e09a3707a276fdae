"""Applying the rules through the API."""

from __future__ import annotations

import pytest

from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
)
from sync import tasks
from sync.models import SyncInstanceRecord, SyncSession
from tests.api.cast import account, classification, instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/accounts/classifications/actions/auto-classify"


@pytest.fixture(autouse=True)
def _nothing_shipped(transactional_db) -> None:
    ClassificationRule.objects.all().delete()
    AccountClassification.objects.update(is_system=False)
    AccountClassification.objects.all().delete()


@pytest.fixture
def rule(_nothing_shipped) -> ClassificationRule:
    return ClassificationRule.objects.create(
        classification=classification(),
        db_type="mysql",
        rule_name="superusers",
        rule_expression={"version": 4, "expr": {"fn": "is_superuser"}},
    )


def given() -> list[str]:
    found = AccountClassificationAssignment.objects.filter(is_active=True)
    return list(found.order_by("pk").values_list("account__account__username", flat=True))


def test_one_instance_in_place(operator, rule):
    orders, stock = instance("orders-db"), instance("stock-db")
    account("here", orders, tokens=("cap:SUPERUSER",))
    account("there", stock, tokens=("cap:SUPERUSER",))
    data = check_ok(operator.post(URL, {"instance_id": orders.pk}))
    assert (data["accounts"], data["added"], data["failed"]) == (1, 1, 0)
    assert data["rules"][0]["matched"] == 1
    assert given() == ["here"]


def test_all_as_a_session_that_a_worker_runs(operator, rule):
    account("dba", tokens=("cap:SUPERUSER",))
    account("app")
    data = check_ok(operator.post(URL, {}), 202)
    assert given() == []
    assert tasks.run_record(SyncInstanceRecord.objects.get().pk) is True
    found = check_ok(operator.get(f"/api/v1/sync-sessions/{data['session_id']}"))
    assert (found["status"], found["sync_category"]) == ("completed", "classification")
    (record,) = found["records"]["items"]
    assert (record["items_synced"], record["items_created"]) == (2, 1)
    assert given() == ["dba"]


def test_a_record_delivered_twice_runs_once(operator, rule):
    account("dba", tokens=("cap:SUPERUSER",))
    check_ok(operator.post(URL, {}), 202)
    pk = SyncInstanceRecord.objects.get().pk
    assert [tasks.run_record(pk), tasks.run_record(pk)] == [True, False]


def test_rules_that_went_away_meanwhile_fail_the_record(operator, rule):
    account("dba")
    check_ok(operator.post(URL, {}), 202)
    rule.delete()
    record = SyncInstanceRecord.objects.get()
    assert tasks.run_record(record.pk) is False
    record.refresh_from_db()
    assert (record.status, record.error_message) == ("failed", "There is no active rule.")


@pytest.mark.parametrize("body", [{"account_scope": "all"}, {"use_optimized": False}])
def test_every_rule_is_asked_again_when_wanted(operator, rule, body):
    orders = instance()
    account("dba", orders, tokens=("cap:SUPERUSER",))
    check_ok(operator.post(URL, {"instance_id": orders.pk}))
    data = check_ok(operator.post(URL, {"instance_id": orders.pk, **body}))
    assert (data["rules"][0]["asked"], data["added"]) == ("all", 0)


def test_without_rules_a_409_says_so(operator):
    account("dba")
    for body in ({}, {"instance_id": instance("other").pk}):
        refusal = check_failed(operator.post(URL, body), 409, "SYNC_DATA_ERROR")
        assert refusal["errors"][0]["code"] == "NO_RULES"
    assert not SyncSession.objects.exists()


def test_without_accounts_a_409_says_so(operator, rule):
    for body in ({}, {"instance_id": instance().pk}):
        refusal = check_failed(operator.post(URL, body), 409, "SYNC_DATA_ERROR")
        assert refusal["errors"][0]["code"] == "NO_ACCOUNTS"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"instance_id": "x"}, "instance_id"),
        ({"instance_id": 0}, "instance_id"),
        ({"instance_id": 999000000}, "instance_id"),
        ({"use_optimized": "perhaps"}, "use_optimized"),
        ({"account_scope": "some"}, "account_scope"),
        ({"instanceid": 1}, "instanceid"),
    ],
)
def test_a_bad_body_is_named(operator, body, path):
    assert list(errors(operator.post(URL, body))) == [path]
