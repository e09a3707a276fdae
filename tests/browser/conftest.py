"""A real browser: Debian's chromium, driven by playwright. One for all tests of this folder."""

import os
import shutil
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.test import Client

from tests.admin.conftest import person

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
POLICY = "Content Security Policy"
REASON = "chromium and playwright are needed: make setup-test says what is missing"


@pytest.fixture(scope="package")
def chromium(django_db_setup):
    """The running browser; without one the tests are skipped, under CI they fail.

    It ends with this folder: playwright keeps an event loop in this thread, in which Django sees
    asynchronous code and refuses to talk to the store.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if not CHROMIUM or not sync_playwright:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(REASON)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        # Root may not use chromium's sandbox, and /dev/shm is small in containers.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(chromium, live_server, also=()):
    """A page that fails the test on any error in a script, on anything the content security policy
    refuses, and on any request to another host than those in `also`.
    """
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": 1500, "height": 1300}, locale="en-GB"
    )
    context.set_default_timeout(10_000)
    page, errors, elsewhere = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if POLICY in said.text else None)
    page.on("request", lambda request: elsewhere.append(request.url))
    yield page
    if shots := os.environ.get("WHALEFALL_SHOTS"):
        page.screenshot(path=f"{shots}/{os.getpid()}-{id(page)}.png")
    context.close()
    assert errors == []
    ours = (live_server.url, "data:", *also)
    assert [url for url in elsewhere if not url.startswith(ours)] == []


def log_in(page, live_server, role):
    """Without the form: hashing is slow on purpose."""
    client = Client()
    client.force_login(person(role))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )


@pytest.fixture
def page(chromium, live_server):
    """Of an administrator's session."""
    with opened(chromium, live_server) as page:
        log_in(page, live_server, "administrator")
        yield page


@pytest.fixture
def stranger(chromium, live_server):
    """Of nobody's session."""
    with opened(chromium, live_server) as page:
        yield page
