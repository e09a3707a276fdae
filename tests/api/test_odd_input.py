"""Whatever is sent, the answer is never a 500."""

from __future__ import annotations

import json

import pytest

from tests.api.cast import account, classification, credential, instance
from tests.api.endpoints import ENDPOINTS

pytestmark = pytest.mark.django_db

ODD = [
    None,
    [],
    [[]],
    7,
    "text",
    {"name": None},
    {"name": "\x00", "host": "\x00", "username": "\x00", "rule_name": "\x00"},
    {"name": "\ud800", "description": "\ud800", "username": "\ud800"},
    {"\ud800": 1},
    {"db_type": "\ud800", "account_scope": "\ud800", "risk_level": "\ud800", "color": "\ud800"},
    {"instance_ids": ["x", None, {}, -1, 10**30]},
    {"instance_id": 10**30, "account_id": 10**30, "classification_id": -1, "rule_id": 10**30},
    {"items": [{"name": "\x00", "db_type": "mysql", "host": "\x00"}], "partial": True},
    {"items": [{"name": {}, "db_type": [], "host": None}]},
    {"items": [{"name": "n" * 9999, "db_type": "mysql", "host": "h", "port": 10**30}]},
    {"db_type": "mysql", "rule_expression": {"version": 4, "expr": {"op": [], "args": {}}}},
    {"db_type": "mysql", "rule_expression": {"version": 4.0, "expr": {"fn": {}}}},
    {
        "db_type": "mysql",
        "rule_expression": {
            "version": 4,
            "expr": {"fn": "has_role", "args": {"name": "a\x00\ud800"}},
        },
    },
]
QUERIES = ["search=%00", "page=%00", "tags=%00", "instance=%00", "sort=%00", "privilege=%00"]
WRITES = [path for (method, path) in ENDPOINTS if method == "POST" and "{" not in path]
LISTS = [path for (method, path) in ENDPOINTS if method == "GET" and "{" not in path]


def send(method, url, body):
    """As JSON with escapes: half of a surrogate pair has no UTF-8."""
    return method(url, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("path", WRITES)
def test_odd_bodies(administrator, path):
    for body in ODD:
        response = send(administrator.post, f"/api/v1{path}", body)
        assert response.status_code < 500, (body, response.content)


@pytest.mark.parametrize("kind", ["instances", "credentials", "accounts/classifications"])
def test_odd_changes(administrator, kind):
    made = {
        "instances": instance,
        "credentials": credential,
        "accounts/classifications": classification,
    }
    url = f"/api/v1/{kind}/{made[kind]().pk}"
    for body in ODD:
        assert send(administrator.put, url, body).status_code < 500, body


@pytest.mark.parametrize("path", LISTS)
def test_odd_queries(administrator, path):
    account()
    for query in QUERIES:
        response = administrator.get(f"/api/v1{path}?{query}")
        # 503 is how /health/detailed says that no worker is alive.
        assert response.status_code in (200, 400, 503), (query, response.content)
