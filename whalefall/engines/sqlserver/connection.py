"""One connection to SQL Server: TLS modes, timeouts, rows as a stream, errors in our words.

The driver is mssql-python. It passes on the server's text but not its error numbers, hence the
matching of English words, and `SET LANGUAGE us_english` in front of every batch. Where a target's
option `driver` is `freetds`, pyodbc with FreeTDS is used: for servers that only speak TLS 1.0.

Driver calls run in a thread of their own: whatever the server does, each of them ends in time for
the caller. A call that never comes back is left behind with its connection.
"""

from __future__ import annotations

import os
import queue
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from whalefall.engines.base import Target
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    PermissionDenied,
    StatementTimeout,
)

Record = dict[str, Any]
ROWS_AT_ONCE = 1000
GRACE = 5
"""Seconds a driver's call may take longer than its own timeout before it is given up."""
TLS_MODES = {
    "off": "Encrypt=no;TrustServerCertificate=yes",
    "require": "Encrypt=yes;TrustServerCertificate=yes",
    "verify-ca": "Encrypt=yes;TrustServerCertificate=no",
    "verify-full": "Encrypt=yes;TrustServerCertificate=no",
}
LIBRARIES = "libltdl7 libgssapi-krb5-2 libkrb5-3"

REFUSALS = (
    # what the server says, the remedy
    ("is currently locked out", "ALTER LOGIN {user} WITH PASSWORD = '...' UNLOCK;"),
    ("password of the account has expired", "Give the collector's login a new password."),
    (
        "password of the account must be changed",
        "Give the collector's login a new password without MUST_CHANGE.",
    ),
    ("account is disabled", "Enable the login: ALTER LOGIN {user} ENABLE;"),
    (
        "Cannot open database",
        "Check the instance's database name, and that the login may connect to it.",
    ),
    ("Login failed for user", "Check the user name and the password, that the login is enabled "
     "and not denied CONNECT SQL, and that the server allows SQL Server authentication."),
    ("is not able to access the database", "Give the login a user in that database."),
)  # fmt: skip
UNREACHABLE = (
    (
        "Encryption not supported",
        "the server offers no TLS",
        "Set the instance's TLS mode to off, or install a certificate on the server.",
    ),
    (
        "does not match host name",
        "the server's certificate is for another host name",
        "Use the name it was issued for, or give it as option certificate_host.",
    ),
    *(
        (
            words,
            "the server's certificate is not signed by a CA that is trusted",
            "Give the instance the CA that signed it, or TLS mode require.",
        )
        for words in ("certificate verify failed", "invalid padding", "signature failure")
    ),
    (
        "unsupported protocol",
        "the server only speaks an old TLS",
        "Set the option driver to freetds for this instance, or update the server.",
    ),
    (
        "wrong version number",
        "the server does not speak TLS as expected",
        "Check the port, or set the option driver to freetds for an old server.",
    ),
    ("SSL Provider", "no TLS connection", "Check the server's certificate and its TLS versions."),
    ("Protocol error", "what listens there is not SQL Server", "Check the port."),
    ("0x2AF9", "unknown host", "Check the host name and the DNS."),
    ("0x2749", "nothing listens on that port", "Check the port and that SQL Server is running."),
    (
        "Timeout",
        "no answer within {timeout} s",
        "Check the address, port and firewall, and that SQL Server listens there.",
    ),
    (
        "0x2746",
        "it hung up before the login",
        "Check that a SQL Server listens on this port and that its TLS fits the instance's mode.",
    ),
    (
        "Failed to load",
        "Microsoft's driver lacks a library of the system",
        f"Install the packages {LIBRARIES} (Debian).",
    ),
)
DENIED = (
    re.compile(r"permission (was )?denied", re.I),
    re.compile(r"permission has not been granted", re.I),
    re.compile(r"do(es)? not have permission", re.I),
    re.compile(r"is not able to access the database", re.I),
    re.compile(r"Invalid object name", re.I),
)
LOST = ("Communication link failure", "0x2746", "0x68", "Connection is closed", "link failure")
_environment = threading.Lock()


