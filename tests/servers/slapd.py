"""A throw-away OpenLDAP with TLS: the installed slapd, or Debian's package unpacked into CACHE."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from tests.servers.base import CACHE, ThrowAwayServer, Unavailable, wait_until
from tests.servers.certificates import write_certificates
from tests.servers.process import run, spawn, unpacked

PACKAGES = ("slapd", "libwrap0")
"""The other libraries come with libldap-2.5-0, which compiling python-ldap wants as well."""

CONFIGURATION = """\
{includes}
modulepath {modules}
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/tls/ca.pem
TLSCertificateFile {folder}/tls/server.pem
TLSCertificateKeyFile {folder}/tls/server.key
security simple_bind={minimum_strength}
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw {password}
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=hidden,dc=example,dc=com" by * none
access to * by users read by anonymous auth
"""


def unpack(folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Unavailable("slapd is not installed, and this machine has no apt-get")
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        try:
            run(["sh", "-c", f'cd "{folder}" && apt-get download -q {package}'], "apt-get download")
        except RuntimeError as exc:
            raise Unavailable(f"{package} cannot be had: {exc}") from exc
    for archive in folder.glob("*.deb"):
        run(["dpkg", "-x", archive, folder], "dpkg -x")
        archive.unlink()


class SlapdServer(ThrowAwayServer):
    """`dc=example,dc=com` with what `add` puts there; StartTLS wanted before any password."""

    label = "OpenLDAP"
    admin_username = "cn=admin,dc=example,dc=com"
    admin_password = "s3cr3t-of-the-directory"

    @property
    def url(self) -> str:
        return f"ldap://{self.host}:{self.port}"

    @property
    def ca(self) -> Path:
        return self.folder / "tls" / "ca.pem"

    def start(self) -> None:
        program, root, environment = self._program()
        write_certificates(self.folder / "tls", self.host)
        (self.folder / "data").mkdir()
        schemas = ("core", "cosine", "inetorgperson", "nis")
        text = CONFIGURATION.format(
            includes="\n".join(f"include {root}/etc/ldap/schema/{name}.schema" for name in schemas),
            modules=root / "usr/lib/ldap",
            folder=self.folder,
            minimum_strength=128,
            password=self.admin_password,
        )
        (self.folder / "slapd.conf").write_text(text)
        log = self.folder / "slapd.log"
        arguments = [program, "-f", self.folder / "slapd.conf", "-h", self.url, "-d", "0"]
        self.process = spawn(arguments, log, environment)
        wait_until(self.answers, f"{self.label} ({log})", 20)

    def _program(self) -> tuple[str | Path, Path, dict[str, str]]:
        """The program, the folder its schemas and modules are below, and what it needs to load."""
        installed = shutil.which("slapd") or shutil.which("/usr/sbin/slapd")
        if installed:
            return installed, Path("/"), {}
        root = CACHE / "slapd"
        unpacked(root, unpack)
        libraries = ":".join(str(path) for path in (root / "usr/lib").glob("*-linux-gnu*"))
        return root / "usr/sbin/slapd", root, {"LD_LIBRARY_PATH": f"{libraries}:{root}/usr/lib"}

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            last = (self.folder / "slapd.log").read_text(errors="replace")[-1000:]
            raise Unavailable(f"{self.label} does not run here: {last}")
        try:
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            return False
        return True
