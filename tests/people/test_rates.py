"""Limits: how often, for whom, until when; with Redis, without, and when it went away."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from tests.api.conftest import PASSWORD, client_of, person, token_client
from tests.api.envelope import check_failed, check_ok
from tests.servers.base import Unavailable
from tests.servers.redis import RedisServer
from whalefall import rates
from whalefall.models import RateCount

API = "/api/v1"
CHANGE = f"{API}/auth/change-password"


@pytest.fixture(autouse=True)
def _no_rates(settings) -> None:
    settings.RATES = dict.fromkeys(settings.RATES, "")


@pytest.fixture(scope="module")
def server():
    redis = RedisServer()
    try:
        redis.start()
    except Unavailable as exc:
        redis.stop()
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(exc))
    yield redis
    redis.stop()


@pytest.fixture
def with_redis(server, settings):
    settings.REDIS_URL = server.url
    backend = "django_redis.cache.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": server.url}}
    from django_redis import get_redis_connection

    get_redis_connection("default").flushall()
    return server


@pytest.fixture(params=["store", "redis"])
def counter(request, db) -> str:
    """Every test that asks for it runs without Redis and with it."""
    if request.param == "redis":
        request.getfixturevalue("with_redis")
    return request.param


def set_rate(settings, name: str, text: str) -> None:
    settings.RATES = {**settings.RATES, name: text}


def check_limited(response) -> int:
    """Seconds to wait, by the header; the message says the same."""
    body = check_failed(response, 429, "RATE_LIMIT_EXCEEDED")
    seconds = int(response["Retry-After"])
    assert f"Try again in {seconds} second" in body["message"]
    return seconds


def test_a_window_has_room_for_so_many_and_says_when_it_ends(counter):
    found = [rates.count("x", 60) for _try in range(3)]
    assert [hits for hits, _wait in found] == [1, 2, 3]
    assert all(58 < wait <= 60 for _hits, wait in found)


def test_two_people_do_not_count_together(counter):
    assert [rates.count(key, 60)[0] for key in ("a", "b", "a")] == [1, 1, 2]


def test_a_window_that_ended_begins_anew(counter):
    rates.count("x", 60)
    RateCount.objects.update(ends_at="2020-01-01T00:00Z")
    if counter == "redis":
        from django_redis import get_redis_connection

        get_redis_connection("default").pexpire("whalefall:rate:x", 0)
    assert rates.count("x", 60)[0] == 1


def test_where_there_is_redis_the_store_is_not_asked(with_redis, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        rates.count("x", 60)


def test_the_store_is_asked_once(db, django_assert_num_queries):
    for _try in range(2):
        with django_assert_num_queries(1):
            rates.count("x", 60)


def test_without_its_redis_the_store_counts(with_redis, settings, db):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9"}}
    assert [rates.count("x", 60)[0] for _try in range(2)] == [1, 2]
    assert RateCount.objects.get().hits == 2


@pytest.mark.django_db(transaction=True)
def test_nobody_slips_through_side_by_side():
    def one(_number: int) -> int:
        try:
            return rates.count("x", 60)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(40))) == list(range(1, 41))


@pytest.mark.parametrize("text", ["30", "m", "30/x", "-1/m", "1/1.5m", "30 / m"])
def test_a_rate_that_is_none_is_named(settings, text):
    set_rate(settings, "api", text)
    with pytest.raises(ImproperlyConfigured, match="Not a rate"):
        rates.limit("api")


@pytest.mark.parametrize(("text", "hits", "seconds"), [("30/m", 30, 60), ("10/15m", 10, 900)])
def test_a_rate_is_hits_per_time(settings, text, hits, seconds):
    set_rate(settings, "api", text)
    assert rates.limit("api") == rates.Limit(hits, seconds)


def test_a_person_has_so_many_requests_to_the_api(counter, settings):
    set_rate(settings, "api", "2/m")
    vera, otto = client_of(person("vera", "viewer")), client_of(person("otto", "operator"))
    check_ok(vera.get(f"{API}/auth/me"))
    check_ok(vera.get(f"{API}/tags"))
    assert 58 < check_limited(vera.get(f"{API}/instances")) <= 60
    check_ok(otto.get(f"{API}/instances"))


def test_a_token_counts_for_its_person(db, settings):
    set_rate(settings, "api", "2/m")
    vera = person("vera", "viewer")
    check_ok(client_of(vera).get(f"{API}/tags"))
    check_ok(token_client(vera).get(f"{API}/tags"))
    check_limited(token_client(vera).get(f"{API}/tags"))


def test_probes_are_never_limited(db, settings):
    set_rate(settings, "api", "1/m")
    for _try in range(3):
        check_ok(client_of().get(f"{API}/health/ping"))


def test_logins_from_one_address_are_limited_whatever_the_name(counter, settings):
    set_rate(settings, "login", "2/m")
    for name in ("a", "b"):
        body = {"username": name, "password": "x"}
        check_failed(client_of().post(f"{API}/auth/login", body), 401, "INVALID_CREDENTIALS")
    person("vera", "viewer")
    body = {"username": "vera", "password": PASSWORD}
    check_limited(client_of().post(f"{API}/auth/login", body))
    check_ok(client_of().post(f"{API}/auth/login", body, REMOTE_ADDR="192.0.2.8"))


def test_the_login_page_counts_with_the_api(client, db, settings):
    set_rate(settings, "login", "1/m")
    client_of().post(f"{API}/auth/login", {"username": "a", "password": "x"})
    answer = client.post("/admin/login/", {"username": "b", "password": "x"})
    assert answer.status_code == 429
    assert 58 < int(answer["Retry-After"]) <= 60
    assert "Too many requests. Try again in" in answer.content.decode()


def test_guesses_of_the_old_password_are_limited(db, settings):
    set_rate(settings, "password", "2/15m")
    vera = client_of(person("vera", "viewer"))
    guess = {"old_password": "guess", "new_password": "a-whale-of-a-word-9"}
    for _try in range(2):
        check_failed(vera.post(CHANGE, guess), 400, "PASSWORD_INVALID")
    assert check_limited(vera.post(CHANGE, {**guess, "old_password": PASSWORD})) > 890
    form = {"old_password": PASSWORD, "new_password1": "x", "new_password2": "x"}
    assert vera.post("/admin/password_change/", form, format="multipart").status_code == 429
    check_ok(vera.get(f"{API}/auth/me"))


def test_new_tokens_are_limited(db, settings):
    set_rate(settings, "tokens", "1/h")
    vera = client_of(person("vera", "viewer"))
    check_ok(vera.post(f"{API}/auth/tokens", {"name": "one"}), 201)
    assert check_limited(vera.post(f"{API}/auth/tokens", {"name": "two"})) > 3590
    check_ok(vera.get(f"{API}/auth/tokens"))


def test_connection_tests_are_limited_together(db, settings):
    set_rate(settings, "connections", "2/m")
    otto = client_of(person("otto", "operator"))
    actions = f"{API}/instances/actions"
    parameters = {"db_type": "mysql", "host": "127.0.0.1", "port": 9}
    parameters |= {"username": "x", "password": "y"}
    check_ok(otto.post(f"{actions}/validate-connection-params", parameters))
    check_failed(
        otto.post(f"{actions}/test-connection", parameters), 409, "DATABASE_CONNECTION_ERROR"
    )
    check_limited(otto.post(f"{actions}/test-connection", parameters))


def test_who_may_not_anyway_is_told_so_and_not_counted(db, settings):
    set_rate(settings, "connections", "1/m")
    vera = client_of(person("vera", "viewer"))
    for _try in range(3):
        answer = vera.post(f"{API}/instances/actions/test-connection", {})
        check_failed(answer, 403, "PERMISSION_REQUIRED")


def test_windows_that_ended_are_pruned(db):
    rates.count("old", 60)
    rates.count("new", 60)
    old = RateCount.objects.get(key="old")
    RateCount.objects.filter(key="old").update(ends_at=old.ends_at - timedelta(minutes=2))
    call_command("prune_history", verbosity=0, as_json=True)
    assert RateCount.objects.get().key == "new"
