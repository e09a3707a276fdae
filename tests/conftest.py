"""What cannot even be imported on this machine is left out, with the reason in the summary."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.planted import plugin as planted

# How long an example takes is up to the machine and to what else runs on it.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

HERE = Path(__file__).parent
REASON = "mysqlclient is not installed: make setup says what it needs"
LEFT_OUT = () if find_spec("MySQLdb") else (HERE / "live/mysql",)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Before the database is destroyed it is searched for planted secrets, as a whole."""
    yield
    with django_db_blocker.unblock():
        planted.keep_all_rows()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path in LEFT_OUT else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for folder in LEFT_OUT:
        terminalreporter.write_line(f"SKIPPED {folder.relative_to(HERE.parent)}: {REASON}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if LEFT_OUT and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
