"""A throw-away MariaDB from Debian's mariadb-server-core, and what MariaDB and MySQL share."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

try:
    import MySQLdb
except ImportError:  # a machine without a compiler; start() says so
    MySQLdb = None

from tests.servers.base import ThrowAwayServer, Unavailable, wait_until
from tests.servers.certificates import write_certificates
from tests.servers.process import run, spawn
from whalefall.engines.base import Target

FAST = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--max-connections=200",
)
"""The data is thrown away: no waiting for disks, little memory, no reverse look-ups."""


class MySQLFamilyServer(ThrowAwayServer):
    """What all of them share: an administrator made by --init-file, readiness, a connection."""

    admin_username = "test_admin"
    db_type = "mysql"
    init_statements: tuple[str, ...] = (
        "CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY '{password}';",
        "GRANT ALL ON *.* TO '{user}'@'127.0.0.1' WITH GRANT OPTION;",
        # ALL does not hold PROXY, and only who has it may grant it.
        "INSERT INTO mysql.proxies_priv (Host, User, Proxied_host, Proxied_user, With_grant,"
        " Grantor) VALUES ('127.0.0.1', '{user}', '', '', 1, '');",
        "FLUSH PRIVILEGES;",
    )

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.admin_password = secrets.token_hex(8)
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"

    def start(self) -> None:
        """Create the data folder when it is empty, start, and return when it answers."""
        if MySQLdb is None:
            raise Unavailable("mysqlclient is not installed: make setup says what it needs")
        self.prepare()
        self.process = spawn(self.command(), self.log, self.environment())
        try:
            wait_until(self.answers, f"{self.label} ({self.log})")
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str | Path]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def common_options(self) -> list[str | Path]:
        return [
            f"--datadir={self.data}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            f"--socket={self.folder / 's'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--init-file={self._init_file()}",
            f"--tmpdir={self.own_temporary()}",
            *FAST,
        ]

    def own_temporary(self) -> Path:
        """A server that starts deletes the temporary tables of all that share its folder."""
        path = self.folder / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def _init_file(self) -> Path:
        path = self.folder / "init.sql"
        values = {"user": self.admin_username, "password": self.admin_password}
        path.write_text("".join(f"{line.format(**values)}\n" for line in self.init_statements))
        return path

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            last = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.label} ended while it was starting: {last}")
        try:
            self.connect().close()
        except MySQLdb.OperationalError:
            return False
        return True

    def connect(self, username: str = "", password: str = "", **options: Any) -> Any:
        """A connection of the driver, as the administrator unless another account is named."""
        return MySQLdb.connect(
            host=self.host,
            port=self.port,
            user=username or self.admin_username,
            password=password if username else self.admin_password,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=5,
            **options,
        )

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; the rows of the last one."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            connection.close()

    def target(self, username: str = "", password: str = "", **changes: Any) -> Target:
        """What the engine connects to, as the administrator unless another account is named."""
        values = {
            "host": self.host,
            "port": self.port,
            "username": username or self.admin_username,
            "password": password if username else self.admin_password,
            "tls_mode": "off",
            "statement_timeout": 30,
        }
        return Target(**{**values, **changes})

    def reset(self) -> None:
        """Drop every account, role and database that did not come with the server."""
        keep = f"'{self.admin_username}', 'root', 'mariadb.sys', 'mysql.sys', 'mysql.session'"
        keep += ", 'mysql.infoschema'"
        names = self.execute(f"SELECT User, Host FROM mysql.user WHERE User NOT IN ({keep})")
        own = "'mysql', 'sys', 'information_schema', 'performance_schema'"
        databases = self.execute(
            f"SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ({own})"
        )
        self.execute(
            *(self.drop_statement(user, host) for user, host in names),
            *(f"DROP DATABASE {identifier(name)}" for (name,) in databases),
            "DELETE FROM mysql.db WHERE User IN ('', 'PUBLIC')",
            # DROP USER does not find rows of names that are not ASCII (see engines/mysql/names.py).
            "DELETE FROM mysql.procs_priv",
            "FLUSH PRIVILEGES",
        )

    def drop_statement(self, user: str, host: str) -> str:
        return f"DROP USER {literal(user)}@{literal(host)}"


def literal(text: str) -> str:
    """A string in SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted name in SQL."""
    return "`" + name.replace("`", "``") + "`"


class MariaDBServer(MySQLFamilyServer):
    """Debian's MariaDB with TLS on; `ca` is the authority that signed its certificate."""

    label = "MariaDB"
    init_statements = (
        *MySQLFamilyServer.init_statements,
        # Accounts for this machine's name do not count with --skip-name-resolve.
        "DELETE FROM mysql.global_priv WHERE Host = LOWER(@@hostname);",
        "DELETE FROM mysql.proxies_priv WHERE Host = LOWER(@@hostname);",
    )

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.ca = self.folder / "tls" / "ca.pem"

    def prepare(self) -> None:
        if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
            raise Unavailable("mariadbd is not installed: apt-get install mariadb-server-core")
        if not self.ca.exists():
            write_certificates(self.folder / "tls", self.host)
        if not self.data.exists():
            install = ["mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db"]
            method = "--auth-root-authentication-method=normal"
            env = {"TMPDIR": str(self.own_temporary())}
            run([*install, method, f"--datadir={self.data}"], "mariadb-install-db", env)

    def command(self) -> list[str | Path]:
        tls = self.folder / "tls"
        return [
            str(shutil.which("mariadbd")),
            "--no-defaults",
            "--user=root",
            *self.common_options(),
            f"--ssl-ca={tls / 'ca.pem'}",
            f"--ssl-cert={tls / 'server.pem'}",
            f"--ssl-key={tls / 'server.key'}",
        ]

    def drop_statement(self, user: str, host: str) -> str:
        """Entries without a host are roles here."""
        if user == "PUBLIC":
            return "DELETE FROM mysql.global_priv WHERE User = 'PUBLIC'"  # it cannot be dropped
        return super().drop_statement(user, host) if host else f"DROP ROLE {identifier(user)}"
