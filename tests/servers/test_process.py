"""Servers die with the tests that started them; unpacking happens once and whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers.base import wait_until
from tests.servers.process import unpacked

ORPHAN = """
import os, signal, sys
from pathlib import Path
from tests.servers.process import spawn
process = spawn(["sleep", "600"], Path(sys.argv[1]))
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_server_does_not_outlive_a_killed_test_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(tmp_path / "log")],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    try:
        wait_until(lambda: not is_running(pid), "the end of the server", seconds=5)
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


def test_two_who_unpack_at_once_do_it_once(tmp_path):
    calls = []

    def unpack(folder: Path) -> None:
        calls.append(folder)
        (folder / "program").write_text("x")

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: unpacked(tmp_path / "server", unpack), range(2)))

    assert (found, len(calls)) == ([tmp_path / "server"] * 2, 1)


def test_an_unpacking_that_fails_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("the mirror went away")

    with pytest.raises(OSError, match="went away"):
        unpacked(tmp_path / "server", fail)

    assert [path.name for path in tmp_path.iterdir()] == ["server.lock"]
