"""`/accounts/classifications/exceptions`, and what accepted risks do to the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classification import daily, risks
from classification.models import RiskException
from tests.api.cast import account, assigned, classification, instance
from tests.api.conftest import client_of, person
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts/classifications/exceptions"
ASSIGNMENTS = "/api/v1/accounts/classifications/assignments"
LEDGER = "/api/v1/accounts/ledgers"


@pytest.fixture
def label():
    return classification()


@pytest.fixture
def dba(label):
    found = account("dba_li@%")
    assigned(found, label)
    return found


def body(label, **fields):
    tomorrow = risks.today() + timedelta(days=1)
    given = {"reason": "migration", "approver": "Vera", "ends_on": tomorrow.isoformat()}
    return given | {"classification": label.pk} | fields


def names(response):
    return [item["username"] for item in check_ok(response)["items"]]


def test_a_risk_is_accepted_for_an_account(operator, label, dba):
    data = check_ok(operator.post(URL, body(label, account=dba.pk)), 201)
    assert (data["state"], data["created_by"], data["username"]) == ("holding", "otto", "dba_li@%")
    assert data["classification_name"] == "super_admin"
    assert names(operator.get(LEDGER, {"risk_level": "critical"})) == []
    (row,) = check_ok(operator.get(LEDGER))["items"]
    assert row["risk_level"] is None
    assert row["classifications"][0]["accepted_until"] == data["ends_on"]


def test_the_assignment_says_who_accepted_it_and_why(operator, label, dba):
    made = check_ok(operator.post(URL, body(label, username_pattern="dba_*")), 201)
    (item,) = check_ok(operator.get(ASSIGNMENTS, {"accepted": "true"}))["items"]
    assert item["accepted"] == {
        "exception_id": made["id"],
        "reason": "migration",
        "approver": "Vera",
        "ends_on": made["ends_on"],
    }
    assert names(operator.get(ASSIGNMENTS, {"accepted": "false"})) == []


def test_the_risk_returns_by_the_clock(operator, label, dba, monkeypatch):
    check_ok(operator.post(URL, body(label, account=dba.pk)), 201)
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    vera = client_of(person("vera", "viewer"))  # the login of before has ended by now
    assert names(vera.get(LEDGER, {"risk_level": "critical"})) == ["dba_li@%"]
    assert names(vera.get(ASSIGNMENTS, {"accepted": "false"})) == ["dba_li@%"]
    (found,) = check_ok(vera.get(URL, {"state": "expired"}))["items"]
    assert found["state"] == "expired"


def test_a_person_ends_it_and_stays_on_record(operator, label, dba):
    made = check_ok(operator.post(URL, body(label, account=dba.pk)), 201)
    ended = check_ok(operator.delete(f"{URL}/{made['id']}"))
    assert (ended["state"], ended["ended_by"]) == ("ended", "otto")
    again = operator.delete(f"{URL}/{made['id']}")
    check_ok(again)
    assert again.json()["message"] == "It had ended before."
    assert names(operator.get(LEDGER, {"risk_level": "critical"})) == ["dba_li@%"]
    assert RiskException.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"ends_on": "2020-01-01", "username_pattern": "*"},
            {"ends_on": "The last day lies in the past."},
        ),
        ({"reason": " "}, {"reason": "This field may not be blank."}),
        ({"approver": ""}, {"approver": "This field may not be blank."}),
        ({}, {"username_pattern": "Give an account or a pattern, one of both."}),
        (
            {"username_pattern": "*", "classification": None},
            {"classification": "Give a classification or a rule, one of both."},
        ),
    ],
)
def test_an_exception_without_its_grounds_is_refused(operator, label, fields, expected):
    assert errors(operator.post(URL, body(label, **fields), format="json")) == expected
    assert not RiskException.objects.exists()


def test_nothing_accepted_is_ever_changed(administrator, label, dba):
    made = check_ok(administrator.post(URL, body(label, account=dba.pk)), 201)
    check_failed(administrator.put(f"{URL}/{made['id']}", {}), 405, "METHOD_NOT_ALLOWED")


def test_the_ledger_is_sorted_by_risk(viewer):
    for level in ("low", "critical", "medium"):
        assigned(account(f"{level}@%"), classification(level, risk_level=level))
    account("none@%")
    found = viewer.get(LEDGER, {"sort": "risk", "order": "desc"})
    assert names(found) == ["critical@%", "medium@%", "low@%", "none@%"]
    assert [row["risk_level"] for row in check_ok(found)["items"]][-2:] == ["low", None]


def test_the_number_of_queries_does_not_grow(operator, label):
    counts = []
    for start, size in ((0, 5), (5, 50)):
        for n in range(start, size):
            who = account(f"user-{n}", instance(f"db-{n}"))
            assigned(who, label)
            check_ok(operator.post(URL, body(label, account=who.pk)), 201)
        for url in (URL, ASSIGNMENTS, LEDGER):
            with CaptureQueriesContext(connection) as queries:
                assert len(check_ok(operator.get(url, {"limit": 200}))["items"]) == size
            counts.append(len(queries))
    assert counts[:3] == counts[3:]


# --- the history of risks and classifications

HISTORY = "/api/v1/accounts/statistics/history"


def test_the_history_is_a_curve_for_each_key(viewer, label, dba):
    daily.count_today()
    (curve,) = check_ok(viewer.get(HISTORY, {"kind": "risk", "key": "critical"}))
    today = risks.today().isoformat()
    assert curve == {
        "key": "critical",
        "name": "critical",
        "points": [{"day": today, "accounts": 1, "accepted": 0}],
    }
    keys = [curve["key"] for curve in check_ok(viewer.get(HISTORY))]
    assert sorted(keys) == ["accepted", "critical", "high", "info", "low", "medium"]


@pytest.mark.parametrize("query", [{"kind": "mood"}, {"days": "0"}, {"days": "x"}, {"kid": "1"}])
def test_a_question_about_history_is_checked(viewer, query):
    assert list(errors(viewer.get(HISTORY, query))) == list(query)
