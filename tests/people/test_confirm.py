"""Who logged in a while ago gives the password once more before people or tokens are touched."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.conftest import PASSWORD, client_of, person, token_client
from tests.api.envelope import check_failed, check_ok
from whalefall import confirm
from whalefall.models import ApiToken, User

pytestmark = pytest.mark.django_db
CONFIRM, TOKENS, USERS = "/api/v1/auth/confirm", "/api/v1/auth/tokens", "/api/v1/users"
NEW = {"username": "newcomer", "password": "a-whale-of-a-word-9"}


@pytest.fixture
def ada():
    return person("ada", "administrator")


def age(client, minutes=31):
    session = client.session
    session[confirm.BEGAN] -= minutes * 60
    session.save()
    return client


@pytest.fixture
def old(ada, settings):
    """Of a login that began 31 minutes ago."""
    settings.SESSION_IDLE = 3600
    return age(client_of(ada))


@pytest.fixture
def page(ada):
    client = Client()
    client.force_login(ada)
    return age(client)


def test_an_old_login_makes_no_token_and_changes_nobody(old, ada):
    answers = (
        old.post(TOKENS, {"name": "script"}),
        old.post(USERS, NEW),
        old.put(f"{USERS}/{ada.pk}", {"username": "eve"}),
        old.delete(f"{USERS}/{ada.pk}"),
    )
    for answer in answers:
        check_failed(answer, 403, "CONFIRMATION_REQUIRED")
    assert not ApiToken.objects.exists()
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_an_old_login_still_looks(old):
    check_ok(old.get(USERS))
    check_ok(old.get(TOKENS))


def test_the_password_makes_it_young_again(old):
    check_failed(old.post(CONFIRM, {"password": "not-her-password"}), 400, "PASSWORD_INVALID")
    check_failed(old.post(TOKENS, {"name": "script"}), 403, "CONFIRMATION_REQUIRED")
    check_ok(old.post(CONFIRM, {"password": PASSWORD}))
    check_ok(old.post(TOKENS, {"name": "script"}), 201)
    check_ok(old.post(USERS, NEW), 201)


def test_wrong_passwords_here_lock_out_as_at_the_door(old, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _time in range(3):
        old.post(CONFIRM, {"password": "not-her-password"})
    assert old.post(CONFIRM, {"password": PASSWORD}).status_code in (400, 429)
    check_failed(old.post(TOKENS, {"name": "script"}), 403, "CONFIRMATION_REQUIRED")


def test_a_token_and_who_does_not_want_it_are_not_asked(ada, old, settings):
    check_ok(token_client(ada).post(USERS, NEW), 201)
    settings.CONFIRM_AFTER = 0
    check_ok(old.post(TOKENS, {"name": "script"}), 201)


@pytest.mark.parametrize(
    "path",
    ["whalefall/apitoken/add/", "whalefall/user/add/", "whalefall/user/{}/change/",
     "whalefall/user/{}/password/", "whalefall/user/{}/delete/"],
)  # fmt: skip
def test_pages_ask_and_go_on(page, ada, path):
    url = "/admin/" + path.format(ada.pk)
    for answer in (page.get(url), page.post(url, {"username": "eve"})):
        assert answer.url == f"/admin/confirm/?next={url.replace('/', '%2F')}"
    asked = page.get(answer.url).content.decode()
    assert "wants your password once more" in asked
    wrong = page.post("/admin/confirm/", {"password": "not-it-at-all", "next": url})
    assert "This is not your password." in wrong.content.decode()
    right = page.post("/admin/confirm/", {"password": PASSWORD, "next": url})
    assert right.url == url


def test_the_page_leads_nowhere_else(page):
    form = {"password": PASSWORD, "next": "https://evil.example/"}
    assert page.post("/admin/confirm/", form).url == "/admin/"
