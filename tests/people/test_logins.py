"""Everybody sees where they are logged in, and ends it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.conftest import PASSWORD, client_of, person, token_client
from tests.api.envelope import check_failed, check_ok
from whalefall.models import Login

pytestmark = pytest.mark.django_db
SESSIONS, ME = "/api/v1/auth/sessions", "/api/v1/auth/me"
PAGE = "/admin/logins/"


@pytest.fixture
def vera():
    return person("vera", "viewer")


@pytest.fixture
def here(vera):
    return client_of(vera)


@pytest.fixture
def there(vera):
    """Her other browser, which came by the form."""
    client = Client(HTTP_USER_AGENT="Other/1.0", REMOTE_ADDR="192.0.2.7")
    client.post("/admin/login/", {"username": "vera", "password": PASSWORD})
    return client


def test_logins_say_from_where_they_came_and_which_one_asks(here, there):
    rows = check_ok(here.get(SESSIONS))
    seen = {(row["address"], row["agent"], row["is_current"]) for row in rows}
    assert seen == {(None, "", True), ("192.0.2.7", "Other/1.0", False)}


def test_no_list_holds_the_key_of_a_session(here, there):
    for page in (here.get(SESSIONS), there.get(PAGE)):
        text = page.content.decode()
        assert not [row for row in Login.objects.all() if row.session_key in text]


def test_a_login_that_is_ended_is_out_at_once(here, there):
    (other,) = (row for row in check_ok(here.get(SESSIONS)) if not row["is_current"])
    check_ok(here.delete(f"{SESSIONS}/{other['id']}"))
    check_failed(there.get(ME), 401, "AUTHENTICATION_REQUIRED")
    check_ok(here.get(ME))


def test_all_others_are_ended_together(here, there, vera):
    third = client_of(vera)
    assert check_ok(here.post(f"{SESSIONS}/actions/end-others")) == {"ended": 2}
    for client in (there, third):
        check_failed(client.get(ME), 401, "AUTHENTICATION_REQUIRED")
    assert len(check_ok(here.get(SESSIONS))) == 1


def test_a_token_ends_every_login(here, vera):
    script = token_client(vera)
    assert check_ok(script.post(f"{SESSIONS}/actions/end-others")) == {"ended": 1}
    check_failed(here.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_other_peoples_logins_are_not_there(here):
    otto = client_of(person("otto", "operator"))
    (row,) = check_ok(otto.get(SESSIONS))
    check_failed(here.delete(f"{SESSIONS}/{row['id']}"), 404, "RESOURCE_NOT_FOUND")
    check_failed(here.delete(f"{SESSIONS}/no-such-id"), 404, "RESOURCE_NOT_FOUND")
    check_ok(otto.get(ME))


def test_a_new_password_leaves_the_one_that_gave_it(here, there):
    body = {"old_password": PASSWORD, "new_password": "a-whale-of-a-word-9"}
    check_ok(here.post("/api/v1/auth/change-password", body))
    assert [row["is_current"] for row in check_ok(here.get(SESSIONS))] == [True]


def test_who_is_deleted_has_no_login(here, vera):
    vera.delete()
    assert not Login.objects.exists()
    check_failed(here.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_the_page_ends_one_and_all_others(there, here, vera):
    page = there.get(PAGE).content.decode()
    assert "Other/1.0" in page
    assert "End all others" in page
    (row,) = vera.logins.filter(agent="")
    assert (
        "The login was ended."
        in there.post(PAGE, {"end": row.public_id}, follow=True).content.decode()
    )
    check_failed(here.get(ME), 401, "AUTHENTICATION_REQUIRED")
    assert "There is no such login." in there.post(PAGE, {"end": "x"}, follow=True).content.decode()
    client_of(vera)
    assert "1 login ended." in there.post(PAGE, follow=True).content.decode()


def test_the_page_shows_what_was_done_with_the_account(there, vera):
    Client().post("/admin/login/", {"username": "vera", "password": "not-her-password"})
    client_of(person("ada", "administrator")).delete(f"/api/v1/users/{vera.pk + 999}")
    page = there.get(PAGE).content.decode()
    assert "What was done with your account" in page
    assert "refused" in page
    assert "ada" not in page
