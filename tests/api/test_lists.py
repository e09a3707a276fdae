"""All lists alike: the same number of queries for 10 rows and for 1,000, in the API and the
console, and the same answers to what they do not know.
"""

from __future__ import annotations

import re
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import InstanceAccount
from capacity.models import InstanceDatabase
from sync.models import SyncSession
from tests.api.conftest import person
from tests.api.envelope import errors
from tests.many import fill

pytestmark = pytest.mark.django_db
FEW, MANY = 10, 1_000
MOST = 40
# What a list asks for before it answers.
NEEDED = {
    "/accounts/access": {"privilege": "SELECT"},
    "/accounts/compare": {"left": "{account}", "right": "{account}"},
}
# Lists without pages, and numbers about all rows.
WHOLE = (
    *("/accounts/statistics", "/accounts/statistics/classifications"),
    *("/accounts/statistics/db-types", "/accounts/statistics/history"),
    *("/accounts/statistics/rules", "/accounts/statistics/summary"),
    *("/capacity/databases/summary", "/capacity/instances/summary", "/capacity/tags"),
    *("/instances/options", "/instances/statistics", "/logs/modules", "/logs/statistics"),
    *("/scheduler/jobs", "/tags/bulk/tags", "/tags/categories", "/tags/options", "/users/stats"),
)


def described() -> dict[str, dict[str, Any]]:
    """Path -> name of a parameter -> its schema, of every GET."""
    text = StringIO()
    call_command("spectacular", stdout=text)
    return {
        path.removeprefix("/api/v1"): {
            each["name"]: each["schema"] for each in methods["get"].get("parameters", ())
        }
        for path, methods in yaml.safe_load(text.getvalue())["paths"].items()
        if "get" in methods
    }


DESCRIBED = described()
PAGED = sorted(path for path, names in DESCRIBED.items() if "page" in names)
SORTED = sorted(path for path in PAGED if "sort" in DESCRIBED[path])
PAGES = {
    model._meta.label: f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
}


def first(model: Any) -> Any:
    return model._base_manager.order_by("pk").first()


def address(path: str, **query: str) -> str:
    """With the keys of rows that have many others below them, and what the list needs."""
    account = str(first(InstanceAccount).pk)
    keys = {"/accounts": account, "/databases": str(first(InstanceDatabase).pk)}
    keys["/sync-sessions"] = str(first(SyncSession).session_id)
    for start, key in keys.items():
        if path.startswith(start):
            path = re.sub(r"\{\w+\}", key, path)
    needed = {k: v.format(account=account) for k, v in NEEDED.get(path, {}).items()}
    return f"/api/v1{path}?{urlencode(needed | query)}"


def asked(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        response = client.get(url)
    assert response.status_code == 200, (url, response.content)
    return len(caught)


def lists() -> dict[str, str]:
    """Addresses of every list of the API, every list of the console, and its start page."""
    found = {path: address(path, limit="200") for path in PAGED}
    found |= {path: address(path) for path in WHOLE}
    found |= {label: reverse(f"admin:{name}_changelist") for label, name in PAGES.items()}
    return found | {"start": "/admin/"}


@pytest.fixture(scope="module")
def counts(django_db_setup, django_db_blocker) -> dict[str, tuple[int, int]]:
    """Queries at FEW rows and at MANY; all of it is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        client = Client()
        client.force_login(person("ada", "administrator"))
        fill(FEW)
        few = {}
        for name, url in lists().items():
            client.get(url)  # the first look fills caches
            few[name] = asked(client, url)
        fill(MANY - FEW)
        many = {}
        for name, url in lists().items():
            many[name] = asked(client, url)
            if many[name] != few[name]:  # what is noted once a minute may have come in between
                many[name] = asked(client, url)
        transaction.set_rollback(True)
    return {name: (few[name], many[name]) for name in few}


@pytest.mark.parametrize("name", [*PAGED, *WHOLE, *PAGES, "start"])
def test_a_list_asks_as_many_queries_for_1000_rows_as_for_10(counts, name):
    few, many = counts[name]
    assert many == few
    assert many <= MOST


REFUSED = {
    "surprise": "1",
    "limit": ("0", "201", "x"),
    "page": ("0", "-1"),
    "sort": "surprise",
    "order": "surprise",
}


@pytest.mark.parametrize("path", PAGED)
def test_a_list_refuses_what_it_does_not_know_and_names_the_choices(administrator, path):
    fill(1)
    for name, values in REFUSED.items():
        for value in [values] if isinstance(values, str) else values:
            found = errors(administrator.get(address(path, **{name: value})))
            assert list(found) == [name], (name, value)
            if name in ("limit", "page"):
                limits = f"Not usable: {value}. Must be a whole number from 1 to "
                assert found[name].startswith(limits)
            else:
                assert "Unknown: " in found[name]
                assert "Must be one of: " in found[name]


@pytest.mark.parametrize("path", SORTED)
def test_a_sorted_list_is_parted_into_pages_that_never_overlap(administrator, path):
    """Most values are equal here: without the key as the last word, order would be up to luck."""
    fill(3)
    whole = administrator.get(address(path)).json()["data"]
    for sort in DESCRIBED[path]["sort"]["enum"]:
        for order in ("asc", "desc"):
            rows = []
            for page in range(1, whole["total"] + 1):
                url = address(path, sort=sort, order=order, limit="1", page=str(page))
                rows += administrator.get(url).json()["data"]["items"]
            assert sorted(map(str, rows)) == sorted(map(str, whole["items"])), (sort, order)


def test_a_value_with_a_percent_sign_is_refused_as_any_other(administrator):
    url = "/api/v1/accounts/classifications/exceptions"
    assert errors(administrator.get(url, {"account": "5%B"}))["account"].startswith("Not a number")
    assert errors(administrator.get("/api/v1/instances", {"status": "5%B"}))["status"].startswith(
        "Unknown: 5%B. Must be one of: "
    )
