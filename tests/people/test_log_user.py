"""The lines of the log say who asked."""

from __future__ import annotations

import json

import pytest

from tests.api.conftest import client_of, person, token_client

pytestmark = pytest.mark.django_db
NOWHERE = "/api/v1/tags/999000000"


def line(capfd, event: str) -> dict:
    lines = [json.loads(text) for text in capfd.readouterr().err.splitlines() if text[:1] == "{"]
    return next(found for found in lines if found["event"].startswith(event))


def test_a_line_of_a_request_names_the_person(capfd):
    response = client_of(person("vera", "viewer")).get(NOWHERE)
    found = line(capfd, "Not Found")
    assert (found["user"], found["request_id"]) == ("vera", response["X-Request-ID"])


def test_a_program_is_named_by_its_person(capfd):
    token_client(person("ada", "administrator")).get(NOWHERE)
    assert line(capfd, "Not Found")["user"] == "ada"


def test_a_stranger_has_no_name_and_costs_no_query(capfd, django_assert_num_queries):
    with django_assert_num_queries(0):
        client_of().get("/nowhere")
    assert "user" not in line(capfd, "Not Found")
