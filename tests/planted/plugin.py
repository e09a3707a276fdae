"""Ties the search for planted secrets to a run of the tests: the run fails if anything that it
left behind, rolled-back rows included, holds one.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.planted import registry, search, traces
from tests.store import IS_FIRST


class Run:
    """One process of the run: its traces, and what it could not look at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = traces.Trace(folder, "rows")
        self.log = traces.Trace(folder, "log")
        self.output = traces.Trace(folder, "output")
        self.redis = traces.Trace(folder, "redis")
        self.processes = traces.Trace(folder, "processes")
        self.handler = traces.LogFile(self.log)
        self.sampler = traces.Sampler(self.processes, os.getpid()) if IS_FIRST else None
        self.blind: list[str] = []
        self.ears: list[traces.RedisEar] = []

    def begin(self) -> None:
        registry.listen()
        traces.hear_of_processes(self.processes)
        self._hear_of_redis()
        if self.sampler:
            self.sampler.start()

    def attach(self) -> None:
        """Tests that configure logging anew take every handler away."""
        root = logging.getLogger()
        if self.handler not in root.handlers:
            root.addHandler(self.handler)

    def keep_rows(self, tables: str, whose: str) -> None:
        try:
            traces.keep_rows(self.rows, tables)
        except Exception as exc:
            self.blind.append(f"{whose}: {type(exc).__name__}")

    def end(self) -> None:
        if self.sampler:
            self.sampler.stop()
        logging.getLogger().removeHandler(self.handler)
        for trace in (self.rows, self.log, self.output, self.redis, self.processes):
            trace.close()
        planted = "".join(f"{what}\t{text}\n" for text, what in registry.planted().items())
        (self.folder / f"secrets-{traces.worker()}").write_text(planted)
        (self.folder / f"blind-{traces.worker()}").write_text("\n".join(self.blind))

    def _hear_of_redis(self) -> None:
        from tests.servers.redis import RedisServer

        start, stop = RedisServer.start, RedisServer.stop

        def started(server: Any) -> None:
            start(server)
            ear = traces.RedisEar(self.redis, server.host, server.port)
            ear.start()
            self.ears.append(ear)

        def stopped(server: Any) -> None:
            if server.process is not None:
                traces.keep_keys(self.redis, server.host, server.port)
            stop(server)
            for ear in self.ears:
                ear.stop()
            self.ears.clear()

        RedisServer.start, RedisServer.stop = started, stopped  # type: ignore[method-assign]


class Verdict:
    """What the search at the end of the run found."""

    def __init__(self, folder: Path) -> None:
        began = time.monotonic()
        self.secrets = dict(_secrets(folder))
        paths = [
            path for path in folder.iterdir() if not path.name.startswith(("secrets", "blind"))
        ]
        paths += [folder.parent / "store" / "log"]
        self.size = sum(path.stat().st_size for path in paths if path.exists())
        self.leaks = search.leaks(paths, self.secrets)
        self.blind = [
            line for path in folder.glob("blind-*") for line in path.read_text().split("\n")
        ]
        self.seconds = time.monotonic() - began

    def lines(self) -> Iterator[str]:
        megabytes = self.size / 2**20
        yield (
            f"planted secrets: {len(self.secrets)} looked for in {megabytes:.1f} MB of rows, logs,"
            f" Redis and arguments ({self.seconds:.1f} s): {len(self.leaks) or 'none'} found"
        )
        yield from (f"LEAKED {leak}" for leak in sorted(self.leaks))
        yield from (f"not looked at: {line}" for line in self.blind if line)


def _secrets(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.glob("secrets-*"):
        for line in path.read_text().splitlines():
            what, _tab, text = line.partition("\t")
            yield text, what


run: Run | None = None
verdict: Verdict | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    global run
    run = Run(traces.FOLDER)
    run.begin()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if run:
        run.attach()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """What the test wrote, before it is rolled back or flushed away."""
    from django.db import connection

    if run is None or not str(connection.settings_dict["NAME"]).startswith("test_"):
        return
    if connection.in_atomic_block:
        if not connection.needs_rollback:
            run.keep_rows(traces.TOUCHED, item.nodeid)
    elif _is_transactional(item):
        run.keep_rows(traces.FILLED, item.nodeid)


def _is_transactional(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    names = set(getattr(item, "fixturenames", ()))
    return bool(marker and marker.kwargs.get("transaction")) or bool(
        names & {"transactional_db", "live_server"}
    )


def keep_all_rows() -> None:
    """The whole database of this process, before it is destroyed."""
    if run:
        run.keep_rows(traces.ALL, "the end of the run")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if run and report.outcome != "failed":
        for name, text in report.sections:
            run.output.write(name, text.encode(errors="replace").split(b"\n"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Workers write down what they planted; the first process, which ends last, looks for it."""
    global verdict
    if run is None:
        return
    with suppress(FileNotFoundError):
        run.end()
    if IS_FIRST:
        verdict = Verdict(traces.FOLDER)
        if verdict.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in verdict.lines() if verdict else ():
        terminalreporter.write_line(line)
