"""Real database servers that tests and the demo start themselves: in a temporary folder, on a free
port of the loopback, gone when they are done.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

CACHE = Path(os.environ.get("WHALEFALL_SERVERS", Path(__file__).parents[2] / "var" / "servers"))
"""Where unpacked server binaries are kept between runs."""


class Unavailable(Exception):
    """This server's binaries cannot be had here; the text says why and what would help."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll `ready` until it says yes. Raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready within {seconds:.0f} s")
        time.sleep(0.1)


class ThrowAwayServer:
    """One server process with its own data folder. Subclasses give binaries, start and readiness.

    `host`, `port`: where it listens; `admin_username`, `admin_password`: who may do everything.
    """

    label = ""
    host = "127.0.0.1"
    admin_username = ""
    admin_password = ""

    def __init__(self, folder: Path | None = None) -> None:
        self.owns_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="whalefall-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Create the data folder when it is empty, start, and return when it answers.

        Raises Unavailable when the binaries cannot be had here.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End the process and remove the folder that this object made."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