def connect(target: Target) -> Connection:
    """An open connection. Raises ConnectError or LoginRefused with the cause and the remedy."""
    if target.tls_mode not in TLS_MODES:
        choices = ", ".join(TLS_MODES)
        raise ConnectError(f"Unknown TLS mode: {target.tls_mode}. Must be one of: {choices}")
    bounded = Bounded()
    opener = _by_freetds if target.options.get("driver") == "freetds" else _by_microsoft
    try:
        raw = bounded.call(lambda: opener(target), target.connect_timeout + GRACE)
    except TimeoutError as exc:
        raise refused(target, "Timeout") from exc
    except EngineError:
        bounded.end()
        raise
    except Exception as exc:  # the driver loads its classes late: told apart by their module
        bounded.end()
        if _is_drivers(exc):
            raise refused(target, str(exc)) from exc
        raise
    return Connection(raw, target, bounded)


class Bounded:
    """Runs calls one after the other in a thread, and waits for each only so long."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.is_stuck = False
        threading.Thread(target=self._run, name="sqlserver-driver", daemon=True).start()

    def call(self, work: Callable[[], Any], seconds: float) -> Any:
        """What `work` returns or raises. Raises TimeoutError when it takes too long."""
        if self.is_stuck:
            raise TimeoutError
        self._work.put(work)
        try:
            found, exc = self._done.get(timeout=seconds)
        except queue.Empty:
            self.is_stuck = True
            self._work.put(None)
            raise TimeoutError from None
        if exc is not None:
            raise exc
        return found

    def end(self) -> None:
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._done.put((work(), None))
            except BaseException as exc:  # handed to whoever waits for it
                self._done.put((None, exc))


class Connection:
    """Reads only. `statements` counts the batches that were sent."""

    def __init__(self, raw: Any, target: Target, bounded: Bounded) -> None:
        self.raw, self.target, self.bounded = raw, target, bounded
        self.statements = 0

    def records(self, sql: str) -> Iterator[Record]:
        """The rows of one statement by column name, as they arrive, none of them kept."""
        for _, record in self.sets(sql):
            yield record

    def record(self, sql: str) -> Record:
        """The only row of a statement."""
        (found,) = self.records(sql)
        return found

    def run(self, sql: str) -> None:
        """A statement without rows."""
        for _ in self.sets(sql):
            pass

    def sets(self, sql: str) -> Iterator[tuple[int, Record]]:
        """The rows of a batch, each with the number of its result set (from 0)."""
        self.statements += 1
        with self._errors():
            cursor = self._call(self.raw.cursor)
            try:
                self._call(lambda: cursor.execute(f"{SETTINGS}\n{sql}"))
                yield from self._read(cursor)
            finally:
                with suppress(Exception):
                    self._call(cursor.close)

    def _read(self, cursor: Any) -> Iterator[tuple[int, Record]]:
        number = 0
        while True:
            names = [column[0] for column in cursor.description or ()]
            while names and (batch := self._call(lambda: _fetched(cursor))):
                for row in batch:
                    yield number, dict(zip(names, row, strict=True))
            number += bool(names)
            if not self._call(cursor.nextset):
                return

    def close(self) -> None:
        if not self.bounded.is_stuck:
            # Where it was lost before there is nothing left to close.
            with suppress(Exception):
                self._call(self.raw.close)
        self.bounded.end()

    def _call(self, work: Callable[[], Any]) -> Any:
        return self.bounded.call(work, self.target.statement_timeout + GRACE)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as exc:
            seconds = self.target.statement_timeout + GRACE
            raise ConnectionLost(
                f"{_place(self.target)} did not answer within {seconds} s: given up."
            ) from exc
        except Exception as exc:  # as when connecting: the driver's by their module, ours go on
            if not _is_drivers(exc):
                raise
            raise self._wrapped(str(exc)) from exc

    def _wrapped(self, text: str) -> EngineError:
        """A driver's error while reading. The server's own words stay in the message."""
        said, where = _said(text), _place(self.target)
        if "timeout expired" in text.lower():
            seconds = self.target.statement_timeout
            return StatementTimeout(f"A statement at {where} took longer than {seconds} s.")
        if any(pattern.search(text) for pattern in DENIED):
            return PermissionDenied(said)
        if any(word in text for word in LOST):
            return ConnectionLost(f"{where} went away while it was being read: {said}")
        return EngineError(f"{where} could not be read: {said}")


SETTINGS = "SET LANGUAGE us_english; SET LOCK_TIMEOUT 10000;"
"""Messages that can be recognised, and no waiting behind somebody's ALTER."""


def _fetched(cursor: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cursor.fetchmany(ROWS_AT_ONCE)]


