"""Too many wrong passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt

from tests.api.conftest import PASSWORD, client_of, person
from tests.api.envelope import check_failed, check_ok

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def vera(settings):
    settings.AXES_FAILURE_LIMIT = 3
    return person("vera", "viewer")


def log_in(word: str = "wrong", name: str = "vera", **headers: str):
    return client_of().post(LOGIN, {"username": name, "password": word}, **headers)


def lock_out(**headers: str) -> None:
    for _try in range(3):
        log_in(**headers)


def test_the_last_try_allowed_is_answered_with_a_pause():
    answers = [log_in() for _try in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    body = check_failed(answers[2], 429, "RATE_LIMIT_EXCEEDED")
    assert body["message"] == "Too many wrong passwords. Try again in 15 minutes."
    assert 890 < int(answers[2]["Retry-After"]) <= 900


def test_the_right_password_does_not_help_during_the_pause():
    lock_out()
    check_failed(log_in(PASSWORD), 429, "RATE_LIMIT_EXCEEDED")


def test_tries_during_the_pause_do_not_lengthen_it():
    lock_out()
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - MINUTE)
    log_in()
    assert int(log_in()["Retry-After"]) <= 840


def test_after_the_pause_the_right_password_lets_in(settings):
    lock_out()
    AccessAttempt.objects.update(
        attempt_time=AccessAttempt.objects.get().attempt_time - settings.AXES_COOLOFF_TIME
    )
    check_ok(log_in(PASSWORD))


def test_a_login_forgets_the_wrong_ones_before_it():
    log_in()
    log_in()
    check_ok(log_in(PASSWORD))
    assert log_in().status_code == 401


def test_nobody_is_locked_out_by_tries_from_elsewhere():
    lock_out(REMOTE_ADDR="192.0.2.7")
    check_ok(log_in(PASSWORD, REMOTE_ADDR="192.0.2.8"))


def test_another_person_at_the_same_address_is_let_in():
    person("otto", "operator")
    lock_out()
    check_ok(log_in(PASSWORD, "otto"))


def test_behind_a_proxy_the_address_it_saw_counts(settings):
    settings.PROXIES = 1
    lock_out(HTTP_X_FORWARDED_FOR="203.0.113.5, 192.0.2.7")
    made_up = log_in(PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.99, 192.0.2.7")
    check_failed(made_up, 429, "RATE_LIMIT_EXCEEDED")
    check_ok(log_in(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.8"))


def test_without_a_proxy_the_header_counts_for_nothing():
    lock_out(HTTP_X_FORWARDED_FOR="192.0.2.7")
    check_failed(log_in(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.8"), 429, "RATE_LIMIT_EXCEEDED")


@pytest.mark.parametrize("header", ["nonsense", "", " , ", "1.2.3.4:99999"])
def test_a_header_that_is_no_address_harms_nothing(settings, header):
    settings.PROXIES = 1
    check_ok(log_in(PASSWORD, HTTP_X_FORWARDED_FOR=header))


def test_a_wrong_password_is_not_kept():
    log_in("almost-right-secret")
    attempt = AccessAttempt.objects.get()
    assert "almost-right-secret" not in f"{attempt.get_data}{attempt.post_data}"
