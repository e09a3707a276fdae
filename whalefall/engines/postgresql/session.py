"""One connection to a PostgreSQL server: opened, read from, and its errors put into our words."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from whalefall.engines.base import Target
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    PermissionDenied,
    StatementTimeout,
    UnsupportedVersion,
)
from whalefall.engines.postgresql.names import quoted

OLDEST = 100000
ROWS_AT_ONCE = 500
SSL_MODES = {
    "off": "disable",
    "require": "require",
    "verify-ca": "verify-ca",
    "verify-full": "verify-full",
}
REFUSALS = (
    # what the server's message says, our words, the remedy; `{user}` and so on are the target's
    ("password authentication failed", "wrong user name or password", "Correct the credential."),
    (
        "no pg_hba.conf entry",
        "the server's pg_hba.conf has no entry for this login from here",
        "Add a line for {user} from this machine's address to pg_hba.conf, and reload.",
    ),
    ("pg_hba.conf rejects", "the server's pg_hba.conf rejects this login", "Change that line."),
    ("is not permitted to log in", "the role may not log in", "ALTER ROLE {user} LOGIN;"),
    (
        "permission denied for database",
        "the login may not connect to the database",
        "GRANT CONNECT ON DATABASE {database} TO {user};",
    ),
    (
        "not currently accepting connections",
        "the database does not accept connections",
        "Name another database on the instance.",
    ),
    (
        "too many connections for role",
        "the role's connection limit is reached",
        "ALTER ROLE {user} CONNECTION LIMIT -1;",
    ),
    (
        "too many connections for database",
        "the database's connection limit is reached",
        "Raise its CONNECTION LIMIT, or try again later.",
    ),
    ("too many clients", "the server has no free connection", "Try again later."),
    ("remaining connection slots", "the server has no free connection", "Try again later."),
    ('FATAL:  role "', "the role does not exist", "Correct the credential."),
    ('FATAL:  database "', "the database does not exist", "Check the database name."),
    ("unsupported startup parameter", "a connection pooler stands in front of the server",
     "Give the address of PostgreSQL itself."),
)  # fmt: skip
UNREACHABLE = (
    ("timeout expired", "no answer within {timeout} s", "Check the address, port and firewall."),
    ("could not translate host name", "unknown host", "Check the host name."),
    ("Name or service not known", "unknown host", "Check the host name."),
    ("Connection refused", "nothing listens on that port", "Check the port and that it runs."),
    (
        "server does not support SSL",
        "the server offers no TLS",
        "Switch TLS on there, or set the instance's TLS mode to off.",
    ),
    (
        "certificate verify failed",
        "the server's certificate is not signed by the given CA",
        "Give the CA that signed it.",
    ),
    (
        "does not match host name",
        "the server's certificate is for another host name",
        "Use the name it was issued for, or TLS mode verify-ca.",
    ),
    ("expected authentication request", "what listens there is not PostgreSQL", "Check the port."),
    (
        "weak sslmode",
        "TLS mode verify-ca needs a CA",
        "Give the CA of the instance, or choose verify-full for the CAs of this machine.",
    ),
    (
        "root certificate file",
        "the CA to verify the server with is missing",
        "Give the CA of the instance.",
    ),
    ("starting up", "the server is still starting", "Try again later."),
    ("shutting down", "the server is shutting down", "Try again later."),
)


class Text(Loader):
    """Text that need not be UTF-8: names of roles and databases are shared by databases of all
    encodings, and SQL_ASCII checks nothing. What cannot be decoded is shown by its bytes.
    """

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "backslashreplace")


class Session:
    """A read-only connection whose statements are counted and cannot hang for ever.

    `count` is called once for each statement that goes to the server, BEGIN and COMMIT included.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], target: Target, count: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.target = target
        self.count = count
        self.version: int = connection.info.server_version
        for kind in ("text", "name"):
            connection.adapters.register_loader(kind, Text)

    @property
    def uses_tls(self) -> bool:
        return bool(self.connection.pgconn.ssl_in_use)

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement as they arrive, in one transaction with those before it."""
        if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self.count()  # the driver begins a transaction
        self.count()
        with self._errors(), self._deadline(), self.connection.cursor() as cursor:
            yield from cursor.stream(sql, size=ROWS_AT_ONCE)

    def row(self, sql: str) -> tuple[Any, ...]:
        """The only row of a statement."""
        (found,) = self.rows(sql)
        return found

    def commit(self) -> None:
        """End the transaction, so that reading for long holds back no vacuum there."""
        self.count()
        with self._errors(), self._deadline():
            self.connection.commit()

    def is_alive(self) -> bool:
        """Whether the server still answers on this connection; costs a statement."""
        try:
            list(self.rows("SELECT 1"))
        except EngineError:
            return False
        return True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as exc:
            wrapped = self._wrapped(exc)
            with suppress(psycopg.Error):  # the next statement starts a new transaction
                self.connection.rollback()
            raise wrapped from exc

    def _wrapped(self, exc: psycopg.Error) -> EngineError:
        message = _first_line(exc)
        if isinstance(exc, pg.InsufficientPrivilege):
            return PermissionDenied(message)
        if isinstance(exc, pg.QueryCanceled):
            seconds = self.target.statement_timeout
            return StatementTimeout(f"A statement took longer than {seconds} s: {message}")
        gone = self.connection.broken or self.connection.closed
        if gone or isinstance(exc, pg.AdminShutdown | pg.CrashShutdown | pg.CannotConnectNow):
            return ConnectionLost(f"The server went away in the middle of a read: {message}")
        return EngineError(f"The server refused a statement: {message}")

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cut the line when the server does not even enforce its own statement_timeout.

        A stopped process or a frozen machine keeps the TCP connection alive without answering.
        """
        seconds = self.target.statement_timeout + self.target.connect_timeout
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.connection.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)


