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

    for name in ("get", "get_many", "set_many", "delete_many"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, dead)
    assert names() == ["superusers"]
    assert clear_cache() == 0
    assert cache_stats()["mysql"]["cached"] is False


def test_the_cache_can_be_looked_at_and_cleared(superusers):
    cast.rule("pg", cast.classification("pg"), call("is_superuser"), "postgresql")
    active_rules()
    assert cache_stats()["mysql"] | {"stamp": ""} == {"stamp": "", "cached": True, "rules": 1}
    assert cache_stats()["all"]["rules"] == 2
    assert clear_cache("mysql") == 2  # its own rules, and those of all
    assert cache_stats()["mysql"]["cached"] is False
    assert cache_stats()["postgresql"]["cached"] is True


def test_the_rules_of_one_engine_come_from_what_was_read_for_all(superusers):
    cast.rule("pg", cast.classification("pg"), call("is_superuser"), "postgresql")
    active_rules()
    with CaptureQueriesContext(connection) as queries:
        assert [rule.name for rule in active_rules("postgresql")] == ["pg"]
        assert active_rules("oracle") == []
    assert len(queries) == 2


def test_the_rules_of_one_engine_are_read_alone(superusers):
    cast.rule("pg", cast.classification("pg"), call("is_superuser"), "postgresql")
    assert [rule.name for rule in active_rules("mysql")] == ["superusers"]
    cached = {name: found["cached"] for name, found in cache_stats().items()}
    assert (cached["mysql"], cached["postgresql"], cached["all"]) == (True, False, False)


@pytest.mark.parametrize("entry", ["rubbish", [], [(1, "short")], [(1,) * 7], 7])
def test_what_the_cache_should_not_say_is_not_believed(superusers, entry):
    active_rules()
    stamp = cache_stats()["all"]["stamp"]
    cache.set(f"classification:rules:all:{stamp}", entry)
    assert names() == ["superusers"]


def test_an_entry_of_other_rules_under_the_present_stamp_is_not_believed(superusers):
    """As a writer would leave it who read the rules between an edit and its undoing."""
    active_rules()
    old = cache.get(f"classification:rules:all:{cache_stats()['all']['stamp']}")
    ClassificationRule.objects.update(rule_name="others")
    cache.set(f"classification:rules:all:{cache_stats()['all']['stamp']}", old)
    assert names() == ["others"]


def test_rules_that_are_saved_while_they_are_read_are_not_kept(superusers):
    def edit(execute, sql, params, many, context):
        if "string_agg" in sql:
            return execute(sql, params, many, context)
        with connection.cursor() as cursor:  # past the wrapper's own statement
            cursor.cursor.execute("UPDATE classification_rules SET rule_name = 'others'")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(edit):
        assert names() == ["others"]
    assert cache_stats()["all"]["cached"] is False


def test_classifications_of_high_priority_come_first():
    cast.rule("low", cast.classification("low", priority=1), call("is_locked"))
    cast.rule("high", cast.classification("high", priority=9), call("is_superuser"))
    assert names() == ["high", "low"]
