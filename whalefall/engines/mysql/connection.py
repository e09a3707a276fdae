"""One connection to MySQL or MariaDB: TLS modes, timeouts, rows as a stream, errors in our words.

mysqlclient is linked with libmariadb, whose TLS differs from what MySQL's client does (all seen on
real servers): a CA file alone turns TLS on and has the chain checked, ssl_mode=VERIFY_CA checks the
host name as well, and ssl_mode=REQUIRED goes on in plain text when the server offers no TLS. Hence
`_tls` and the check after connecting.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
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

try:
    import MySQLdb
    from MySQLdb.constants import CLIENT
    from MySQLdb.cursors import SSCursor
except ImportError:
    # It is built on the machine, which takes a compiler. Rules, forms and all that is stored work
    # without it.
    MySQLdb = None

TLS_MODES: Mapping[str, Mapping[str, str]] = {
    "off": {"ssl_mode": "DISABLED"},
    "require": {"ssl_mode": "REQUIRED"},
    "verify-ca": {"ssl_mode": "REQUIRED"},
    "verify-full": {"ssl_mode": "VERIFY_IDENTITY"},
}

GRACE = 5
"""Seconds that the socket waits longer than the server may take, so that the server's own timeout
comes first and leaves the connection usable.
"""

LOGIN_REFUSED = {1045, 1044, 1130, 1698, 1820, 1862, 3118, 3955, 4151}
BLOCKED = {1129, 1040, 1203, 1226}
PERMISSION_DENIED = {1044, 1142, 1143, 1227, 1345, 1370, 1410}
TIMED_OUT = {1969, 3024}
LOST = {1053, 1077, 1317, 1927, 2006, 2013, 2055, 4031}
PLUGIN_MISSING = {1251, 1524, 2059, 2061}

PLUGIN_REMEDY = (
    "Give the collector's account caching_sha2_password or, on old servers, mysql_native_password."
)
REMEDIES = {
    1045: "Check the user name and the password, and that the account may come from this host.",
    1130: "Create the collector's account for the host that WhaleFall connects from.",
    1698: "This account logs in by the operating system; give the collector one with a password.",
    1820: "Give the collector's account a new password: this one has expired.",
    1862: "Give the collector's account a new password: this one has expired.",
    3118: "Unlock the collector's account (ALTER USER ... ACCOUNT UNLOCK).",
    3955: "Wait until the account is unlocked, or unlock it: too many failed logins.",
    4151: "Unlock the collector's account (ALTER USER ... ACCOUNT UNLOCK).",
    1129: "Unblock this host (FLUSH HOSTS, or TRUNCATE performance_schema.host_cache).",
    1040: "Raise max_connections or try again later.",
    1203: "Raise max_user_connections or try again later.",
    1226: "Raise the resource limits of the collector's account.",
}


def connect(target: Target) -> Connection:
    """A connection whose TLS is what was asked for. Raises ConnectError with cause and remedy."""
    if MySQLdb is None:
        raise ConnectError(
            "The driver mysqlclient is not installed.",
            "Install gcc, pkg-config, libmariadb-dev and python3-dev, then run make setup.",
        )
    started = time.monotonic()
    try:
        raw = MySQLdb.connect(**_arguments(target))
    except MySQLdb.Error as exc:
        raise _refused(exc, target, time.monotonic() - started) from exc
    if target.tls_mode != "off" and not raw.server_capabilities & CLIENT.SSL:
        raw.close()
        raise _tls_refused(f"{target.host}:{target.port}", "does not support TLS")
    return Connection(raw, target)


class Connection:
    """Reads only. `statements` counts what was sent, the driver's own included."""

    def __init__(self, raw: Any, target: Target) -> None:
        self.raw = raw
        self.target = target
        self.statements = 1  # the driver's SET NAMES

    @property
    def server_info(self) -> str:
        """The version in the server's greeting; a proxy may put its own there."""
        info: str = self.raw.get_server_info()
        return info

    def execute(self, sql: str) -> None:
        for _ in self.rows(sql):
            pass

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows as they arrive, none of them kept. Read to the end before the next statement."""
        yield from (row for _, row in self._stream(sql, parameters))

    def records(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows by column name: for `SELECT *`, whose columns come and go with the version."""
        for names, row in self._stream(sql, parameters):
            yield dict(zip(names, row, strict=True))

    def _stream(
        self, sql: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[list[str], tuple[Any, ...]]]:
        self.statements += 1
        try:
            with closing(self.raw.cursor(SSCursor)) as cursor:
                cursor.execute(sql, parameters or None)
                names = [column[0] for column in cursor.description or ()]
                while batch := cursor.fetchmany(1000):
                    for row in batch:
                        yield names, row
        except MySQLdb.Error as exc:
            raise _wrapped(exc, self.target) from exc

    def close(self) -> None:
        # Where it was lost before there is nothing left to close.
        with suppress(MySQLdb.Error):
            self.raw.close()


