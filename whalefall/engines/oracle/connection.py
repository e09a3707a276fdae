"""One connection to Oracle: opened, read from, cut when it does not answer.

The driver's thin mode runs on an event loop of this connection's own: a listener that accepts and
then says nothing would hold its synchronous `connect` for ever, a task can be ended. Thick mode
(Oracle 11.2, native network encryption) is used for everything where ORACLE_CLIENT_DIR is set.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import oracledb

from whalefall.engines.base import Target
from whalefall.engines.errors import ConnectError, ConnectionLost
from whalefall.engines.oracle.failures import refused, silent, where, wrapped

T = TypeVar("T")
ROWS_AT_ONCE = 1000
GRACE = 5
"""Seconds a server gets, beyond the statement's own timeout, to answer the request to stop."""
TLS_MODES = ("off", "require", "verify-ca", "verify-full")
CLIENT_DIR = "ORACLE_CLIENT_DIR"
BY_SID = "sid:"
"""A database `sid:ORCL` on the instance means a SID; without it, a service name."""


class Loop(asyncio.SelectorEventLoop):
    """Knows the lines that were opened on it, so that they can be cut. `address`: an IP address
    that the server's certificate must name; the driver itself only compares names of hosts.
    """

    def __init__(self, address: str = "") -> None:
        super().__init__()
        self.lines: list[Any] = []
        self.address = address

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        transport, protocol = await super().create_connection(*args, **options)
        self.lines.append(transport)
        return transport, protocol

    async def start_tls(
        self, transport: Any, protocol: Any, sslcontext: Any, **options: Any
    ) -> Any:
        if self.address:
            sslcontext.check_hostname = True
            options["server_hostname"] = self.address
        return await super().start_tls(transport, protocol, sslcontext, **options)

    def cut(self) -> None:
        """End every line without a word, and the loop."""
        self.run_until_complete(self._abort())
        self.close()

    async def _abort(self) -> None:
        for line in self.lines:
            line.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=1)
        await asyncio.sleep(0)  # the lines close in the loop's next round


async def _bounded(step: Coroutine[Any, Any, T], seconds: float) -> T:
    """The answer of a step. Raises TimeoutError and leaves the step behind: the driver may well
    wait for the server again where it is asked to stop, so that `asyncio.wait_for` would hang.
    """
    task = asyncio.ensure_future(step)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        raise TimeoutError
    return task.result()


