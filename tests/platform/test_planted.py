"""The search at the end of a run finds what was left behind, wherever that is (tests/planted)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis as redis_client
from django.core import signing
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from tests.planted import registry, search, traces
from tests.sync.conftest import redis
from whalefall.models import LogEntry

__all__ = ["redis"]
ROOT = Path(__file__).parents[2]
WORD = "a-left-behind-w0rd"
SECRETS = {WORD: "word"}
CARELESS = f"""
import structlog
from tests.planted import registry


def test_that_is_careless():
    registry.plant({WORD!r}, "a password")
    structlog.get_logger("x").warning("connecting", as_whom={WORD!r})
"""


@pytest.fixture
def trace(tmp_path):
    trace = traces.Trace(tmp_path, "trace")
    yield trace
    trace.close()


@pytest.fixture
def other(tmp_path):
    trace = traces.Trace(tmp_path, "other")
    yield trace
    trace.close()


def found(trace):
    trace.file.flush()
    return search.leaks([trace.path], SECRETS)


def line(message):
    return LogEntry.objects.create(timestamp=timezone.now(), level="info", message=message)


@pytest.mark.django_db
def test_it_finds_a_row_that_will_be_rolled_back(trace):
    line(f"as {WORD}")
    traces.keep_rows(trace, traces.TOUCHED)
    assert found(trace) == {"table unified_logs: word (a-l...)"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tables", [traces.FILLED, traces.ALL], ids=("filled", "all"))
def test_it_finds_a_row_that_is_committed(trace, tables):
    line(signing.dumps(["x" * 200, WORD], compress=True))
    traces.keep_rows(trace, tables)
    assert found(trace) == {"table unified_logs: word (a-l...)"}


@pytest.mark.live
def test_it_finds_what_redis_was_given_and_what_it_holds(redis, trace, other):
    client = redis_client.Redis.from_url(redis.url)
    ear = traces.RedisEar(trace, redis.host, redis.port)
    ear.start()
    client.set("short-lived", f"as {WORD}")
    client.delete("short-lived")
    client.lpush("queue", f"as {WORD}")
    traces.keep_keys(other, redis.host, redis.port)
    client.delete("queue")
    client.connection_pool.disconnect()
    ear.hang_up()
    assert (found(trace), found(other)) == (
        {"redis: word (a-l...)"},
        {"redis queue: word (a-l...)"},
    )


def test_it_finds_an_argument_of_a_process(trace):
    command = [sys.executable, "-c", "input()", WORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        seen = traces.Sampler(trace, os.getpid()).look()
        process.communicate(b"\n")
    assert seen > 1
    assert found(trace) == {"arguments: word (a-l...)"}


def test_it_finds_a_line_of_the_log(trace):
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, f"as {WORD}", None, None)
    traces.LogFile(trace).emit(record)
    assert found(trace) == {"log: word (a-l...)"}


def test_lines_are_kept_as_the_product_writes_them():
    assert isinstance(traces.product_formatter(), ProcessorFormatter)


def test_a_run_that_leaves_a_secret_behind_fails_and_does_not_repeat_it(tmp_path):
    (tmp_path / "test_careless.py").write_text(CARELESS)
    options = ("-p", "no:xdist", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml")
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "WHALEFALL_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        cwd=ROOT,
        env=own,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stdout
    assert "1 passed" in ran.stdout
    assert "LEAKED log: a password (a-l...)" in ran.stdout
    assert WORD not in ran.stdout


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b'{"password": "long-enough-w0rd"}', {"long-enough-w0rd"}),
        (b'[{"old_password": "another-w0rd-of-it"}]', {"another-w0rd-of-it"}),
        (b'--x\r\nname="password1"\r\n\r\nin-a-form-field\r\n--x--', {"in-a-form-field"}),
        (b'{"password": "short", "username": "a-long-user-name"}', set()),
    ],
    ids=("json", "list", "form", "short"),
)
def test_a_secret_in_a_request_is_planted(monkeypatch, given, expected):
    monkeypatch.setattr(registry, "_planted", {})
    registry.from_body(given)
    assert set(registry.planted()) == expected


@pytest.mark.django_db
def test_what_goes_in_at_the_doors_of_the_product_is_planted(django_user_model):
    django_user_model.objects.create_user("vera", password="the-door-of-people-1")
    assert registry.planted()["the-door-of-people-1"] == "password of a person"
