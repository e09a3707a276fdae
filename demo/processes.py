"""What the demo runs beside itself: the store, the workers, the web server; and how all of it ends.

Nothing is left behind: children end with us, however we end, and `stop_everything` finds what a
killed run may have left by looking at what runs in this project's folder.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from whalefall.store import embedded

FOLDER = Path(settings.VAR_DIR) / "demo"
STORE = Path(settings.VAR_DIR) / "store"
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 30


class Busy(Exception):
    """Another demo or `make serve` of this folder is running."""


@contextmanager
def alone() -> Iterator[None]:
    """Hold the demo's servers: one process at a time starts, fills and stops them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "make demo or make serve is running in this folder: end it, or: make stop"
            ) from None
        yield


@contextmanager
def store() -> Iterator[None]:
    """The store, migrated. The embedded one is stopped again where we were the one to start it."""
    was_running = _store_runs()
    try:
        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        connections.close_all()
        if not was_running and not settings.DATABASE_URL:
            embedded.stop(STORE)


def _store_runs() -> bool:
    info = embedded.server_info(STORE) if STORE.exists() else None
    return info is not None and bool(info.is_running())


@contextmanager
def child(name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python WORDS` in the project's folder, its output in var/demo/NAME.log, ended on exit."""
    log = FOLDER / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches us only, and we end the children in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    try:
        yield process
    finally:
        end(process)


def workers(count: int = 2) -> list[str]:
    """The words for `child` that run the task queue with so many workers."""
    os.environ["WHALEFALL_WORKERS"] = str(count)
    return ["manage.py", "qcluster"]


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, which lets tasks finish; what is left of the group after a while is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until ready. Raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: nothing within {seconds:.0f} s (see {FOLDER})")
        time.sleep(0.2)


def stop_everything() -> list[str]:
    """End whatever of this project runs: demo, web, workers, servers, store. What was ended."""
    # The leaders first: they end their own children in order, and only what is left is our job.
    ended = _end_all(_ours(("demo",))) + _end_all(_ours(("qcluster", "gunicorn")))
    ended += _end_all(_ours(()))
    if _store_runs():
        embedded.stop(STORE)
        ended.append("the store")
    return ended


def _ours(words: tuple[str, ...]) -> list[psutil.Process]:
    """Processes of this folder with one of these words; without words: servers of the demo."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    others = (process for process in psutil.process_iter() if process.pid not in own)
    return [process for process in others if _matches(process, words)]


def _matches(process: psutil.Process, words: tuple[str, ...]) -> bool:
    try:
        found, cwd = process.cmdline(), process.cwd()
    except psutil.Error:
        return False
    if not words:
        return any(f"{FOLDER}{os.sep}" in word for word in found)
    is_python = bool(found) and "python" in Path(found[0]).name
    return is_python and cwd == str(settings.BASE_DIR) and any(word in found for word in words)


def _end_all(processes: list[psutil.Process]) -> list[str]:
    names = []
    for process in processes:
        with suppress(psutil.Error):
            names.append(f"{process.name()} ({process.pid})")
            process.terminate()
    _, alive = psutil.wait_procs(processes, STOP_SECONDS)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, 5)
    return names