def _by_microsoft(target: Target) -> Any:
    import mssql_python  # slow to load, and not needed by who watches no SQL Server

    mssql_python.pooling(enabled=False)
    words = [
        f"Server={target.host},{target.port}",
        f"UID={_braced(target.username)}",
        f"PWD={_braced(target.password)}",
        TLS_MODES[target.tls_mode],
    ]
    if target.database:
        words.append(f"Database={_braced(target.database)}")
    if name := target.options.get("certificate_host"):
        words.append(f"HostnameInCertificate={_braced(name)}")
    with _trusting(target):
        raw = mssql_python.connect(
            ";".join(words) + ";", autocommit=True, timeout=max(1, target.connect_timeout)
        )
    raw.timeout = target.statement_timeout
    return raw


@contextmanager
def _trusting(target: Target) -> Iterator[None]:
    """The driver trusts the CAs that OpenSSL finds: ours is named by the environment, while it
    connects. One connection at a time, since the environment is the whole process's.
    """
    if not target.tls_ca or not target.tls_mode.startswith("verify"):
        yield
        return
    with _environment, _ca_file(target.tls_ca) as path:
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = path
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before


@contextmanager
def _ca_file(ca: str) -> Iterator[str]:
    """The path of the CA's certificate, which is given as a path or as PEM text."""
    if "-----BEGIN" not in ca:
        if not os.path.exists(ca):
            raise ConnectError(f"The CA file {ca} is not there.", "Give the instance its CA.")
        yield ca
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(ca)
        file.flush()
        yield file.name


def _by_freetds(target: Target) -> Any:
    try:
        import pyodbc
    except ImportError as exc:
        raise ConnectError(
            "The option driver is freetds, but pyodbc cannot be loaded.",
            "Install the package libodbc2 (Debian) and pyodbc, or remove the option.",
        ) from exc
    if "FreeTDS" not in pyodbc.drivers():
        raise ConnectError(
            "The option driver is freetds, but FreeTDS is not installed.",
            "Install the package tdsodbc (Debian), or remove the option.",
        )
    if target.tls_mode.startswith("verify"):
        raise ConnectError(
            f"FreeTDS is not used with TLS mode {target.tls_mode}.", "Choose require or off."
        )
    words = {
        "DRIVER": "{FreeTDS}",
        "SERVER": target.host,
        "PORT": str(target.port),
        "UID": _braced(target.username),
        "PWD": _braced(target.password),
        "DATABASE": _braced(target.database or "master"),
        "TDS_Version": target.options.get("tds_version", "7.3"),
        "ClientCharset": "UTF-8",
        "Encryption": "off" if target.tls_mode == "off" else "require",
    }
    text = ";".join(f"{name}={value}" for name, value in words.items())
    pyodbc.pooling = False
    raw = pyodbc.connect(text, autocommit=True, timeout=max(1, target.connect_timeout))
    raw.timeout = target.statement_timeout
    return raw


def _is_drivers(exc: Exception) -> bool:
    return (type(exc).__module__ or "").partition(".")[0] in ("mssql_python", "pyodbc") or (
        isinstance(exc, RuntimeError)
    )


def refused(target: Target, text: str) -> ConnectError:
    """A failed connection in our words, with the remedy."""
    names = {"user": _bracketed(target.username), "timeout": target.connect_timeout}
    said = _said(text)
    for words, remedy in REFUSALS:
        if words in text:
            return LoginRefused(f"{_place(target)}: {said}", remedy.format(**names))
    for words, meaning, remedy in UNREACHABLE:
        if words in text:
            return ConnectError(f"{_place(target)}: {meaning.format(**names)}.", remedy)
    if "Invalid authorization" in text:  # a login's own language is not always English
        return LoginRefused(f"{_place(target)}: {said}", "Check the user name and the password.")
    return ConnectError(f"{_place(target)} cannot be connected to: {said}")


def _said(text: str) -> str:
    """The server's or the driver's own words, without what stands round them."""
    text = text.rpartition("DDBC Error:")[2].strip()
    return re.sub(r"^(\[[^\]]*\])+", "", text).strip() or "no reason given"


def _place(target: Target) -> str:
    return f"{target.username} at {target.host}:{target.port}"


def _braced(value: str) -> str:
    """A value in a connection string, whatever it holds."""
    return "{" + value.replace("}", "}}") + "}"


def _bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"
