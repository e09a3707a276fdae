"""Sign-in with an OpenID Connect provider: who comes in, with which role, and who does not."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from tests.fakes.oidc import Provider
from whalefall import oidc
from whalefall.auth import role_of
from whalefall.models import AuditEntry, ExternalIdentity, User

pytestmark = pytest.mark.django_db
CLIENT, SECRET = "whalefall", "s3cr3t-of-the-client"
ROLES = {"administrator": ["dba-leads"], "operator": ["DBAs"], "viewer": ["*"]}


@pytest.fixture(scope="module")
def running():
    with Provider(CLIENT, SECRET) as provider:
        yield provider


@pytest.fixture
def provider(running, settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running.claims, running.userinfo, running.wrong = {}, {}, set()
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = running.issuer, CLIENT
    settings.OIDC_CLIENT_SECRET, settings.OIDC_ROLES = SECRET, ROLES
    settings.OIDC_NAME = "House login"
    oidc._client.cache_clear()
    # Somebody else administers: else the first who comes could not lose the role.
    User.objects.create_superuser("root")
    return running


def sign_in(provider: Provider, client: Client | None = None, target: str = ""):
    """The answer to the browser that comes back from the provider."""
    client = client or Client()
    there = client.get(f"/sign-in/oidc?next={target}")
    assert there.status_code == 302, there.content
    return client.get(provider.authorize(there.url))


def role(name: str = "vera") -> str | None:
    return role_of(User.objects.get(username=name))


def check_refused(answer, status: int = 403) -> str:
    assert answer.status_code == status
    assert "_auth_user_id" not in answer.client.session
    return answer.content.decode()


def test_the_login_page_has_a_button_only_where_it_is_set_up(client, provider, settings):
    page = client.get("/admin/login/?next=/admin/tags/tag/").content.decode()
    assert "Sign in with House login" in page
    assert "/sign-in/oidc?next=%2Fadmin%2Ftags%2Ftag%2F" in page
    settings.OIDC_ISSUER = ""
    assert "/sign-in/oidc" not in client.get("/admin/login/").content.decode()


def test_a_newcomer_comes_in_with_the_role_of_a_group(provider):
    provider.claims = {"groups": ["dbas"], "given_name": "Vera", "email": "vera@example.com"}
    answer = sign_in(provider)
    assert answer.url == "/admin/"
    assert answer.client.get("/admin/").status_code == 200
    vera = User.objects.get(username="vera")
    assert (role_of(vera), vera.first_name, vera.email) == ("operator", "Vera", "vera@example.com")
    assert not vera.has_usable_password()


def test_the_session_is_a_new_one(provider):
    client = Client()
    client.get("/sign-in/oidc")
    before = client.session.session_key
    sign_in(provider, client)
    assert client.session.session_key != before


def test_the_highest_role_counts_and_one_that_is_gone_is_taken(provider):
    provider.claims = {"groups": ["DBAs", "dba-leads"]}
    sign_in(provider)
    assert role() == "administrator"
    provider.claims = {"groups": []}
    sign_in(provider)
    assert role() == "viewer"


def test_the_last_administrator_keeps_the_role(provider):
    provider.claims = {"groups": ["dba-leads"]}
    sign_in(provider)
    User.objects.filter(username="root").update(is_active=False)
    provider.claims = {}
    sign_in(provider)
    assert role() == "administrator"


def test_without_a_mapping_roles_are_given_by_hand(provider, settings):
    settings.OIDC_ROLES = {}
    assert "no role here yet" in check_refused(sign_in(provider))
    from whalefall import people

    people.give_role(User.objects.get(username="vera"), "viewer")
    assert sign_in(provider).url == "/admin/"
    assert role() == "viewer"


def test_somebody_no_group_of_whom_counts_stays_outside(provider, settings):
    settings.OIDC_ROLES = {"viewer": ["dba"]}
    assert "no role here yet" in check_refused(sign_in(provider))


def test_groups_may_stand_deeper_or_at_the_userinfo_endpoint(provider, settings):
    settings.OIDC_GROUPS_CLAIM = "realm_access.roles"
    provider.userinfo = {"realm_access": {"roles": ["DBAs"]}}
    sign_in(provider)
    assert role() == "operator"


def test_userinfo_about_somebody_else_is_refused(provider):
    provider.userinfo = {"sub": "another", "groups": ["dba-leads"]}
    check_refused(sign_in(provider))


def test_a_person_stays_the_same_whatever_the_name(provider):
    sign_in(provider)
    provider.claims = {"preferred_username": "vera.smith"}
    sign_in(provider)
    assert ExternalIdentity.objects.get().user.username == "vera"


def test_nobody_becomes_a_person_with_a_password_by_having_the_name(provider):
    User.objects.create_user("Vera", password="orca-swims-deep-7")
    assert "signs in differently" in check_refused(sign_in(provider))


def test_nobody_becomes_a_person_with_another_identity_by_having_the_name(provider):
    sign_in(provider)
    provider.claims = {"sub": "2", "groups": []}
    assert "signs in differently" in check_refused(sign_in(provider))


def test_a_person_entered_without_a_password_is_who_comes_with_the_name(provider):
    User.objects.create_user("vera", first_name="Vera")
    assert sign_in(provider).status_code == 302
    assert ExternalIdentity.objects.get().user.first_name == "Vera"


def test_a_disabled_person_stays_outside(provider):
    sign_in(provider)
    User.objects.filter(username="vera").update(is_active=False)
    assert "disabled" in check_refused(sign_in(provider))


@pytest.mark.parametrize("name", [None, "", "two words", "x" * 151, ["vera"]])
def test_a_name_that_cannot_be_used_is_refused(provider, name):
    provider.claims = {"preferred_username": name}
    check_refused(sign_in(provider))
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of-another-login"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": "another-client", "azp": CLIENT},
        {"iss": "https://else.example"},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_an_identity_that_is_not_for_us_and_now_is_refused(provider, claims):
    provider.claims = claims
    assert "not valid" in check_refused(sign_in(provider))
    assert not ExternalIdentity.objects.exists()


TWO_MINUTES_AGO, IN_AN_HOUR = -120, 3600


@pytest.mark.parametrize(("claim", "seconds"), [("exp", TWO_MINUTES_AGO), ("iat", IN_AN_HOUR)])
def test_an_identity_of_another_time_is_refused(provider, claim, seconds):
    provider.claims = {claim: int(time.time()) + seconds}
    assert "not valid" in check_refused(sign_in(provider))
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize("lie", ["unsigned", "hmac", "key"])
def test_an_identity_that_the_provider_did_not_sign_is_refused(provider, lie):
    provider.wrong = {lie}
    check_refused(sign_in(provider))


def test_a_new_key_of_the_provider_is_fetched(provider):
    sign_in(provider)
    provider.key = provider.new_key()
    assert sign_in(provider).url == "/admin/"


def test_a_discovery_document_of_another_issuer_is_not_followed(client, provider):
    provider.wrong = {"discovery_issuer"}
    check_refused(client.get("/sign-in/oidc"), 503)


def test_an_answer_nobody_asked_for_is_refused(client, provider):
    check_refused(client.get("/sign-in/oidc/callback?code=stolen&state=made-up"))
    check_refused(client.get("/sign-in/oidc/callback"))


def test_an_answer_for_another_browser_is_refused(provider):
    there = Client().get("/sign-in/oidc")
    check_refused(Client().get(provider.authorize(there.url)))


def test_an_answer_counts_once(provider):
    client = Client()
    back = provider.authorize(client.get("/sign-in/oidc").url)
    client.get(back)
    client.logout()
    check_refused(client.get(back))


def test_a_refusal_of_the_provider_is_shown_as_one(client, provider):
    client.get("/sign-in/oidc")
    check_refused(client.get("/sign-in/oidc/callback?error=access_denied&state=x"))


@pytest.mark.parametrize(
    ("target", "reached"),
    [("/admin/tags/tag/", "/admin/tags/tag/"), ("https://evil.example/", "/admin/")]
    + [(bad, "/admin/") for bad in ("//evil.example", "javascript:alert(1)", "/\\evil.example")],
)
def test_it_leads_to_where_one_wanted_and_never_elsewhere(provider, target, reached):
    assert sign_in(provider, target=target).url == reached


def test_a_provider_that_is_away_is_told_as_that(client, provider, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert "cannot be reached" in check_refused(client.get("/sign-in/oidc"), 503)


def test_where_it_is_not_set_up_it_opens_nothing(client, provider, settings):
    settings.OIDC_ISSUER = ""
    check_refused(client.get("/sign-in/oidc"))
    check_refused(client.get("/sign-in/oidc/callback?code=x&state=y"))


def test_who_came_in_and_with_which_role_is_in_the_audit_log(provider):
    provider.claims = {"groups": ["DBAs"]}
    sign_in(provider)
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action, entry.result) == ("vera", "sign_in", "done")
    assert entry.details == {"changes": ["identity: oidc", "role: none -> operator"]}


def test_nothing_that_was_exchanged_is_logged(provider, caplog):
    client = Client()
    back = provider.authorize(client.get("/sign-in/oidc").url)
    provider.wrong = {"key"}
    client.get(back)
    text = " ".join(record.getMessage() for record in caplog.records)
    assert SECRET not in text
    assert back.partition("code=")[2].partition("&")[0] not in text
