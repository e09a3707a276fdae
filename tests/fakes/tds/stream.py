"""TDS packets over plain TCP or TLS. During the handshake, TLS records travel in PRELOGIN packets.

Source: [MS-TDS] 2.2.3 (packets), 2.2.6.5 (PRELOGIN), 3.2.5.1 (TLS).
"""

from __future__ import annotations

import asyncio
import ssl
import struct

BATCH, RPC, REPLY, ATTENTION, TRANSACTION, LOGIN, PRELOGIN = (
    0x01,
    0x03,
    0x04,
    0x06,
    0x0E,
    0x10,
    0x12,
)
PACKET = 4096
HEADER = 8
LAST = 0x01


class Gone(Exception):
    """The client hung up."""


class Line:
    """One client's connection. `send` and `receive` move whole messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.tls: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.clear = b""

    async def receive(self) -> tuple[int, bytes]:
        """The next message: its type and its data."""
        data = b""
        while True:
            kind, status, length = struct.unpack(">BBH", (await self._read(HEADER))[:4])
            data += await self._read(length - HEADER)
            if status & LAST:
                return kind, data

    async def send(self, data: bytes, kind: int = REPLY) -> None:
        room = PACKET - HEADER
        parts = [data[at : at + room] for at in range(0, len(data), room)] or [b""]
        for number, part in enumerate(parts, 1):
            status = LAST if number == len(parts) else 0
            head = struct.pack(">BBHHBB", kind, status, len(part) + HEADER, 51, number % 256, 0)
            await self._write(head + part)

    async def send_part(self, data: bytes) -> None:
        """The beginning of a message that will never be finished."""
        head = struct.pack(">BBHHBB", REPLY, 0, len(data) + HEADER, 51, 1, 0)
        await self._write(head + data)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Handshake as the server. Raises ssl.SSLError where the client does not want us."""
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            if records := self.outgoing.read():
                await self.send(records, PRELOGIN)
            if done:
                self.tls = tls
                return
            self.incoming.write((await self.receive())[1])

    def stop_tls(self) -> None:
        """Where only the login was encrypted."""
        self.tls = None

    async def _read(self, size: int) -> bytes:
        if self.tls is None:
            return await self._raw(size)
        while len(self.clear) < size:
            try:
                more = self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.incoming.write(await self._some())
            except ssl.SSLError as exc:
                raise Gone from exc
            else:
                if not more:
                    raise Gone
                self.clear += more
        found, self.clear = self.clear[:size], self.clear[size:]
        return found

    async def _raw(self, size: int) -> bytes:
        try:
            return await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            raise Gone from exc

    async def _some(self) -> bytes:
        try:
            found = await self.reader.read(65536)
        except ConnectionError as exc:
            raise Gone from exc
        if not found:
            raise Gone
        return found

    async def _write(self, data: bytes) -> None:
        if self.tls is not None:
            self.tls.write(data)
            data = self.outgoing.read()
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError as exc:
            raise Gone from exc
