"""What comes with a product is left out of lists: by patterns that people can change."""

import pytest
from django.db import IntegrityError

from accounts import hidden
from accounts.models import HiddenAccount, InstanceAccount
from tests.accounts.test_access import instance_with, login
from whalefall.engines.hidden import hidden as shipped

pytestmark = pytest.mark.django_db


def shown():
    rows = InstanceAccount.objects.shown().order_by("username")
    return list(rows.values_list("username", flat=True))


@pytest.fixture
def accounts():
    instance_with("a-db", *map(login, ("app", "pg_monitor", "ops_1", "ops")), db_type="postgresql")


def test_the_shipped_patterns_are_there():
    patterns = HiddenAccount.objects.filter(db_type="oracle").values_list("pattern", flat=True)
    assert set(patterns) == set(shipped()["oracle"].accounts)
    assert all(HiddenAccount.objects.values_list("is_shipped", flat=True))


def test_a_pattern_of_ours_hides_what_is_there(accounts):
    pattern = HiddenAccount.objects.create(db_type="postgresql", pattern="ops_*")
    assert shown() == ["app", "ops"]
    pattern.delete()
    assert shown() == ["app", "ops", "ops_1"]


def test_a_pattern_of_ours_hides_what_comes_later():
    HiddenAccount.objects.create(db_type="postgresql", pattern="ops_?")
    instance_with("b-db", *map(login, ("ops_1", "ops_12")), db_type="postgresql")
    assert shown() == ["ops_12"]


def test_a_shipped_pattern_can_be_switched_off(accounts):
    pattern = HiddenAccount.objects.get(db_type="postgresql", pattern="pg_*")
    pattern.is_active = False
    pattern.save()
    assert "pg_monitor" in shown()
    hidden.load()
    pattern.refresh_from_db()
    assert not pattern.is_active


def test_the_patterns_of_an_engine_are_its_own(accounts):
    HiddenAccount.objects.create(db_type="mysql", pattern="ops*")
    assert shown() == ["app", "ops", "ops_1"]


def test_what_is_shipped_no_more_goes(accounts):
    HiddenAccount.objects.create(db_type="postgresql", pattern="ops*", is_shipped=True)
    hidden.load()
    assert shown() == ["app", "ops", "ops_1"]


def test_a_pattern_is_there_once(accounts):
    with pytest.raises(IntegrityError, match="hidden_account_unique"):
        HiddenAccount.objects.create(db_type="postgresql", pattern="pg_*")
