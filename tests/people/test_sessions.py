"""Logins: how they begin, how long they last, what ends them."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.test import Client

from tests.api.conftest import PASSWORD, client_of, person
from tests.api.envelope import check_failed, check_ok
from whalefall import idle
from whalefall.models import Login, User

pytestmark = pytest.mark.django_db
ME = "/api/v1/auth/me"
MINUTE, HOUR = 60, 3600


@pytest.fixture
def clock(monkeypatch):
    """`clock(seconds)` goes on by so much."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(idle.time, "time", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


@pytest.fixture
def vera(clock):
    return client_of(person("vera", "viewer"))


def test_a_login_that_is_used_goes_on(vera, clock):
    for _time in range(20):
        clock(29 * MINUTE)
        check_ok(vera.get(ME))


def test_a_login_that_is_left_alone_ends(vera, clock):
    clock(31 * MINUTE)
    check_failed(vera.get(ME), 401, "AUTHENTICATION_REQUIRED")
    clock(-31 * MINUTE)
    check_failed(vera.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_a_login_ends_after_half_a_day_however_it_is_used(vera, clock):
    for _time in range(24):
        check_ok(vera.get(ME))
        clock(30 * MINUTE)
    clock(1)
    check_failed(vera.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_the_console_asks_to_log_in_again(clock):
    client = Client()
    client.force_login(person("vera", "viewer"))
    clock(31 * MINUTE)
    assert client.get("/admin/").url == "/admin/login/?next=/admin/"


def test_requests_within_a_minute_write_nothing(vera, clock, django_assert_num_queries):
    clock(59)
    with django_assert_num_queries(3):  # the session, the person, the roles
        check_ok(vera.get(ME))


def test_a_session_from_before_begins_now(vera, clock):
    session = vera.session
    del session[idle.BEGAN], session[idle.SEEN]
    session.save()
    check_ok(vera.get(ME))
    clock(13 * HOUR)
    check_failed(vera.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_a_login_gets_a_new_session():
    client = Client()
    session = client.session
    session["x"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    person("vera", "viewer")
    client.post("/admin/login/", {"username": "vera", "password": PASSWORD})
    assert client.session.session_key != before
    assert not Login.objects.filter(session_key=before).exists()


def test_a_logout_leaves_no_session(vera):
    key = vera.session.session_key
    check_ok(vera.post("/api/v1/auth/logout"))
    assert not Login.objects.filter(session_key=key).exists()


def test_another_role_counts_at_the_next_request(vera):
    User.objects.get(username="vera").groups.clear()
    check_failed(vera.get("/api/v1/tags"), 403, "PERMISSION_REQUIRED")


def test_a_disabled_person_is_out_at_once(vera):
    User.objects.update(is_active=False)
    check_failed(vera.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_sessions_that_ended_are_pruned(vera):
    Login.objects.update(expire_date="2020-01-01T00:00Z")
    call_command("prune_history", as_json=True)
    assert not Login.objects.exists()


@pytest.mark.parametrize("word", ["short-one-7", "12345678901234", "password1234", "vera-smith-1"])
def test_a_weak_password_is_refused(word):
    user = person("vera-smith", "viewer")
    body = {"old_password": PASSWORD, "new_password": word}
    answer = client_of(user).post("/api/v1/auth/change-password", body)
    check_failed(answer, 400, "PASSWORD_INVALID")


@pytest.mark.parametrize(("length", "status"), [(128, 200), (129, 400)])
def test_a_password_may_be_a_sentence_and_no_book(length, status):
    word = ("orca swims deep " * 9)[:length]
    body = {"old_password": PASSWORD, "new_password": word}
    answer = client_of(person("vera", "viewer")).post("/api/v1/auth/change-password", body)
    assert answer.status_code == status, answer.content


def test_passwords_are_hashed_with_argon2_and_older_ones_renewed(settings):
    settings.PASSWORD_HASHERS = [
        f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("Argon2", "MD5")
    ]
    user = User(username="vera")
    user.password = make_password("long-enough-7", hasher="md5")
    user.save()
    assert user.check_password("long-enough-7")
    assert User.objects.get().password.startswith("argon2$argon2id$")
