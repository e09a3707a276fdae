"""What a run leaves behind, kept in files of one folder for the search at its end.

Every process of pytest-xdist has files of its own: `rows-gw0`, `log-gw0`, `redis-gw0`, `processes`.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from structlog.stdlib import ProcessorFormatter

from tests import secret_scan
from tests.planted import registry

FOLDER = Path(os.environ["WHALEFALL_VAR"]) / "planted"
PIECES = 500_000
"""Rows that are the same as one before are kept once; so many are remembered."""
PUBLIC = "c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
TOUCHED = (
    "SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid IN"
    " (SELECT relid FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd > 0) AND " + PUBLIC
)
FILLED = (
    f"SELECT c.oid::regclass::text FROM pg_class c WHERE pg_relation_size(c.oid) > 0 AND {PUBLIC}"
)
ALL = f"SELECT c.oid::regclass::text FROM pg_class c WHERE {PUBLIC} ORDER BY 1"


def process_output(name: str) -> BinaryIO:
    """Where a process that a test starts may write its log, to be searched like ours."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return (FOLDER / f"output-{name}-{worker()}").open("ab")


def worker() -> str:
    """The name of this process within the run."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


class Trace:
    """A file that grows; what it holds already is not written again."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}-{worker()}"
        self.file = self.path.open("ab")
        self.seen: set[int] = set()
        self.lock = threading.Lock()

    def write(self, where: str, lines: Iterable[bytes]) -> None:
        with self.lock:
            for line in lines:
                number = hash((where, line))
                if number not in self.seen and not self.file.closed:
                    self.file.write(where.encode() + b"\t" + line.rstrip(b"\n") + b"\n")
                    if len(self.seen) < PIECES:
                        self.seen.add(number)

    def close(self) -> None:
        with self.lock:
            self.file.close()


def keep_rows(trace: Trace, tables: str) -> int:
    """Copy the tables that the query `tables` names, as pg_dump would; how many there were."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(tables)
        names = [name for (name,) in cursor.fetchall()]
        for name in names:
            with cursor.copy(f"COPY {name} TO STDOUT") as rows:
                trace.write(f"table {name}", b"".join(bytes(row) for row in rows).split(b"\n"))
    return len(names)


class LogFile(logging.Handler):
    """Every line as the product's own handler would write it."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        self.formatter = product_formatter() or self.formatter
        try:
            text = self.format(record)
        except Exception:  # the product's own handler says so
            return
        self.trace.write("log", [text.replace("\n", "\\n").encode(errors="replace")])


def product_formatter() -> logging.Formatter | None:
    """That of `whalefall.logs`, which masks; pytest's own handlers have others."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, ProcessorFormatter) and not isinstance(handler, LogFile):
            return handler.formatter
    return None


def hear_of_processes(trace: Trace) -> None:
    """The arguments of every process that Python starts here; its environment holds secrets by
    right, which are planted.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            words = args[1] if isinstance(args[1], list | tuple) else [args[1]]
            line = b"\0".join(os.fsencode(word) for word in words)
            trace.write("arguments", [line.replace(b"\n", b"\\n")])
            if isinstance(args[3], dict):
                registry.from_environment(args[3])

    sys.addaudithook(hook)


class Sampler(threading.Thread):
    """Looks at the arguments of all processes below this one, four times a second: those that
    somebody else than Python started, or that changed their own.
    """

    def __init__(self, trace: Trace, root: int) -> None:
        super().__init__(name="arguments", daemon=True)
        self.trace, self.root, self.ended = trace, root, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.25):
            self.look()

    def look(self) -> int:
        """How many processes were seen."""
        parents: dict[int, int] = {}
        for folder in os.listdir("/proc"):
            if folder.isdigit():
                try:
                    stat = Path("/proc", folder, "stat").read_text(errors="replace")
                except OSError:
                    continue
                parents[int(folder)] = int(stat.rpartition(")")[2].split()[1])
        ours = [pid for pid in parents if self._is_below(pid, parents)]
        for pid in ours:
            try:
                line = Path("/proc", str(pid), "cmdline").read_bytes()
            except OSError:  # it ended meanwhile
                continue
            self.trace.write("arguments", [line.replace(b"\n", b"\\n")])
        return len(ours)

    def _is_below(self, pid: int, parents: dict[int, int]) -> bool:
        for _step in range(50):
            if pid == self.root:
                return True
            pid = parents.get(pid, 0)
        return False

    def stop(self) -> None:
        self.ended.set()
        self.join(5)


class RedisEar(threading.Thread):
    """Writes down every command that a Redis is given, with all its arguments (MONITOR)."""

    def __init__(self, trace: Trace, host: str, port: int) -> None:
        super().__init__(name="redis-ear", daemon=True)
        self.trace = trace
        self.socket = socket.create_connection((host, port), 5)
        self.socket.sendall(b"MONITOR\r\n")
        self.socket.recv(5)  # +OK: from here on all is heard
        self.socket.settimeout(None)

    def run(self) -> None:
        rest = b""
        try:
            while data := self.socket.recv(65536):
                *lines, rest = (rest + data).split(b"\n")
                # "+1700000000.123456 [0 127.0.0.1:5] ..." begins with the time.
                self.trace.write("redis", (line.partition(b"] ")[2] for line in lines))
        except OSError:
            pass
        finally:
            self.socket.close()

    def stop(self) -> None:
        """Once the server is gone there is no more to come."""
        self.join(5)

    def hang_up(self) -> None:
        """Hear what was said until now, and no more."""
        self.socket.sendall(b"QUIT\r\n")
        self.join(5)


def keep_keys(trace: Trace, host: str, port: int) -> None:
    """What a Redis holds, key by key."""
    from redis import Redis
    from redis.exceptions import RedisError

    client = Redis(host, port, socket_timeout=2)
    try:
        for key, data in secret_scan.redis_keys(client):
            trace.write(f"redis {key[:60]}", data.split(b"\n"))
    except RedisError:  # a test left it hanging: what it was given was heard
        pass
    finally:
        client.close()
