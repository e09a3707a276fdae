"""The log in the store: in batches, never in the caller's way."""

from __future__ import annotations

import logging
import time

import pytest
import structlog
from django.db import OperationalError
from structlog.contextvars import bound_contextvars

from whalefall import log_store
from whalefall.log_store import StoreHandler
from whalefall.models import LogEntry


def handler(**options) -> StoreHandler:
    made = StoreHandler(**options)
    made.setFormatter(logging.getLogger().handlers[0].formatter)
    return made


@pytest.fixture
def said(transactional_db):
    """Lines go to the store; at the end all of them are there."""
    made = handler(retry_after=0.01)
    made.store_in_use.set()
    logging.getLogger().addHandler(made)
    yield made
    logging.getLogger().removeHandler(made)
    made.finish()


def wait_for(handler: StoreHandler, lines: int) -> None:
    until = time.monotonic() + 10
    while handler.written < lines and time.monotonic() < until:
        time.sleep(0.05)
    assert handler.written == lines


def test_a_line_is_stored_with_its_context_and_without_secrets(said):
    with bound_contextvars(request_id="r1"):
        structlog.get_logger("sync.runner").warning("slow", instance_id=7, password="hush")
    wait_for(said, 1)
    entry = LogEntry.objects.get()
    assert (entry.level, entry.module, entry.message) == ("warning", "sync.runner", "slow")
    assert entry.context == {"request_id": "r1", "instance_id": 7, "password": "***"}
    assert list(LogEntry.objects.about("request_id", "r1")) == [entry]


def test_a_traceback_is_stored(said):
    try:
        raise LookupError("no such whale")
    except LookupError:
        logging.getLogger("x").exception("failed")
    wait_for(said, 1)
    assert "LookupError: no such whale" in LogEntry.objects.get().traceback


def test_what_no_column_can_hold_is_replaced(said):
    structlog.get_logger("x").warning("a\0b", half="\ud800")
    wait_for(said, 1)
    assert LogEntry.objects.get().message == "a\ufffdb"


def test_many_lines_take_few_statements(said, monkeypatch):
    sizes = []
    write = log_store.store
    monkeypatch.setattr(log_store, "store", lambda lines: (sizes.append(len(lines)), write(lines)))
    for number in range(700):
        logging.getLogger("x").warning("line %d", number)
    wait_for(said, 700)
    assert len(sizes) < 10


def test_while_the_store_is_away_lines_wait(said, monkeypatch):
    write, tries = log_store.store, []

    def away_twice(lines):
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError
        write(lines)

    monkeypatch.setattr(log_store, "store", away_twice)
    logging.getLogger("x").warning("still here")
    wait_for(said, 1)
    assert (LogEntry.objects.get().message, said.dropped) == ("still here", 0)


def test_what_the_store_refuses_is_dropped_and_counted(said, monkeypatch):
    def refuses(lines):
        raise ValueError

    monkeypatch.setattr(log_store, "store", refuses)
    logging.getLogger("x").warning("bad line")
    said.finish()
    assert (said.written, said.dropped) == (0, 1)


def test_a_full_queue_drops_and_never_blocks():
    made = handler(capacity=2)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "line", None, None)
    started = time.monotonic()
    for _line in range(5):
        made.emit(record)
    assert (made.dropped, made.lines.qsize()) == (3, 2)
    assert time.monotonic() - started < 1
    made.finish()


def test_nothing_is_written_before_the_process_used_the_store(transactional_db):
    made = handler()
    made.emit(logging.LogRecord("x", logging.INFO, "f", 1, "line", None, None))
    made.finish()
    assert not LogEntry.objects.exists()


def test_a_process_that_ends_does_not_wait_for_the_next_batch(said):
    logging.getLogger("x").warning("last words")
    started = time.monotonic()
    said.finish()
    assert time.monotonic() - started < 0.9
    assert LogEntry.objects.get().message == "last words"


def test_a_refused_request_is_logged_with_its_id(said, client):
    response = client.get("/api/v1/nowhere")
    wait_for(said, 1)
    assert LogEntry.objects.get().context["request_id"] == response["X-Request-ID"]
