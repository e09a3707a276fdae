"""The log, for administrators."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api.envelope import check_ok, errors
from whalefall.models import LogEntry

pytestmark = pytest.mark.django_db
LOGS = "/api/v1/logs"


def line(message: str = "sync_ended", hours_ago: float = 0, **fields) -> LogEntry:
    moment = timezone.now() - timedelta(hours=hours_ago)
    defaults = {"timestamp": moment, "level": "info", "module": "sync.runner"}
    return LogEntry.objects.create(message=message, **(defaults | fields))


@pytest.fixture
def lines(db):
    line("sync_ended", 1, context={"request_id": "r1"})
    line("request_failed", 30, level="error", module="whalefall.api", traceback="Traceback: x")
    line("reaped", 0, level="warning", module="sync.reaper", context={"session_id": "s1"})


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", ["reaped", "sync_ended", "request_failed"]),
        ("level=error", ["request_failed"]),
        ("module=sync", ["reaped", "sync_ended"]),
        ("search=ENDED", ["sync_ended"]),
        ("hours=24", ["reaped", "sync_ended"]),
        ("hours=0.5", ["reaped"]),
        ("request_id=r1", ["sync_ended"]),
        ("session_id=s1", ["reaped"]),
        ("sort=timestamp&order=asc", ["request_failed", "sync_ended", "reaped"]),
    ],
)
def test_the_list_is_narrowed(administrator, lines, query, messages):
    found = check_ok(administrator.get(f"{LOGS}?{query}"))["items"]
    assert [entry["message"] for entry in found] == messages


def test_a_time_range_is_half_open(administrator):
    entry = line()
    moment = entry.timestamp.isoformat().replace("+", "%2B")
    assert check_ok(administrator.get(f"{LOGS}?start_time={moment}"))["total"] == 1
    assert check_ok(administrator.get(f"{LOGS}?end_time={moment}"))["total"] == 0


@pytest.mark.parametrize("query", ["level=loud", "hours=-1", "hours=1e9", "start_time=soon", "x=1"])
def test_what_is_not_understood_is_refused(administrator, query):
    assert list(errors(administrator.get(f"{LOGS}?{query}"))) == [query.partition("=")[0]]


def test_the_traceback_is_shown_with_one_line_only(administrator, lines):
    entry = LogEntry.objects.get(level="error")
    assert "traceback" not in check_ok(administrator.get(LOGS))["items"][0]
    assert check_ok(administrator.get(f"{LOGS}/{entry.pk}"))["traceback"] == "Traceback: x"


def test_lines_are_counted_by_level_and_module(administrator, lines):
    data = check_ok(administrator.get(f"{LOGS}/statistics?hours=24"))
    assert (data["total"], data["levels"]["warning"], data["levels"]["error"]) == (2, 1, 0)
    assert data["modules"] == {"sync.reaper": 1, "sync.runner": 1}


def test_modules_are_listed(administrator, lines):
    found = check_ok(administrator.get(f"{LOGS}/modules"))
    assert found == ["sync.reaper", "sync.runner", "whalefall.api"]
