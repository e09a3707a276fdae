"""Each endpoint x each caller: the right status, in the envelope."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from tests.api.conftest import person, token_client
from tests.api.endpoints import ENDPOINTS, LOGIN, NOT_BY_TOKEN, OUTSIDE, PUBLIC, VIEW
from tests.api.envelope import check_failed
from whalefall.auth import RIGHTS, ROLES

BASE = "api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
# The login asks for a CSRF token, whoever comes.
BY_TOKEN = {key: right for key, right in ENDPOINTS.items() if key[1] != "/auth/login"}
# They look at no login, not even at a wrong one.
PROBES = {"/health", "/health/ping", "/health/basic"}
# Schema and page for people, no part of the envelope.
DOCUMENTS = {"openapi", "docs", "no-such-path"}


def patterns(resolver=None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for found in (resolver or get_resolver()).url_patterns:
        path = before + str(found.pattern).lstrip("^")
        if hasattr(found, "url_patterns"):
            yield from patterns(found, path)
        else:
            yield path, found


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of everything that the URLs lead to."""
    for path, pattern in patterns():
        if path.startswith(BASE) and pattern.name not in DOCUMENTS:
            path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path[len(BASE) :])
            methods = getattr(pattern.callback, "actions", None) or ()
            allowed = getattr(pattern.callback.cls, "http_method_names", METHODS)
            for method in methods:
                if method in METHODS and method in allowed:
                    yield method.upper(), path.removesuffix("$").removesuffix("\\Z")


def may(role: str | None, right: str) -> bool:
    if role is None or right in (PUBLIC, LOGIN):
        return right == PUBLIC or (right == LOGIN and role is not None)
    return ROLES.index(role) >= ROLES.index(RIGHTS[right])


def address(path: str) -> str:
    """The path with placeholders filled in so that nothing is found behind it."""
    nowhere = {"{session_id}": "6b6b37a1-0000-4000-8000-000000000000", "{db_type}": "mysql"}
    for placeholder, value in nowhere.items():
        path = path.replace(placeholder, value)
    return "/" + BASE + re.sub(r"\{\w+\}", "999999", path)


def test_every_endpoint_stands_in_the_table():
    assert sorted(set(routes())) == sorted(ENDPOINTS)


@pytest.mark.parametrize(("endpoint", "right"), ENDPOINTS.items(), ids=lambda v: "".join(v))
def test_an_endpoint_asks_for_its_right(everyone, endpoint, right):
    method, path = endpoint
    for role, client in everyone.items():
        response = getattr(client, method.lower())(address(path), {})
        if may(role, right):
            assert response.status_code not in (401, 403, 405, 500), (role, response.content)
        elif role is None:
            check_failed(response, 401, "AUTHENTICATION_REQUIRED")
        else:
            check_failed(response, 403, "PERMISSION_REQUIRED")


@pytest.mark.parametrize(("endpoint", "right"), ENDPOINTS.items(), ids=lambda v: "".join(v))
def test_the_browsable_api_asks_for_the_same_right(everyone, endpoint, right):
    method, path = endpoint
    for role, client in everyone.items():
        response = getattr(client, method.lower())(address(path), {}, HTTP_ACCEPT="text/html")
        refused = response.status_code in (401, 403)
        assert refused is not may(role, right), (role, response.status_code)
        # 503 is how /health/detailed says that no worker is alive.
        assert response.status_code < 500 or path == "/health/detailed", (role, response.content)


def token_callers() -> list[tuple[APIClient, str | None, str]]:
    """Programs: a full token of each role, a read-only one of the administrator, a revoked one."""
    people = {role: person(role, role) for role in ROLES}
    full = [(token_client(people[role]), role, "full") for role in ROLES]
    ada = people["administrator"]
    revoked = token_client(ada)
    ada.api_tokens.first().revoke()
    return [*full, (token_client(ada, "read"), "administrator", "read"), (revoked, None, "full")]


@pytest.mark.django_db
@pytest.mark.parametrize(("endpoint", "right"), BY_TOKEN.items(), ids=lambda v: "".join(v))
def test_a_token_may_what_its_person_and_its_scope_may(endpoint, right):
    method, path = endpoint
    only_reads = method == "GET" or right in (VIEW, PUBLIC)
    for client, role, scope in token_callers():
        response = getattr(client, method.lower())(address(path), {})
        if role is None and path not in PROBES:
            check_failed(response, 401, "AUTHENTICATION_REQUIRED")
        elif (
            may(role or "viewer", right)
            and endpoint not in NOT_BY_TOKEN
            and (scope == "full" or only_reads)
        ):
            assert response.status_code not in (401, 403, 405, 500), response.content
        else:
            check_failed(response, 403, "PERMISSION_REQUIRED")


def test_every_other_address_stands_in_the_other_table():
    console = "admin/"
    others = {path for path, pattern in patterns() if not path.startswith(console)}
    api = {path for path, pattern in patterns() if getattr(pattern.callback, "actions", None)}
    assert others - api == set(OUTSIDE)


@pytest.mark.parametrize(("path", "right"), OUTSIDE.items())
def test_another_address_asks_for_its_right(everyone, path, right):
    for role, client in everyone.items():
        response = client.get("/" + path.removesuffix("(?:/|$)"))
        # Pages send strangers to the login, and single sign-on is not set up here.
        refused = response.status_code == 401 or "/admin/login/" in response.get("Location", "")
        assert refused is not may(role, right), (role, response.status_code)
        assert response.status_code < 500, response.content
