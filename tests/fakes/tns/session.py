"""One client's connection: packets in, packets out, and the calls in between."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tests.fakes.tns import messages
from tests.fakes.tns.login import Exchange
from tests.fakes.tns.messages import Cursor, OracleError, Result
from tests.fakes.tns.wire import Reader

if TYPE_CHECKING:
    from tests.fakes.tns.server import FakeNet

CONNECT, ACCEPT, REFUSE, DATA, MARKER = 1, 2, 4, 6, 12
BREAK, RESET, INTERRUPT = 1, 2, 3
END_OF_FILE = 0x40
TLS_HELLO = b"\x16\x03"
SDU = 8192
ROOM = SDU - 10
"""What fits one data packet beside its head."""

ADDRESSED = re.compile(r"(?:SERVICE_NAME|SID)\s*=\s*([^)]+)", re.IGNORECASE)
Answer = Callable[["Session", str, Sequence[Any]], Result]


class Died(Exception):
    """The server goes away here."""


class Session:
    """`user`, `service`: who is there and where he went. `statements`: what he sent."""

    def __init__(
        self, server: FakeNet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader, self.writer = reader, writer
        self.long_lengths = False
        self.uses_tls = writer.get_extra_info("ssl_object") is not None
        self.service = self.user = ""
        self.exchange: Exchange | None = None
        self.cursors: dict[int, Cursor] = {}
        self.statements: list[str] = []

    async def run(self) -> None:
        try:
            if self.server.silent_on == "connect":
                await asyncio.Event().wait()
            if await self._accept():
                await self._serve()
        except (asyncio.IncompleteReadError, ConnectionError, Died):
            pass
        finally:
            self.writer.transport.abort()

    # Packets

    async def receive(self) -> tuple[int, bytes]:
        """Type and body of the next packet."""
        head = await self.reader.readexactly(8)
        if head.startswith(TLS_HELLO):
            raise Died  # a listener without TLS hangs up on it
        length = struct.unpack(">I" if self.long_lengths else ">H2x", head[:4])[0]
        return head[4], await self.reader.readexactly(length - 8)

    async def send(self, kind: int, body: bytes) -> None:
        length = struct.pack(">I" if self.long_lengths else ">H2x", len(body) + 8)
        self.writer.write(length + bytes([kind, 0, 0, 0]) + body)
        await self.writer.drain()

    async def send_data(self, body: bytes) -> None:
        """An answer, cut into packets of the size that was agreed on."""
        for at in range(0, len(body), ROOM):
            await self.send(DATA, b"\0\0" + body[at : at + ROOM])

    # The listener

    async def _accept(self) -> bool:
        """Whether the listener knows the service."""
        _kind, body = await self.receive()
        length, offset = struct.unpack(">HH", body[16:20])
        text = body[offset - 8 : offset - 8 + length]
        if len(text) < length:  # a long connect string comes in a packet of its own
            _kind, more = await self.receive()
            text = more[2 : 2 + length]
        found = ADDRESSED.search(text.decode())
        self.service = found[1].strip() if found else ""
        code = self.server.listener_refuses.get(self.service.lower(), 0)
        if not code and self.service.lower() not in self.server.services:
            code = 12514
        if code:
            await self._refuse(code)
            return False
        await self.send(ACCEPT, self._acceptance())
        self.long_lengths = True
        return True

    async def _refuse(self, code: int) -> None:
        text = (
            f"(DESCRIPTION=(ERR={code})(VSNNUM=318767104)"
            f"(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))"
        ).encode()
        await self.send(REFUSE, b"\x22\0" + struct.pack(">H", len(text)) + text)

    def _acceptance(self) -> bytes:
        return (
            struct.pack(">HH", self.server.protocol, 0)
            + bytes(10)
            + b"\0"
            + bytes(9)
            + struct.pack(">I", SDU)
        )

    # Calls

    async def _serve(self) -> None:
        while True:
            kind, body = await self.receive()
            if kind == MARKER:
                await self._answer_marker(body)
            elif kind == DATA:
                if struct.unpack(">H", body[:2])[0] & END_OF_FILE:
                    return
                await self._call(await self._whole(body))

    async def _whole(self, body: bytes) -> bytes:
        """A request that is longer than one packet: the client fills each but the last."""
        request = body[2:]
        while len(body) + 8 >= SDU:
            _kind, body = await self.receive()
            request += body[2:]
        return request

    async def _call(self, request: bytes) -> None:
        """Answer one call, while listening for a break."""
        working = asyncio.ensure_future(self._answer(Reader(request)))
        listening = asyncio.ensure_future(self.receive())
        await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            # Nothing was read yet: a client waits for its answer before it goes on.
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self.send_data(working.result())
            self.server.after_answer(self)
            return
        working.cancel()
        kind, body = listening.result()
        if kind == MARKER and self.server.silent_on != "statement":
            await self._answer_marker(body)
        elif kind == MARKER:
            await asyncio.Event().wait()

    async def _answer_marker(self, body: bytes) -> None:
        """A break ends the call: marker for marker, then ORA-01013."""
        if body[2] == RESET:
            await self.send(MARKER, bytes([1, 0, RESET]))
            return
        await self.send(MARKER, bytes([1, 0, BREAK]))
        while (await self.receive())[1][2] != RESET:
            pass
        await self.send(MARKER, bytes([1, 0, RESET]))
        cancelled = OracleError(1013, "user requested cancel of current operation")
        await self.send_data(messages.error(cancelled))

    async def _answer(self, read: Reader) -> bytes:
        kind = read.byte()
        if kind == messages.PROTOCOL:
            return messages.protocol_answer()
        if kind == messages.DATA_TYPES:
            return messages.DATA_TYPES_ANSWER
        while kind == messages.PIGGYBACK:
            self._piggyback(read)
            kind = read.byte()
        assert kind == messages.FUNCTION, f"message type {kind}"
        function = read.byte()
        read.byte()  # sequence number
        try:
            return await self._function(function, read)
        except OracleError as failure:
            return messages.error(failure)
        except Died:
            raise
        except Exception as wrong:  # a fault of the fake's own is to show in the test
            return messages.error(OracleError(20000, f"{type(wrong).__name__}: {wrong}"))

    def _piggyback(self, read: Reader) -> None:
        """What clients send along with a call."""
        function = read.byte()
        read.byte()
        if function == messages.CLOSE_CURSORS:
            read.byte()
            for cursor in read.numbers(read.number()):
                self.cursors.pop(cursor, None)
        elif function == messages.SET_SCHEMA:
            read.byte()
            read.sized_string()
        elif function == messages.SESSION_STATE:
            read.number()
        elif function == messages.END_TO_END:
            messages.skip_end_to_end(read)
        else:
            raise AssertionError(f"piggyback {function}")

    async def _function(self, function: int, read: Reader) -> bytes:
        if function == messages.AUTH_CHALLENGE:
            user, _pairs = messages.read_login(read)
            self.exchange = Exchange(self.server.password(user))
            return messages.parameters(self.exchange.challenge())
        if function == messages.AUTH_ANSWER:
            return self._log_in(*messages.read_login(read))
        if function == messages.EXECUTE:
            return await self._execute(messages.read_execute(read), read)
        if function in (messages.REEXECUTE, messages.REEXECUTE_AND_FETCH):
            number, fetch = read.number(), read.number()
            read.skip("nn")
            types = self.cursors[number].bind_types
            request = messages.Execute(number, "", fetch, types)
            return await self._execute(request, read)
        if function == messages.FETCH:
            cursor = self.cursors[read.number()]
            await self.server.before_fetch(self)
            return messages.next_rows(cursor, read.number())
        return messages.STATUS  # commit, rollback, ping, log off

    def _log_in(self, user: str, answer: dict[str, str]) -> bytes:
        assert self.exchange is not None
        if not self.exchange.knows_password(answer):
            raise OracleError(1017, "invalid username/password; logon denied")
        self.server.admit(user)
        self.user = user.upper() if not user.startswith('"') else user.strip('"')
        self.server.sessions.append(self)
        facts = {
            "AUTH_SVR_RESPONSE": self.exchange.proof(),
            "AUTH_VERSION_NO": str(self.server.version_number),
            "AUTH_SESSION_ID": "42",
            "AUTH_SERIAL_NUM": "7",
            "AUTH_SC_DBUNIQUE_NAME": "FAKE",
            "AUTH_SC_REAL_DBUNIQUE_NAME": "FAKE",
            "AUTH_SC_SERVICE_NAME": self.service,
            "AUTH_INSTANCENAME": "FAKE",
            "AUTH_MAX_OPEN_CURSORS": "300",
            "AUTH_MAX_IDEN_LENGTH": "128",
            "AUTH_SC_DB_DOMAIN": "",
        }
        return messages.parameters([(key, value, 0) for key, value in facts.items()])

    async def _execute(self, request: messages.Execute, read: Reader) -> bytes:
        if request.cursor:
            cursor = self.cursors[request.cursor]
        else:
            number = max(self.cursors, default=0) + 1
            cursor = self.cursors[number] = Cursor(number, request.sql)
        cursor.bind_types = request.bind_types or cursor.bind_types
        binds = messages.read_binds(read, cursor.bind_types)
        self.statements.append(cursor.sql)
        await self.server.before_statement(self, cursor.sql)
        result = await asyncio.to_thread(self.server.answer, self, cursor.sql, binds)
        cursor.rows, cursor.types, cursor.sent = result.rows, result.all_types(), 0
        if not result.columns:
            return messages.end_of_call(cursor=cursor.number)
        head = messages.described(result, cursor.types)
        return head + messages.next_rows(cursor, request.fetch)
