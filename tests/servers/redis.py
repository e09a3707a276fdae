"""A throw-away Redis: the installed redis-server, or Debian's package unpacked into CACHE (no
service is started).
"""

from __future__ import annotations

import shutil
import signal
import socket
from pathlib import Path

from tests.servers.base import CACHE, ThrowAwayServer, Unavailable, wait_until
from tests.servers.process import run, spawn, unpacked

PACKAGES = (
    "redis-tools",
    "liblzf1",
    "libjemalloc2",
    "liblua5.1-0",
    "lua-cjson",
    "lua-bitop",
    "libatomic1",
)
"""redis-tools holds the binary; the others are libraries of it that few machines have."""


def unpack(folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Unavailable("redis-server is not installed, and this machine has no apt-get")
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        try:
            run(["sh", "-c", f'cd "{folder}" && apt-get download -q {package}'], "apt-get download")
        except RuntimeError as exc:
            raise Unavailable(f"{package} cannot be had: {exc}") from exc
    for archive in folder.glob("*.deb"):
        run(["dpkg", "-x", archive, folder], "dpkg -x")
        archive.unlink()
    # One program that looks at the name it is called by; the package redis-server is this link.
    (folder / "usr/bin/redis-server").symlink_to("redis-check-rdb")


class RedisServer(ThrowAwayServer):
    """No persistence, no password, on the loopback. `url` is what REDIS_URL takes."""

    label = "Redis"

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        program, environment = self._program()
        options = ["--save", "", "--appendonly", "no", "--dir", self.folder]
        address = ["--bind", self.host, "--port", str(self.port)]
        log = self.folder / "redis.log"
        self.process = spawn([program, *options, *address], log, environment)
        wait_until(self.answers, f"{self.label} ({log})", 20)

    def kill(self) -> None:
        """End it at once, as a crash does; `start` brings an empty one back on the same port."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Connections are still accepted by the kernel, and nothing answers."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def _program(self) -> tuple[str | Path, dict[str, str]]:
        if installed := shutil.which("redis-server"):
            return installed, {}
        root = CACHE / "redis"
        unpacked(root, unpack)
        libraries = ":".join(str(path) for path in (root / "usr/lib").glob("*-linux-gnu*"))
        return root / "usr/bin/redis-server", {"LD_LIBRARY_PATH": libraries}

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            last = (self.folder / "redis.log").read_text(errors="replace")[-1000:]
            raise Unavailable(f"{self.label} does not run here: {last}")
        try:
            with socket.create_connection((self.host, self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
