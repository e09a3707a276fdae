"""The watched servers of the demo: a MariaDB and a second embedded PostgreSQL, whose data stays
under var/demo between runs, and the two that are simulated.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tests.servers.base import ThrowAwayServer, free_port
from tests.servers.postgresql import PostgreSQL18

SQL = Path(__file__).parent / "sql"


class Watched(Protocol):
    """A server of the demo. `instance` is the name it is registered by, `collector` the login that
    reads it, `table` the one that money is in; `simulated` ones are stand-ins. `fill` makes its
    accounts, `change` is what happens to them overnight.
    """

    instance: str
    db_type: str
    product: str
    tls: str
    collector: str
    table: str
    host: str
    port: int
    folder: Path

    database: str
    simulated: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def fill(self) -> None: ...
    def change(self) -> None: ...
    def version(self) -> str: ...
    def create_collector(self, grants: str, password: str) -> None: ...


class Scripted:
    """Filled and changed by the scripts `NAME.sql` and `NAME_changes.sql`."""

    sql: str

    def run_sql(self, text: str) -> None:
        raise NotImplementedError

    def fill(self) -> None:
        self.run_sql(script(self.sql))

    def change(self) -> None:
        self.run_sql(script(f"{self.sql}_changes"))


class WatchedPostgreSQL(Scripted, PostgreSQL18):
    instance = "billing-db"
    db_type = "postgresql"
    product = "PostgreSQL 18"
    sql = "postgresql"
    tls = "off"
    collector = "whalefall"
    database = ""
    simulated = False
    table = "billing.invoicing.invoices"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keep(self)

    def start(self) -> None:
        """Also remembers the port, so that the registered instance stays true."""
        super().start()
        remember_port(self)

    def run_sql(self, text: str) -> None:
        """Run a script as the administrator; `\\connect NAME` goes to another database."""
        database, rest = "postgres", text
        while rest:
            part, found, rest = rest.partition("\\connect ")
            with self.connect(database) as connection:
                for statement in statements(part):
                    connection.execute(statement)
            if found:
                database, _, rest = rest.partition("\n")

    def version(self) -> str:
        return self.product.rpartition(" ")[2]

    def create_collector(self, grants: str, password: str) -> None:
        """Run what `collector_grants` printed, then set the password that it leaves out."""
        self.run(grants)
        self.run(f"ALTER ROLE {self.collector} PASSWORD '{password}'")


def keep(server: ThrowAwayServer) -> None:
    """Give a throw-away server a port and an administrator's password that outlive the process."""
    folder = server.folder
    folder.mkdir(parents=True, exist_ok=True)
    server.admin_password = secret(folder / "admin.password")
    known = folder / "port"
    server.port = int(known.read_text()) if known.exists() else free_port()
    if not is_free(server.port):
        server.port = free_port()


def remember_port(server: ThrowAwayServer) -> None:
    (server.folder / "port").write_text(str(server.port))


def is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def secret(path: Path, value: str = "") -> str:
    """The secret in `path`, made on first use (`value`, or a new one), readable by its owner."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(value or secrets.token_urlsafe(15))
    return path.read_text()


def script(name: str) -> str:
    """A script of the fleet without its comments, with a new secret for each `:password`."""
    lines = (SQL / f"{name}.sql").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("--"))
    return re.sub(r":password\b", lambda _: f"'{secrets.token_urlsafe(18)}'", text)


def statements(text: str) -> Iterator[str]:
    """The statements of a script in which each ends with a semicolon at the end of a line."""
    for statement in re.split(r";\s*$", text, flags=re.MULTILINE):
        if statement.strip():
            yield statement.strip()


def watched(folder: Path) -> tuple[list[Watched], list[str]]:
    """The servers that can run here, not started; and for each of the others why it cannot."""
    from demo.simulated import simulated

    servers, missing = real(folder)
    more, lacking = simulated(folder)
    return [*servers, *more], [*missing, *lacking]


def real(folder: Path) -> tuple[list[Watched], list[str]]:
    """The same of the servers that are what they seem."""
    servers: list[Watched] = [WatchedPostgreSQL(folder / "postgresql")]
    if find_spec("MySQLdb") is None:
        return servers, ["MariaDB: mysqlclient is not installed (make setup says what it needs)"]
    if shutil.which("mariadbd") is None and not Path("/usr/sbin/mariadbd").exists():
        return servers, ["MariaDB: mariadbd is not installed (package mariadb-server-core)"]
    from demo.mariadb import WatchedMariaDB

    return [WatchedMariaDB(folder / "mariadb"), *servers], []