class Thin:
    """A connection in thin mode. Every step has a deadline that no server can move."""

    def __init__(self, target: Target) -> None:
        self.target = target
        by_address = target.tls_mode == "verify-full" and _is_address(target.host)
        self.loop = Loop(target.host if by_address else "")
        self.is_silent = False
        self.deadline = target.statement_timeout + GRACE
        try:
            self.raw = self._within(self._open(), target.connect_timeout)
            self.raw.call_timeout = target.statement_timeout * 1000
        except TimeoutError as exc:
            self.loop.cut()
            raise silent(target) from exc
        except (oracledb.Error, OSError) as exc:
            self.loop.cut()
            raise refused(target, exc) from exc
        except BaseException:  # an interrupt as well must not leave the loop's socket open
            self.loop.cut()
            raise

    async def _open(self) -> Any:
        return await oracledb.connect_async(
            **parameters(self.target), ssl_context=context(self.target)
        )

    def _within(self, step: Coroutine[Any, Any, T], seconds: float) -> T:
        return self.loop.run_until_complete(_bounded(step, seconds))

    @property
    def version(self) -> str:
        return str(self.raw.version)

    def execute(self, sql: str, binds: Mapping[str, Any]) -> Any:
        cursor = self.raw.cursor()
        cursor.arraysize = cursor.prefetchrows = ROWS_AT_ONCE
        self._step(cursor.execute(sql, dict(binds)))
        return cursor

    def fetch(self, cursor: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._step(cursor.fetchmany(ROWS_AT_ONCE))
        return rows

    def _step(self, step: Coroutine[Any, Any, T]) -> T:
        try:
            return self._within(step, self.deadline)
        except TimeoutError as exc:
            self.is_silent = True
            raise ConnectionLost(
                f"{where(self.target)} did not answer within {self.deadline} s, not even the "
                "request to stop."
            ) from exc

    def close(self) -> None:
        with suppress(oracledb.Error, OSError, TimeoutError):
            if not self.is_silent:
                self._within(self.raw.close(), GRACE)
        self.loop.cut()


class Thick:
    """A connection through Oracle's own client libraries, which keep the deadlines themselves."""

    def __init__(self, target: Target, directory: str) -> None:
        try:
            if oracledb.is_thin_mode():
                oracledb.init_oracle_client(lib_dir=directory)
        except oracledb.Error as exc:
            raise ConnectError(
                f"Oracle's client libraries in {CLIENT_DIR} cannot be used: {exc}".splitlines()[0],
                "Install Instant Client there, or unset the variable for thin mode.",
            ) from exc
        try:
            self.raw = oracledb.connect(**parameters(target))
            self.raw.call_timeout = target.statement_timeout * 1000
        except (oracledb.Error, OSError) as exc:
            raise refused(target, exc) from exc

    @property
    def version(self) -> str:
        return str(self.raw.version)

    def execute(self, sql: str, binds: Mapping[str, Any]) -> Any:
        cursor = self.raw.cursor()
        cursor.arraysize = cursor.prefetchrows = ROWS_AT_ONCE
        cursor.execute(sql, dict(binds))
        return cursor

    def fetch(self, cursor: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = cursor.fetchmany(ROWS_AT_ONCE)
        return rows

    def close(self) -> None:
        with suppress(oracledb.Error):
            self.raw.close()


class Connection:
    """What the engine reads through. `statements` counts what was sent."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.statements = 0
        directory = os.environ.get(CLIENT_DIR, "")
        self.line = Thick(target, directory) if directory else Thin(target)

    @property
    def version(self) -> str:
        """As the login was told it: `19.3.0.0.0`."""
        return self.line.version

    def execute(self, sql: str) -> None:
        """Send a statement without rows."""
        self.statements += 1
        with self._errors():
            self.line.execute(sql, {}).close()

    def rows(self, sql: str, **binds: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query as they arrive. Raises the EngineErrors of reading."""
        self.statements += 1
        with self._errors():
            cursor = self.line.execute(sql, binds)
            try:
                while batch := self.line.fetch(cursor):
                    yield from batch
            finally:
                cursor.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (oracledb.Error, OSError) as exc:
            raise wrapped(self.target, exc) from exc

    def close(self) -> None:
        self.line.close()


def parameters(target: Target) -> dict[str, Any]:
    """What both modes of the driver are called with. Raises ConnectError on what cannot be."""
    if target.tls_mode not in TLS_MODES:
        choices = ", ".join(TLS_MODES)
        raise ConnectError(f"Unknown TLS mode: {target.tls_mode}. Must be one of: {choices}")
    if not target.database:
        raise ConnectError(
            f"{target.host}:{target.port}: no service is named.",
            "Give the instance its service name (or sid:NAME) as database.",
        )
    by_sid = target.database.lower().startswith(BY_SID)
    place = target.database[len(BY_SID) :] if by_sid else target.database
    return {
        "host": target.host,
        "port": target.port,
        "sid" if by_sid else "service_name": place,
        "user": target.username,
        "password": str(target.password),  # the driver takes no subclass of str
        "protocol": "tcp" if target.tls_mode == "off" else "tcps",
        "ssl_server_dn_match": target.tls_mode == "verify-full" and not _is_address(target.host),
        "tcp_connect_timeout": target.connect_timeout,
        "retry_count": 0,
        "disable_oob": True,
        "program": "whalefall",
    }


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def context(target: Target) -> ssl.SSLContext | None:
    """TCPS: `require` checks nothing, `verify-ca` the issuer, `verify-full` the name as well (which
    the driver does). The CA is a path or PEM text; without one, those of this machine.
    """
    if target.tls_mode == "off":
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    if target.tls_mode == "require":
        made.verify_mode = ssl.CERT_NONE
        return made
    try:
        if "-----BEGIN" in target.tls_ca:
            made.load_verify_locations(cadata=target.tls_ca)
        elif target.tls_ca:
            made.load_verify_locations(cafile=target.tls_ca)
        else:
            made.load_default_certs()
    except OSError as exc:
        raise ConnectError(
            f"{where(target)}: the CA to verify the server with cannot be read: {exc}.",
            "Give the instance its CA, as a path or as PEM text.",
        ) from exc
    return made
