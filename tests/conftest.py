"""What cannot even be imported on this machine is left out, with the reason in the summary."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REASON = "mysqlclient is not installed: make setup says what it needs"
LEFT_OUT = () if find_spec("MySQLdb") else (HERE / "live/mysql",)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path in LEFT_OUT else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for folder in LEFT_OUT:
        terminalreporter.write_line(f"SKIPPED {folder.relative_to(HERE.parent)}: {REASON}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if LEFT_OUT and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
