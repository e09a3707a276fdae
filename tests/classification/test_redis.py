"""With a real Redis that dies, hangs or forgets in the middle: nothing changes but speed."""

import os
from contextlib import contextmanager
from typing import ClassVar

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django_redis.cache import RedisCache

from classification.classify import classify
from classification.models import AccountClassificationAssignment as Assignment
from classification.models import ClassificationRule
from classification.rules import active_rules, cache_stats
from tests.api.conftest import client_of, person
from tests.api.envelope import check_ok
from tests.classification import cast
from tests.classification.cast import call, text
from tests.servers.base import Unavailable
from tests.servers.redis import RedisServer
from whalefall.settings import redis_cache

pytestmark = pytest.mark.django_db

API = "/api/v1/accounts/classifications"


@pytest.fixture(scope="module")
def server():
    with_redis = RedisServer()
    try:
        with_redis.start()
    except Unavailable as exc:
        with_redis.stop()
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(exc))
    yield with_redis
    with_redis.stop()


@pytest.fixture
def redis(server, settings):
    """It runs, is empty, and is the cache, as REDIS_URL makes it, with less patience."""
    if server.process is None:
        server.start()
    configured = redis_cache(server.url)
    configured["OPTIONS"] |= {"SOCKET_CONNECT_TIMEOUT": 0.05, "SOCKET_TIMEOUT": 0.05}
    settings.CACHES = {"default": configured}
    cache.clear()
    yield server
    server.resume()
    caches.close_all()


HARM = {
    "killed": lambda redis: redis.kill(),
    "hanging": lambda redis: redis.pause(),
    "emptied": lambda redis: cache.clear(),
}


@pytest.fixture(params=HARM)
def harm(request, redis):
    return lambda: HARM[request.param](redis)


@pytest.fixture
def orders():
    """Superusers and readers on an instance, and the rules that find them."""
    orders = cast.instance()
    cast.rule("superusers", cast.classification(), call("is_superuser"))
    reads = call("has_privilege", name="SELECT", scope="global")
    cast.rule("readers", cast.classification("reader"), reads)
    for i in range(4):
        cast.account(orders, f"dba{i}@%", "cap:SUPERUSER")
        cast.account(orders, f"app{i}@%", "priv:global:SELECT")
    return orders


def given():
    found = Assignment.objects.active().values_list(
        "account__account__username", "classification__name", "evidence"
    )
    return sorted(found, key=str)


def expected():
    found = {"dba": ("super_admin", "superusers", "cap:SUPERUSER")}
    found["app"] = ("reader", "readers", "priv:global:SELECT")
    return [
        (f"{kind}{i}@%", gives, {"rules": [entry(name, token)]})
        for kind, (gives, name, token) in sorted(found.items())
        for i in range(4)
    ]


def entry(name, token):
    rule = ClassificationRule.objects.get(rule_name=name)
    return {"rule": rule.pk, "fingerprint": rule.fingerprint, "tokens": [token]}


@contextmanager
def before_statement(part, act):
    """Calls `act` once, before the first statement to the store that has `part` in it."""
    acts = iter([act])

    def watch(execute, sql, params, many, context):
        if part in sql:
            next(acts, lambda: None)()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    assert next(acts, None) is None, f"no statement has {part}"


def test_the_rules_are_kept_in_redis_whole_and_by_engine(redis, orders):
    active_rules()
    assert sorted(key.split(":")[2] for key in cache.iter_keys("classification:*")) == [
        "all",
        "mysql",
    ]
    assert cache_stats()["all"]["rules"] == cache_stats()["mysql"]["rules"] == 2


STAMPS, RULES = "string_agg", 'FROM "classification_rules"'
WRITES = "INSERT INTO account_classification_assignments"
MOMENTS = [(True, STAMPS), (False, STAMPS), (False, RULES), (True, WRITES)]


@pytest.mark.parametrize(("is_warm", "statement"), MOMENTS)
def test_a_run_gives_the_same_whatever_befalls_redis(harm, orders, is_warm, statement):
    if is_warm:
        active_rules()
    with before_statement(statement, harm):
        assert classify().added == 8
    assert given() == expected()
    assert classify().added == 0


def test_a_rule_that_is_changed_while_redis_is_away_counts_when_it_is_back(redis, orders):
    active_rules()
    redis.pause()
    changed = text(call("has_privilege", name="SELECT", scope="global"))
    ClassificationRule.objects.filter(rule_name="superusers").update(rule_expression=changed)
    redis.resume()
    classify()
    assert {row[0][:3] for row in given() if row[1] == "super_admin"} == {"app"}


def test_the_api_answers_the_same_whatever_befalls_redis(harm, orders):
    client = client_of(person("ada", "administrator"))
    ask = [
        lambda: client.get("/api/v1/cache/stats"),
        lambda: client.get("/api/v1/cache/classification/stats"),
        lambda: client.post("/api/v1/cache/actions/clear-classification", {}),
        lambda: client.get(f"{API}/rules"),
        lambda: client.post(f"{API}/actions/auto-classify", {"instance_id": orders.pk}),
        lambda: client.get(f"{API}/assignments"),
    ]
    active_rules()
    for number, each in enumerate(ask):
        if number == 1:
            harm()
        check_ok(each())
    assert given() == expected()


def test_a_rule_that_is_made_while_redis_is_away_counts_at_once(harm, orders):
    client = client_of(person("ada", "administrator"))
    active_rules()
    harm()
    gives = cast.classification("locked")
    body = {"db_type": "mysql", "rule_name": "locked", "classification": gives.pk}
    body["rule_expression"] = {"version": 4, "expr": call("is_locked")}
    check_ok(client.post(f"{API}/rules", body), 201)
    data = check_ok(client.post(f"{API}/actions/auto-classify", {"instance_id": orders.pk}))
    assert sorted(rule["name"] for rule in data["rules"]) == ["locked", "readers", "superusers"]


class Counting(RedisCache):
    asked: ClassVar[list[str]] = []

    def get(self, *args, **options):
        self.asked.append("get")
        return super().get(*args, **options)

    def set_many(self, *args, **options):
        self.asked.append("set_many")
        return super().set_many(*args, **options)


def test_a_hanging_redis_costs_a_run_two_timeouts(redis, orders, settings):
    """Whatever the number of rules."""
    path = f"{__name__}.{Counting.__name__}"
    settings.CACHES = {"default": settings.CACHES["default"] | {"BACKEND": path}}
    redis.pause()
    classify()
    assert Counting.asked == ["get", "set_many"]
