"""Coming in and going out."""

from __future__ import annotations

import pytest

from tests.api.conftest import PASSWORD, client_of, person
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"


@pytest.fixture
def browser():
    return client_of(enforce_csrf_checks=True)


def token(client) -> dict[str, str]:
    data = check_ok(client.get("/api/v1/auth/csrf-token"))
    return {"HTTP_X_CSRFTOKEN": data["csrf_token"]}


def test_a_person_comes_in_and_goes_out(browser):
    person("vera", "viewer")
    data = check_ok(
        browser.post(LOGIN, {"username": "vera", "password": PASSWORD}, **token(browser))
    )
    assert (data["username"], data["role"], data["rights"]) == ("vera", "viewer", ["view"])
    assert check_ok(browser.get("/api/v1/auth/me"))["username"] == "vera"
    check_ok(browser.post("/api/v1/auth/logout", **token(browser)))
    check_failed(browser.get("/api/v1/auth/me"), 401, "AUTHENTICATION_REQUIRED")


def test_a_login_without_a_csrf_token_is_refused(browser):
    check_failed(browser.post(LOGIN, {"username": "vera", "password": "x"}), 403, "CSRF_MISSING")


def test_a_login_with_a_made_up_csrf_token_is_refused(browser):
    token(browser)
    made_up = {"HTTP_X_CSRFTOKEN": "a" * 32}
    check_failed(
        browser.post(LOGIN, {"username": "v", "password": "x"}, **made_up), 403, "CSRF_INVALID"
    )


def test_a_write_without_a_csrf_token_is_refused(browser):
    browser.force_login(person("ada", "administrator"))
    check_failed(browser.post("/api/v1/auth/logout"), 403, "CSRF_MISSING")


def test_a_wrong_password_and_an_unknown_name_look_alike(browser):
    person("vera")
    answers = [
        check_failed(
            browser.post(LOGIN, {"username": name, "password": "wrong"}, **token(browser)),
            401,
            "INVALID_CREDENTIALS",
        )
        for name in ("vera", "nobody")
    ]
    assert answers[0]["message"] == answers[1]["message"]


def test_a_disabled_account_is_told_to_who_knows_its_password(browser):
    person("dina", is_active=False)
    right, wrong = (
        browser.post(LOGIN, {"username": "dina", "password": word}, **token(browser))
        for word in (PASSWORD, "wrong")
    )
    check_failed(right, 403, "ACCOUNT_DISABLED")
    check_failed(wrong, 401, "INVALID_CREDENTIALS")


def test_a_login_names_what_is_missing(browser):
    found = errors(browser.post(LOGIN, {"username": "vera"}, **token(browser)))
    assert found == {"password": "This field is required."}


def test_a_password_is_changed_and_the_session_goes_on(viewer):
    body = {"old_password": PASSWORD, "new_password": "a-whale-of-a-word-9"}
    check_ok(viewer.post("/api/v1/auth/change-password", body))
    assert check_ok(viewer.get("/api/v1/auth/me"))["username"] == "vera"


def test_a_wrong_old_password_is_named_and_not_shown(viewer):
    body = {"old_password": "not-this-one", "new_password": "a-whale-of-a-word-9"}
    response = viewer.post("/api/v1/auth/change-password", body)
    assert list(errors(response, 400, "PASSWORD_INVALID")) == ["old_password"]
    assert b"not-this-one" not in response.content


def test_a_weak_new_password_is_refused(viewer):
    body = {"old_password": PASSWORD, "new_password": "12345"}
    response = viewer.post("/api/v1/auth/change-password", body)
    assert list(errors(response, 400, "PASSWORD_INVALID")) == ["new_password"]


def test_the_session_says_who_is_there(nobody, operator):
    assert check_ok(nobody.get("/api/v1/auth/session")) == {"authenticated": False, "user": None}
    assert check_ok(operator.get("/api/v1/auth/session"))["user"]["role"] == "operator"


def test_a_person_without_a_role_knows_who_they_are_and_no_more():
    client = client_of(person("rita"))
    assert check_ok(client.get("/api/v1/auth/me"))["rights"] == []
