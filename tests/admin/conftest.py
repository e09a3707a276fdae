"""The cast: a person of each role, a browser for each, and a small fleet."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.admin import fleet
from whalefall.models import User


def person(role: str, password: str | None = None) -> User:
    """Without a password unless one is given: hashing is slow on purpose."""
    user = User.objects.create_user(role or "nobody", password=password)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def browser(role: str) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


@pytest.fixture
def administrator(db) -> Client:
    return browser("administrator")


@pytest.fixture
def operator(db) -> Client:
    return browser("operator")


@pytest.fixture
def viewer(db) -> Client:
    return browser("viewer")


@pytest.fixture
def nobody(db) -> Client:
    return browser("")


@pytest.fixture
def orders_db(db):
    return fleet.instance("orders-db")


@pytest.fixture
def now():
    return timezone.now()
