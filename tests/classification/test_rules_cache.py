import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classification.models import AccountClassification, ClassificationRule
from classification.rules import active_rules, cache_stats, clear_cache
from tests.classification import cast
from tests.classification.cast import call, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def superusers():
    return cast.rule("superusers", cast.classification(), call("is_superuser"))


def names():
    return [rule.name for rule in active_rules()]


def test_the_second_time_costs_one_query(superusers):
    active_rules()
    with CaptureQueriesContext(connection) as queries:
        assert names() == ["superusers"]
    assert len(queries) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"rule_name": "others"},
        {"rule_expression": text(call("is_locked"))},
        {"is_active": False},
    ],
)
def test_a_change_that_no_signal_tells_of_is_seen_at_once(superusers, change):
    before = active_rules()
    ClassificationRule.objects.filter(pk=superusers.pk).update(**change)
    assert active_rules() != before


def test_a_classification_that_is_switched_off_takes_its_rules_along(superusers):
    active_rules()
    AccountClassification.objects.update(is_active=False)
    assert active_rules() == []


def test_a_dead_cache_does_no_harm(superusers, monkeypatch):
    def dead(*args, **options):
        raise ConnectionError("no cache today")

    for name in ("get_many", "set_many", "delete_many"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, dead)
    assert names() == ["superusers"]
    assert clear_cache() == 0
    assert cache_stats()["mysql"]["cached"] is False


def test_the_cache_can_be_looked_at_and_cleared(superusers):
    cast.rule("pg", cast.classification("pg"), call("is_superuser"), "postgresql")
    active_rules()
    assert cache_stats()["mysql"] | {"stamp": ""} == {"stamp": "", "cached": True, "rules": 1}
    assert clear_cache("mysql") == 1
    assert cache_stats()["mysql"]["cached"] is False
    assert cache_stats()["postgresql"]["cached"] is True


def test_classifications_of_high_priority_come_first():
    cast.rule("low", cast.classification("low", priority=1), call("is_locked"))
    cast.rule("high", cast.classification("high", priority=9), call("is_superuser"))
    assert names() == ["high", "low"]