@contextmanager
def connected(target: Target, count: Callable[[], None]) -> Iterator[Session]:
    """An open session on `target.database`. Raises ConnectError, LoginRefused, UnsupportedVersion.

    The options win over whatever ALTER ROLE or ALTER DATABASE ... SET prescribes there.
    """
    with _ca_file(target.tls_ca) as ca:
        try:
            connection = psycopg.connect(**_parameters(target, ca))
        except psycopg.Error as exc:
            raise refused(target, exc) from exc
        except UnicodeError as exc:  # a host name that IDNA cannot encode
            raise ConnectError(f"{_where(target)}: unknown host.", "Check the host name.") from exc
        try:
            session = Session(connection, target, count)
            if session.version < OLDEST:
                found = connection.info.parameter_status("server_version")
                raise UnsupportedVersion(f"PostgreSQL {found} is older than 10, the oldest read.")
            yield session
        finally:
            connection.close()


def _parameters(target: Target, ca: str) -> dict[str, Any]:
    settings = {
        "search_path": "pg_catalog",
        "DateStyle": "ISO",
        "TimeZone": "UTC",
        "statement_timeout": f"{target.statement_timeout}s",
        "default_transaction_read_only": "on",
        "default_transaction_isolation": "repeatable\\ read",
        "bytea_output": "hex",
        "whalefall.partitions": target.options.get("partitions", "all"),
    }
    parameters = {
        "host": target.host,
        "port": target.port,
        "user": target.username,
        "password": target.password,
        "dbname": target.database,
        "connect_timeout": max(2, target.connect_timeout),  # libpq knows no less
        "sslmode": SSL_MODES[target.tls_mode],
        "gssencmode": "disable",
        "application_name": "whalefall",
        "client_encoding": "utf8",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    if target.tls_mode.startswith("verify"):
        # without a CA of our own, those of the system: libpq allows that for verify-full only
        parameters["sslrootcert"] = ca or "system"
    return parameters


@contextmanager
def _ca_file(ca: str) -> Iterator[str]:
    """The path of the CA's certificate, which is given as a path or as PEM text."""
    if "-----BEGIN" not in ca:
        yield ca
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(ca)
        file.flush()
        yield file.name


def refused(target: Target, exc: psycopg.Error) -> ConnectError:
    """A failed connection in our words, with the remedy.

    The driver gives no SQLSTATE here, so the server's English text is matched; a server that
    speaks another language gets its own message passed on.
    """
    text = str(exc)
    for kind, table in ((LoginRefused, REFUSALS), (ConnectError, UNREACHABLE)):
        for found, words, remedy in table:
            if found in text:
                names = _names(target)
                message = words.format(**names)
                return kind(f"{_where(target)}: {message}.", remedy.format(**names))
    said = _first_line(exc)
    kind = LoginRefused if "FATAL" in text else ConnectError
    return kind(f"{_where(target)}: {said}")


def _names(target: Target) -> dict[str, Any]:
    return {
        "user": quoted(target.username),
        "database": quoted(target.database),
        "timeout": max(2, target.connect_timeout),
    }


def _where(target: Target) -> str:
    return f"{target.username} at {target.host}:{target.port}/{target.database}"


def _first_line(exc: psycopg.Error) -> str:
    said = exc.diag.message_primary or str(exc)
    return said.strip().splitlines()[0] if said.strip() else type(exc).__name__
