"""What is not there, and what is not allowed, is said on a page of the console."""

import pytest
from django.test import Client

from tests.admin.conftest import person
from whalefall.api import bad_request, server_error


def test_an_address_that_is_not_there_keeps_the_menu(viewer):
    response = viewer.get("/admin/nothing/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "Nothing is here" in page
    assert "Who has access to" in page
    assert "Not found | WhaleFall</title>" in page


def test_a_stranger_is_told_without_the_menu(client, db):
    response = client.get("/nothing")
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()
    assert "Who has access to" not in response.content.decode()


def test_a_page_that_a_role_does_not_allow_says_so(viewer):
    response = viewer.get("/admin/whalefall/auditentry/")
    assert response.status_code == 403
    assert "Your role does not allow this" in response.content.decode()


def test_a_form_without_its_token_is_explained(db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator"))
    response = client.post("/admin/preferences/", {"language": "en"})
    assert response.status_code == 403
    assert "load the page again" in response.content.decode()


@pytest.mark.parametrize(
    ("handler", "status", "words"),
    [(server_error, 500, "It is our fault"), (bad_request, 400, "The request is not valid")],
)
def test_what_broke_is_said_on_a_page_that_asks_the_store_nothing(rf, handler, status, words):
    response = handler(rf.get("/admin/"), *([Exception()] if status == 400 else []))
    page = response.content.decode()
    assert (response.status_code, words in page) == (status, True)
    assert "whalefall/broken.css" in page


def test_a_browser_finds_the_icon_where_it_looks_first(client, db):
    assert client.get("/favicon.ico").url == "/static/whalefall/icon.svg"
