"""Each endpoint x each caller: the right status, in the envelope."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver

from tests.api.conftest import person, token_client
from tests.api.endpoints import ENDPOINTS, LOGIN, NOT_BY_TOKEN, PUBLIC, VIEW
from tests.api.envelope import check_failed
from whalefall.auth import RIGHTS, ROLES

BASE = "api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
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
        assert response.status_code < 500, (role, response.content)


@pytest.mark.django_db
@pytest.mark.parametrize(("endpoint", "right"), ENDPOINTS.items(), ids=lambda v: "".join(v))
def test_a_token_may_what_its_person_may(endpoint, right):
    method, path = endpoint
    if path == "/auth/login":
        return  # it asks for a CSRF token, whoever comes
    ada, vera = person("ada", "administrator"), person("vera", "viewer")
    reads_only = method == "GET" or right in (VIEW, PUBLIC)
    for client, allowed in (
        (token_client(ada), endpoint not in NOT_BY_TOKEN),
        (token_client(ada, "read"), reads_only),
        (token_client(vera), may("viewer", right) and endpoint not in NOT_BY_TOKEN),
    ):
        response = getattr(client, method.lower())(address(path), {})
        if allowed:
            assert response.status_code not in (401, 403, 405, 500), response.content
        else:
            check_failed(response, 403, "PERMISSION_REQUIRED")
