"""Real workers: `manage.py qcluster` in a process group of its own, on the store of the tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from tests.planted.traces import process_output
from tests.servers.base import wait_until

ROOT = Path(__file__).parents[2]


def store_url() -> str:
    """The tests' own database, as a DATABASE_URL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), split_part(current_setting('unix_socket_directories'),"
            " ',', 1)"
        )
        name, folder = cursor.fetchone()
    return f"postgres://postgres@/{folder}/{name}"


def environment() -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": store_url(), "WHALEFALL_WORKERS": "2"}


@contextlib.contextmanager
def cluster(**extra: str) -> Iterator[int]:
    """Workers that are killed with everything they started, as `kill -9` of their group does."""
    with process_output("qcluster") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env=environment() | extra,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        kill(process.pid)
        process.wait()


class Workshop:
    """Makes clusters in quick succession (`tests.sync.workshop`)."""

    def __init__(self) -> None:
        with process_output("workshop") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.sync.workshop"],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @contextlib.contextmanager
    def cluster(self) -> Iterator[int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        group = int(self.process.stdout.readline())
        try:
            yield group
        finally:
            kill(group)

    def close(self) -> None:
        self.process.communicate()


@contextlib.contextmanager
def workshop() -> Iterator[Workshop]:
    made = Workshop()
    try:
        yield made
    finally:
        made.close()


def kill(group: int) -> None:
    """SIGKILL to every process of the group. Returns when the store has seen the last of them."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    wait_until(lambda: not connections(), "the end of the workers' connections", 30)


def connections() -> int:
    """Of workers to the tests' database: a killed one's statement may still be on its way to the
    end.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'whalefall qcluster'"
        )
        (count,) = cursor.fetchone()
    return count