def _arguments(target: Target) -> dict[str, Any]:
    # libmariadb takes "localhost" for the machine's own socket file; we were given a port.
    host = "127.0.0.1" if target.host == "localhost" else target.host
    return {
        "host": host,
        "port": target.port,
        "user": target.username,
        "password": target.password,
        "connect_timeout": target.connect_timeout,
        "read_timeout": target.statement_timeout + GRACE,
        "write_timeout": target.statement_timeout + GRACE,
        "charset": "utf8mb4",
        "autocommit": True,
        # A hostile server could ask for files of this machine.
        "local_infile": 0,
        **_tls(target),
    }


def _tls(target: Target) -> dict[str, Any]:
    if target.tls_mode not in TLS_MODES:
        choices = ", ".join(TLS_MODES)
        raise ConnectError(f"Unknown TLS mode: {target.tls_mode}. Must be one of: {choices}")
    arguments: dict[str, Any] = dict(TLS_MODES[target.tls_mode])
    if target.tls_mode == "verify-ca" and not target.tls_ca:
        raise ConnectError("TLS mode verify-ca needs a CA file.", "Give the instance its CA file.")
    if target.tls_ca and target.tls_mode in ("verify-ca", "verify-full"):
        arguments["ssl"] = {"ca": target.tls_ca}
    return arguments


def _wrapped(exc: MySQLdb.Error, target: Target) -> EngineError:
    """A driver's error while reading, in our words. The server's own text stays in the message."""
    number, text = _parts(exc)
    where = f"{target.host}:{target.port}"
    if number in TIMED_OUT:
        return StatementTimeout(f"{where} did not answer within {target.statement_timeout} s.")
    if number in LOST or (number == 2026 and "timeout" in text.lower()):
        return ConnectionLost(f"{where} went away while it was being read: {text}.")
    if number in PERMISSION_DENIED:
        return PermissionDenied(f"{text} ({number})")
    return EngineError(f"{where} could not be read: {text} ({number})")


def _refused(exc: MySQLdb.Error, target: Target, took: float) -> ConnectError:
    number, text = _parts(exc)
    where = f"{target.host}:{target.port}"
    if number in LOGIN_REFUSED:
        remedy = REMEDIES.get(number, REMEDIES[1045])
        return LoginRefused(f"{where} refused the login: {text} ({number}).", remedy)
    if number in BLOCKED:
        return LoginRefused(f"{where} takes no login now: {text} ({number}).", REMEDIES[number])
    if number in PLUGIN_MISSING:
        message = f"{where} wants another way of login: {text} ({number})."
        return LoginRefused(message, PLUGIN_REMEDY)
    if number == 2026:
        return _tls_refused(where, text)
    if number == 3159:
        return ConnectError(
            f"{where} takes no login without TLS.", "Set the instance's TLS mode to require."
        )
    if number in (2002, 2003, 2005, 2013):
        return _unreachable(target, where, text, took)
    return ConnectError(f"{where} cannot be connected to: {text} ({number}).")


def _tls_refused(where: str, text: str) -> ConnectError:
    if "does not support" in text:
        remedy = "Turn TLS on at the server, or set the instance's TLS mode to off."
        return ConnectError(f"{where} offers no TLS.", remedy)
    remedy = "Check the CA file and that the certificate names this host."
    return ConnectError(f"No TLS connection to {where}: {text}.", remedy)


def _unreachable(target: Target, where: str, text: str, took: float) -> ConnectError:
    """The driver says the same for a closed port and a silent host: tell them apart here."""
    try:
        socket.getaddrinfo(target.host, target.port)
    except OSError:
        return ConnectError(f"Unknown host: {target.host}.", "Check the host name and the DNS.")
    if took >= target.connect_timeout * 0.9:
        remedy = "Check for a firewall in between, and that a MySQL or MariaDB listens there."
        return ConnectError(f"{where} did not answer within {target.connect_timeout} s.", remedy)
    if "reading initial communication packet" in text or "handshake" in text:
        remedy = "Check that a MySQL or MariaDB listens on this port and lets this host in."
        return ConnectError(f"{where} hung up before the login: {text}.", remedy)
    remedy = "Check the host and the port, and that the server is running."
    return ConnectError(f"{where} refused the connection.", remedy)


def _parts(exc: MySQLdb.Error) -> tuple[int, str]:
    if len(exc.args) >= 2:
        return int(exc.args[0]), str(exc.args[1]).rstrip(".")
    return 0, str(exc)
