"""What every answer tells the browser, with the settings of production and with those of tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.admin.conftest import browser

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
PAGES = ["/admin/", "/admin/tags/tag/add/", "/api/v1/docs", "/admin/whalefall/apitoken/add/"]


@pytest.fixture
def ada(db):
    return browser("administrator")


def policy(response) -> dict[str, str]:
    parts = response["Content-Security-Policy"].split(";")
    return {name: " ".join(values) for name, *values in (part.split() for part in parts)}


@pytest.mark.parametrize("path", [*PAGES, "/admin/login/", "/api/v1/tags", "/nowhere"])
def test_every_answer_has_them(ada, path):
    response = ada.get(path)
    assert policy(response)["frame-ancestors"] == "'none'"
    assert policy(response)["default-src"] == "'none'"
    assert policy(response)["base-uri"] == "'none'"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in response


def test_only_the_console_evaluates_and_nobody_runs_scripts_of_the_page(ada):
    assert policy(ada.get("/admin/"))["script-src"] == "'self' 'unsafe-eval'"
    for path in ("/api/v1/docs", "/api/v1/tags"):
        assert policy(ada.get(path, headers={"accept": "text/html"}))["script-src"] == "'self'"
    assert "script-src" not in policy(ada.get("/api/v1/tags"))


@pytest.mark.parametrize("path", [*PAGES, "/admin/login/", "/api/v1/tags"])
def test_no_page_has_a_script_in_it(ada, path):
    page = ada.get(path, headers={"accept": "text/html"}, follow=True).content.decode()
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.S)
    assert [text for options, text in scripts if "json" not in options and text.strip()] == []
    assert re.findall(r"\son(?:click|load|error|submit|change|input)=", page) == []
    assert "javascript:" not in page


def test_answers_are_not_kept(ada):
    assert ada.get("/api/v1/tags")["Cache-Control"] == "no-store"
    assert "no-store" in ada.get("/admin/")["Cache-Control"]


def test_cookies_are_for_this_site_and_no_script(client, ada):
    from tests.admin.conftest import person

    person("viewer", "orca-swims-deep-7")
    form = {"username": "viewer", "password": "orca-swims-deep-7"}
    client.post("/admin/login/", form)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["domain"]


SAYS = """
import django, json; django.setup()
from django.conf import settings
from django.test import Client
client = Client(SERVER_NAME="whalefall.example")
plain, secure = client.get("/nowhere"), client.get("/nowhere", secure=True)
print(json.dumps({"plain": [plain.status_code, plain.get("Location")],
    "hsts": secure["Strict-Transport-Security"], "status": secure.status_code,
    "debug": settings.DEBUG, "hashers": settings.PASSWORD_HASHERS[0],
    "cookies": [[getattr(settings, f"{name}_COOKIE_{what}") for what in ("NAME", "SECURE")]
                for name in ("SESSION", "CSRF")]}))
"""


def test_production_is_https_only():
    keys = {"SECRET_KEY": "k" * 60, "CREDENTIAL_KEYS": Fernet.generate_key().decode()}
    environment = {name: value for name, value in os.environ.items() if name != "WHALEFALL_DEV"}
    environment |= {**keys, "ALLOWED_HOSTS": "whalefall.example", "WHALEFALL_LOG_TO_STORE": "0"}
    environment["DJANGO_SETTINGS_MODULE"] = "whalefall.settings"
    answer = subprocess.run(
        [sys.executable, "-c", SAYS], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True
    )
    said = json.loads(answer.stdout)
    assert said["plain"] == [301, "https://whalefall.example/nowhere"]
    assert said["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert (said["status"], said["debug"]) == (404, False)
    assert said["cookies"] == [["__Host-sessionid", True], ["__Host-csrftoken", True]]
    assert "Argon2" in said["hashers"]
