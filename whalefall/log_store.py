"""The log in the store (`unified_logs`): written in batches by a thread of its own, so that no
caller ever waits for it or fails with it. What does not fit into the queue is dropped and counted.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from multiprocessing.util import Finalize
from queue import Empty, Full, Queue
from typing import Any

BATCH, LONGEST_WAIT, IDLE = 500, 1.0, 10.0
"""Rows per statement; seconds until a row is written; seconds after which the connection ends."""
LAST_WORDS = 2.0
"""Seconds that a process which ends waits for its last rows."""
LONGEST_TEXT = 50_000
WAKE_UP = ""
COLUMNS = ("timestamp", "level", "logger", "event", "exception")


class StoreHandler(logging.Handler):
    """Takes lines that its formatter made JSON. `dropped` and `written` count lines.

    Nothing is written before the process itself has used the store: to log is no reason to start
    or to reach one.
    """

    def __init__(self, capacity: int = 10_000, retry_after: float = 5.0) -> None:
        super().__init__()
        self.capacity, self.retry_after = capacity, retry_after
        self.dropped = self.written = 0
        self.store_in_use = threading.Event()
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        """A forked process has none of its parent's threads, and leaves it its lines."""
        was_in_use = self.store_in_use.is_set()
        self.lines: Queue[str] = Queue(self.capacity)
        # A lock that the parent held at the fork would be held for ever.
        self.store_in_use = threading.Event()
        if was_in_use:
            self.store_in_use.set()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closing = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.current_thread() is self._thread:
            return  # what writing a line says would have to be written again
        try:
            self.lines.put_nowait(self.format(record))
        except Full:
            self.dropped += 1
        except Exception:  # as logging's own handlers do: a bad line must not harm its caller
            self.handleError(record)
        else:
            self._start()

    def _start(self) -> None:
        if self._thread is not None or self._closing.is_set():
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-store", daemon=True)
                self._thread.start()
                atexit.register(self.finish)
                # multiprocessing's children leave without atexit.
                Finalize(None, self.finish, exitpriority=1)

    def finish(self) -> None:
        """Write what waits, for a moment; then end."""
        self._closing.set()
        with suppress(Full):
            self.lines.put_nowait(WAKE_UP)
        if self._thread is not None and self.store_in_use.is_set():
            self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        while not self.store_in_use.wait(LONGEST_WAIT):
            if self._closing.is_set():
                return
        idle_since = time.monotonic()
        while True:
            batch = self._next_batch()
            if batch:
                self._write(batch)
                idle_since = time.monotonic()
            elif self._closing.is_set():
                break
            elif time.monotonic() - idle_since > IDLE:
                _disconnect()
        _disconnect()

    def _next_batch(self) -> list[str]:
        """What came within a second of the first line."""
        batch: list[str] = []
        until = time.monotonic() + LONGEST_WAIT
        while len(batch) < BATCH:
            wait = 0.0 if self._closing.is_set() else max(until - time.monotonic(), 0.0)
            try:
                line = self.lines.get(timeout=wait) if wait else self.lines.get_nowait()
            except Empty:
                break
            if line != WAKE_UP:
                batch.append(line)
        return batch

    def _write(self, batch: list[str]) -> None:
        """Again and again while the store is away; what it refuses is dropped."""
        from django.db import InterfaceError, OperationalError

        while True:
            try:
                store(batch)
            except (OperationalError, InterfaceError):
                _disconnect()
                if not self._closing.wait(self.retry_after):
                    continue
                self.dropped += len(batch)
            except Exception:  # a table that is not there yet, whatever: to log must not fail
                _disconnect()
                self.dropped += len(batch)
            else:
                self.written += len(batch)
            return


def store(lines: Iterable[str]) -> None:
    """Write JSON lines as rows, in one statement."""
    from whalefall.models import LogEntry

    LogEntry.objects.bulk_create(LogEntry(**_row(json.loads(line))) for line in lines)


def _row(event: dict[str, Any]) -> dict[str, Any]:
    event = _storable(event)
    return {
        "timestamp": datetime.fromisoformat(event["timestamp"]),
        "level": str(event.get("level", ""))[:10],
        "module": str(event.get("logger", ""))[:100],
        "message": str(event.get("event", ""))[:LONGEST_TEXT],
        "traceback": str(event.get("exception", ""))[-LONGEST_TEXT:],
        "context": {key: value for key, value in event.items() if key not in COLUMNS},
    }


def _storable(value: Any) -> Any:
    """Without what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _disconnect() -> None:
    from django.db import connection

    connection.close()


def handler() -> StoreHandler | None:
    """The one of this process; None where the log goes to stderr only."""
    found = (each for each in logging.getLogger().handlers if isinstance(each, StoreHandler))
    return next(found, None)


def store_is_in_use(**kwargs: Any) -> None:
    """Receiver of `connection_created`."""
    if (found := handler()) is not None:
        found.store_in_use.set()
