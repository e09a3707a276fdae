"""Callers of the API: one client per role, and one without a login."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework.test import APIClient

from whalefall.auth import ROLES
from whalefall.models import ApiToken, User

PASSWORD = "orca-swims-deep-7"


def person(name: str, role: str | None = None, **fields: Any) -> User:
    user = User.objects.create_user(name, password=PASSWORD, **fields)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def client_of(user: User | None = None, **options: Any) -> APIClient:
    client = APIClient(raise_request_exception=False, **options)
    if user:
        client.force_login(user)
    return client


def token_client(user: User, scope: str = "full") -> APIClient:
    """A program with a token of this person, and no cookie."""
    in_a_week = timezone.now() + timedelta(days=7)
    _token, text = ApiToken.objects.issue(user, "script", scope, in_a_week)
    client = client_of(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.fixture(autouse=True)
def _cheap_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def nobody(db) -> APIClient:
    return client_of()


@pytest.fixture
def viewer(db) -> APIClient:
    return client_of(person("vera", "viewer"))


@pytest.fixture
def operator(db) -> APIClient:
    return client_of(person("otto", "operator"))


@pytest.fixture
def administrator(db) -> APIClient:
    return client_of(person("ada", "administrator"))


@pytest.fixture
def everyone(nobody, viewer, operator, administrator) -> dict[str | None, APIClient]:
    return dict(zip((None, *ROLES), (nobody, viewer, operator, administrator), strict=True))
