"""API tokens: how programs come in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api.conftest import client_of, person, token_client
from tests.api.envelope import check_failed, check_ok, errors
from whalefall.logs import mask
from whalefall.models import ApiToken, User

pytestmark = pytest.mark.django_db
TOKENS = "/api/v1/auth/tokens"
ME = "/api/v1/auth/me"


def bearer(text: str):
    client = client_of(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def issued(client, **body) -> dict:
    return check_ok(client.post(TOKENS, {"name": "script", **body}), 201)


def test_a_new_token_lets_its_program_in(viewer):
    text = issued(viewer)["token"]
    assert check_ok(bearer(text).get(ME))["username"] == "vera"


def test_a_token_is_shown_once_and_stored_as_a_hash(viewer):
    text = issued(viewer)["token"]
    listed = viewer.get(TOKENS)
    assert check_ok(listed)["items"][0]["prefix"] == text[3:15]
    assert text[16:] not in listed.content.decode()
    assert text[16:] not in str(ApiToken.objects.values())


def test_it_reads_only_unless_asked_for_more_and_ends_in_90_days(viewer):
    made = issued(viewer)
    assert made["scope"] == "read"
    days = (ApiToken.objects.get().expires_at - timezone.now()) / timedelta(days=1)
    assert 89.9 < days <= 90


def test_a_full_token_writes_without_a_csrf_token():
    otto = token_client(person("otto", "operator"))
    check_ok(otto.post("/api/v1/auth/logout"))


def test_a_read_only_token_refuses_writes():
    ada = token_client(person("ada", "administrator"), "read")
    body = check_failed(ada.post("/api/v1/instances", {}), 403, "PERMISSION_REQUIRED")
    assert body["message"] == "This token may only read."


def test_a_token_makes_no_tokens():
    ada = token_client(person("ada", "administrator"))
    check_failed(ada.post(TOKENS, {"name": "child"}), 403, "PERMISSION_REQUIRED")


@pytest.mark.parametrize(
    "text", ["", "x", "wf_", "wf_0123456789ab_nope", "wf_é" + "é" * 40, "wf_\0" + "0" * 40]
)
def test_a_wrong_token_is_refused_even_beside_a_session(text):
    client = client_of(person("vera", "viewer"))
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    response = client.get(ME)
    check_failed(response, 401, "AUTHENTICATION_REQUIRED")
    assert response["WWW-Authenticate"] == 'Bearer realm="WhaleFall"'


def test_the_right_prefix_with_another_secret_is_refused(viewer):
    text = issued(viewer)["token"]
    check_failed(bearer(text[:-1] + "!").get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_a_token_ends_on_its_day(viewer):
    client = bearer(issued(viewer)["token"])
    ApiToken.objects.update(expires_at=timezone.now())
    check_failed(client.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_a_revoked_token_is_refused_and_no_longer_listed(viewer):
    made = issued(viewer)
    check_ok(viewer.delete(f"{TOKENS}/{made['id']}"))
    check_failed(bearer(made["token"]).get(ME), 401, "AUTHENTICATION_REQUIRED")
    assert check_ok(viewer.get(TOKENS))["total"] == 0


def test_a_token_of_a_disabled_person_is_refused(viewer):
    client = bearer(issued(viewer)["token"])
    User.objects.update(is_active=False)
    check_failed(client.get(ME), 401, "AUTHENTICATION_REQUIRED")


def test_other_people_s_tokens_are_not_there(viewer, administrator):
    made = issued(viewer)
    check_failed(administrator.delete(f"{TOKENS}/{made['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert check_ok(administrator.get(TOKENS))["total"] == 0


@pytest.mark.parametrize("days", [-1, 367])
def test_an_expiry_is_within_a_year(viewer, days):
    body = {"name": "script", "expires_at": timezone.now() + timedelta(days=days)}
    found = errors(viewer.post(TOKENS, body))
    assert found == {"expires_at": "Must be within the next 366 days."}


def test_the_last_use_is_remembered_to_the_minute(viewer, django_assert_num_queries):
    client = bearer(issued(viewer)["token"])
    check_ok(client.get(ME))
    first = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(2):  # the token with its person, and the roles: no write
        check_ok(client.get(ME))
    assert ApiToken.objects.get().last_used_at == first


def test_logs_mask_tokens(viewer):
    text = issued(viewer)["token"]
    assert mask(f"sent {text} to it") == f"sent {text[:16]}*** to it"
