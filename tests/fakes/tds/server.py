"""The server: listens on the loopback in a thread of its own, takes logins, answers statements.

What it answers comes from a `Backend`; how it behaves as a server is in `Behaviour`, which a test
may change at any time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from tests.fakes.replica import Result
from tests.fakes.tds import requests, tokens
from tests.fakes.tds.stream import (
    ATTENTION,
    BATCH,
    LOGIN,
    PRELOGIN,
    RPC,
    TRANSACTION,
    Gone,
    Line,
)

OFF, ON, NOT_SUPPORTED, REQUIRED = range(4)
ENCRYPTION = {
    "none": dict.fromkeys(range(4), NOT_SUPPORTED),
    "off": {OFF: OFF, ON: ON, NOT_SUPPORTED: NOT_SUPPORTED, REQUIRED: ON},
    "required": {OFF: REQUIRED, ON: ON, NOT_SUPPORTED: REQUIRED, REQUIRED: ON},
}
"""TLS mode of the server -> what it answers to what the client says in PRELOGIN."""
LATER = 0.02


class SqlError(Exception):
    """An error as SQL Server tells it."""

    def __init__(self, number: int, message: str, severity: int = 14, state: int = 1) -> None:
        super().__init__(message)
        self.number, self.message, self.severity, self.state = number, message, severity, state

    def token(self) -> bytes:
        return tokens.error(self.number, self.message, self.severity, self.state)


@dataclass(slots=True)
class Session:
    """One client that is logged in."""

    login: str
    database: str
    settings: dict[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """Who knows the logins and answers statements."""

    @property
    def major(self) -> int: ...

    def log_in(self, login: requests.Login) -> Session:
        """Raises SqlError where the login is refused."""

    def answer(
        self, session: Session, sql: str, parameters: Mapping[str, Any]
    ) -> Iterable[Result | None]:
        """The result sets of a batch, None for a statement without. Raises SqlError, also after
        some of them.
        """


@dataclass(slots=True)
class Behaviour:
    """`silent`: accepts connections and says nothing. `delay`: seconds before a batch that holds
    `delay_where` is answered. `dies_where`: hangs up in the middle of the first result set of such
    a batch. `breaks`: text in a batch -> the error that comes after its first result set.
    `garbage`: greets with something that is no TDS.
    """

    tls: str = "required"
    silent: bool = False
    garbage: bool = False
    delay: float = 0.0
    delay_where: str = ""
    dies_where: str = ""
    freezes_where: str = ""
    breaks: dict[str, SqlError] = field(default_factory=dict)


class FakeSqlServer:
    """`with FakeSqlServer(backend) as server:` listens on `server.port`. `statements` are the
    batches it was sent, in order."""

    host = "127.0.0.1"

    def __init__(self, backend: Backend, certificates: Path | None = None, tls: str = "") -> None:
        self.backend = backend
        self.behaviour = Behaviour(tls=tls or ("required" if certificates else "none"))
        self.statements: list[str] = []
        self.crashes: list[str] = []
        self.port = 0
        self.context = _context(certificates) if certificates else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._clients: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *exc: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._client, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await Conversation(self, Line(reader, writer)).hold()
        except (Gone, ssl.SSLError, asyncio.CancelledError):
            pass
        except Exception as exc:
            self.crashes.append(f"{type(exc).__name__}: {exc}")
        finally:
            self._clients.discard(task)
            writer.close()


class Conversation:
    """One client from PRELOGIN to the end."""

    def __init__(self, server: FakeSqlServer, line: Line) -> None:
        self.server, self.line = server, line
        self.session = Session("", "")
        self.prepared: dict[int, tuple[str, list[str]]] = {}

    @property
    def behaviour(self) -> Behaviour:
        return self.server.behaviour

    async def hold(self) -> None:
        if self.behaviour.silent:
            await asyncio.sleep(3600)
        if self.behaviour.garbage:
            await self.line._write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return
        if not await self._greet():
            return
        while True:
            await self._answer(*await self.line.receive())

    async def _greet(self) -> bool:
        """PRELOGIN, TLS, LOGIN7: whether the client is in."""
        kind, data = await self.line.receive()
        assert kind == PRELOGIN, f"0x{kind:02x} instead of PRELOGIN"
        wanted = requests.prelogin(data).get(1, b"\0")[0] & 3
        agreed = ENCRYPTION[self.behaviour.tls][wanted]
        await self.line.send(_prelogin(agreed, self.server.backend.major))
        if agreed != NOT_SUPPORTED:
            assert self.server.context is not None
            await self.line.start_tls(self.server.context)
        kind, data = await self.line.receive()
        assert kind == LOGIN, f"0x{kind:02x} instead of LOGIN7"
        if agreed == OFF:
            self.line.stop_tls()
        try:
            self.session = self.server.backend.log_in(requests.login(data))
        except SqlError as exc:
            await self.line.send(exc.token() + tokens.done(status=tokens.FAILED))
            return False
        accepted = tokens.login_accepted(self.session.database, self.server.backend.major)
        await self.line.send(accepted + tokens.done())
        return True

    async def _answer(self, kind: int, data: bytes) -> None:
        if kind == ATTENTION:
            await self.line.send(tokens.done(status=tokens.CANCELLED))
        elif kind == TRANSACTION:
            await self.line.send(_transaction(data))
        elif kind == BATCH:
            await self._batch(requests.body(data).decode("utf-16-le", "surrogatepass"), {})
        elif kind == RPC:
            await self._call(requests.call(requests.body(data)))
        else:
            raise ValueError(f"packet of type 0x{kind:02x}")

    async def _call(self, call: requests.Call) -> None:
        values = call.values
        if call.procedure == "sp_executesql":
            names = requests.parameter_names(values[1] if len(values) > 1 else "")
            await self._batch(values[0], dict(zip(names, values[2:], strict=False)), b"")
        elif call.procedure in ("sp_prepexec", "sp_prepare"):
            handle = len(self.prepared) + 1
            self.prepared[handle] = (values[2], requests.parameter_names(values[1]))
            told = tokens.return_value(handle)
            if call.procedure == "sp_prepare":
                await self.line.send(_end_of_call(told))
            else:
                sql, names = self.prepared[handle]
                await self._batch(sql, dict(zip(names, values[3:], strict=False)), told)
        elif call.procedure == "sp_execute":
            sql, names = self.prepared[values[0]]
            await self._batch(sql, dict(zip(names, values[1:], strict=False)), b"")
        elif call.procedure == "sp_unprepare":
            await self.line.send(_end_of_call(b""))
        else:
            missing = SqlError(2812, f"Could not find stored procedure '{call.procedure}'.", 16)
            end = tokens.done(tokens.DONE_PROC, tokens.FAILED)
            await self.line.send(missing.token() + end)

    async def _batch(
        self, sql: str, parameters: Mapping[str, Any], of_call: bytes | None = None
    ) -> None:
        """Answer one batch; `of_call`: the output parameters where a procedure was called."""
        self.server.statements.append(sql)
        behaviour = self.behaviour
        if behaviour.delay and behaviour.delay_where in sql and await self._cancelled():
            return
        inner = tokens.DONE if of_call is None else tokens.DONE_IN_PROC
        reply, failed = bytearray(), False
        try:
            for result in self.server.backend.answer(self.session, sql, parameters):
                if result is None:  # a SET: no rows, but it is told
                    reply += tokens.info(5703, "Changed language setting to us_english.")
                    reply += tokens.done(inner, tokens.MORE, tokens.SET)
                    continue
                head, types = tokens.columns(result)
                reply += head
                for values in result.rows:
                    reply += tokens.row(values, types)
                if behaviour.dies_where and behaviour.dies_where in sql:
                    await self.line.send_part(bytes(reply[: len(reply) * 2 // 3][:4000]))
                    raise Gone
                if behaviour.freezes_where and behaviour.freezes_where in sql:
                    await self.line.send_part(bytes(reply[: len(reply) * 2 // 3][:4000]))
                    await asyncio.sleep(3600)
                status = tokens.COUNTED | tokens.MORE
                reply += tokens.done(inner, status, tokens.SELECT, len(result.rows))
                self._break(sql)
        except SqlError as exc:
            reply += exc.token()
            failed = True
        except (Gone, asyncio.CancelledError):
            raise
        except Exception as exc:  # the replica's own fault: seen by the test, not hidden in it
            self.server.crashes.append(f"{type(exc).__name__}: {exc}\n{sql}")
            reply += SqlError(50000, f"The fake failed: {exc}", 16).token()
            failed = True
        status = tokens.FAILED if failed else 0
        if of_call is None:
            reply += tokens.done(status=status)
        else:
            reply += tokens.return_status() + of_call + tokens.done(tokens.DONE_PROC, status, 0xE0)
        await self.line.send(bytes(reply))

    def _break(self, sql: str) -> None:
        for text, exc in self.behaviour.breaks.items():
            if text in sql:
                raise exc

    async def _cancelled(self) -> bool:
        """Wait as long as a slow statement takes; whether the client called it off meanwhile."""
        try:
            kind, _ = await asyncio.wait_for(self.line.receive(), self.behaviour.delay)
        except TimeoutError:
            return False
        assert kind == ATTENTION, f"0x{kind:02x} in the middle of a batch"
        await self.line.send(tokens.done(status=tokens.CANCELLED))
        return True


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    # TLS 1.3 would send session tickets inside PRELOGIN packets, which TDS 7.4 does not have.
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _prelogin(encryption: int, major: int) -> bytes:
    options = {
        0: struct.pack(">BBHH", major, 0, 4123, 0),
        1: bytes([encryption]),
        2: b"\0",
        3: b"",
        4: b"\0",
    }
    head, data, start = b"", b"", 5 * len(options) + 1
    for option, value in options.items():
        head += struct.pack(">BHH", option, start + len(data), len(value))
        data += value
    return head + b"\xff" + data


def _transaction(data: bytes) -> bytes:
    (request,) = struct.unpack_from("<H", requests.body(data))
    number = struct.pack("<Q", 1)
    if request == 5:  # begin
        return tokens.changed_bytes(8, number) + tokens.done()
    if request in (7, 8):  # commit, roll back
        return tokens.changed_bytes(9 if request == 7 else 10, b"", number) + tokens.done()
    return tokens.done()


def _end_of_call(told: bytes) -> bytes:
    return tokens.return_status() + told + tokens.done(tokens.DONE_PROC)
