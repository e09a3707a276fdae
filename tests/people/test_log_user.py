"""The lines of the log say who asked."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter

from sync.models import SyncSession, SyncType
from sync.runner import run_record
from tests.api.conftest import client_of, person, token_client
from tests.servers.base import free_port
from tests.sync import cast

pytestmark = pytest.mark.django_db
NOWHERE = "/api/v1/tags/999000000"


@pytest.fixture
def lines():
    """What the log's own formatter makes of every line."""
    root, found = logging.getLogger(), []
    formatter = next(
        handler.formatter
        for handler in root.handlers
        if isinstance(handler.formatter, ProcessorFormatter)
    )

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = self.format(record)
            assert "\n" not in text  # or a name could write lines of its own
            found.append(json.loads(text))

    handler = Keep()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    yield found
    root.removeHandler(handler)


def line(lines, event: str) -> dict:
    return next(found for found in lines if found["event"].startswith(event))


def test_a_line_of_a_request_names_the_person(lines):
    response = client_of(person("vera", "viewer")).get(NOWHERE)
    found = line(lines, "Not Found")
    assert (found["user"], found["request_id"]) == ("vera", response["X-Request-ID"])


def test_a_program_is_named_by_its_person(lines):
    token_client(person("ada", "administrator")).get(NOWHERE)
    assert line(lines, "Not Found")["user"] == "ada"


def test_a_stranger_has_no_name_and_costs_no_query(lines, django_assert_num_queries):
    with django_assert_num_queries(0):
        client_of().get("/nowhere")
    assert "user" not in line(lines, "Not Found")


def test_a_name_with_a_line_break_makes_no_second_line(lines):
    structlog.get_logger("x").warning("seen", name='vera\n{"level": "info", "event": "forged"}')
    assert [found["event"] for found in lines] == ["seen"]


@pytest.mark.django_db(transaction=True)
def test_a_sync_is_put_down_to_who_asked_for_it(lines):
    orders_db = cast.instance(host="127.0.0.1", port=free_port())
    vera = person("vera", "operator")
    session = SyncSession.objects.start(
        SyncType.MANUAL_BATCH, [orders_db], created_by=vera, enqueue=False
    )
    run_record(session.records.get().pk)
    assert line(lines, "sync_ended")["user"] == "vera"
