"""Coming in through the login page, as a person does it."""

import re

import pytest
from playwright.sync_api import expect

from tests.admin.conftest import person
from tests.browser.conftest import opened
from tests.fakes.oidc import Provider
from whalefall import oidc
from whalefall.models import User

pytestmark = pytest.mark.xdist_group("browser")

PASSWORD, NEW = "orca-swims-deep-7", "a-whale-of-a-word-9"
TAGS = "/admin/tags/tag/"


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def try_in(page, password, name="viewer"):
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=False).fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_wrong_password_is_told_and_the_right_one_leads_to_where_one_wanted(stranger, db):
    person("viewer", PASSWORD)
    stranger.goto(TAGS)
    try_in(stranger, "wrong")
    expect(stranger.get_by_text("Please enter the correct username and password")).to_be_visible()
    try_in(stranger, PASSWORD)
    expect(stranger).to_have_url(re.compile(f"{TAGS}$"))
    expect(stranger.get_by_role("link", name="sell Tags")).to_be_visible()


def test_too_many_wrong_passwords_say_how_long_to_wait(stranger, db, settings):
    settings.AXES_FAILURE_LIMIT = 2
    person("viewer", PASSWORD)
    stranger.goto("/admin/")
    try_in(stranger, "wrong")
    try_in(stranger, "wrong again")
    expect(
        stranger.get_by_text("Too many wrong passwords. Try again in 15 minutes.")
    ).to_be_visible()
    stranger.goto("/admin/login/")
    try_in(stranger, PASSWORD)
    expect(stranger.get_by_text("Too many wrong passwords.")).to_be_visible()


def test_a_person_changes_the_password_and_comes_in_with_it(stranger, db):
    person("viewer", PASSWORD)
    stranger.goto("/admin/")
    try_in(stranger, PASSWORD)
    stranger.goto("/admin/password_change/")
    fields = stranger.locator("input[type=password]")
    for field, word in zip(fields.all(), (PASSWORD, NEW, NEW), strict=True):
        field.fill(word)
    stranger.get_by_role("button", name="Change password").click()
    expect(stranger.get_by_text("Your password was changed.")).to_be_visible()
    assert User.objects.get().check_password(NEW)
    stranger.context.clear_cookies()
    stranger.goto("/admin/")
    try_in(stranger, NEW)
    expect(stranger).to_have_url(re.compile("/admin/$"))


def test_a_token_is_made_and_shown(page):
    page.goto("/admin/whalefall/apitoken/add/")
    page.get_by_label("Name").fill("nightly report")
    page.get_by_role("button", name="Save", exact=True).click()
    field = page.get_by_label("API token", exact=True)
    assert field.input_value().startswith("wf_")
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("link", name="nightly report")).to_be_visible()


def test_the_documentation_of_the_api_is_drawn(page):
    page.goto("/api/v1/docs")
    expect(page.locator(".opblock").first).to_be_visible(timeout=60_000)


def test_single_sign_on_leads_through_the_provider_and_back(
    chromium, live_server, settings, monkeypatch
):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    oidc._client.cache_clear()
    with (
        Provider("whalefall", "s3cr3t-of-the-client") as provider,
        opened(chromium, live_server, also=(provider.issuer,)) as page,
    ):
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = provider.issuer, provider.client_id
        settings.OIDC_CLIENT_SECRET, settings.OIDC_NAME = provider.secret, "House login"
        settings.OIDC_ROLES = {"viewer": ["*"]}
        User.objects.create_superuser("root")
        page.goto(TAGS)
        page.get_by_role("link", name="Sign in with House login").click()
        expect(page).to_have_url(re.compile(f"{TAGS}$"))
        expect(page.get_by_role("link", name="sell Tags")).to_be_visible()
