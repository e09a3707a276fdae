"""The primitives of TTC: numbers, byte strings and key-value pairs, read and written."""

from __future__ import annotations

SHORT = 252
"""Longest byte string whose length fits one byte; longer ones go in chunks."""
CHUNK = 32767
CHUNKED = 254
NULLS = (0, 255)


def number(value: int) -> bytes:
    """An unsigned integer: a byte that says how many follow, then those, the highest first."""
    if value == 0:
        return b"\0"
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def numbers(*values: int) -> bytes:
    return b"".join(map(number, values))


def string(body: bytes | None) -> bytes:
    """A byte string with its length; None and b"" are both Oracle's NULL."""
    if not body:
        return b"\0"
    if len(body) <= SHORT:
        return bytes([len(body)]) + body
    chunks = (body[at : at + CHUNK] for at in range(0, len(body), CHUNK))
    return bytes([CHUNKED]) + b"".join(number(len(chunk)) + chunk for chunk in chunks) + number(0)


def sized_string(body: bytes) -> bytes:
    """A byte string that is announced by its length as a number, then written with it again."""
    return number(len(body)) + (string(body) if body else b"")


def pair(key: str, value: str, flags: int = 0) -> bytes:
    return sized_string(key.encode()) + sized_string(value.encode()) + number(flags)


class Reader:
    """Walks through one request."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def raw(self, count: int) -> bytes:
        body = self.data[self.at : self.at + count]
        self.at += count
        return body

    def byte(self) -> int:
        return self.raw(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.raw(self.byte() & 0x7F), "big")

    def numbers(self, count: int) -> list[int]:
        return [self.number() for _ in range(count)]

    def string(self) -> bytes | None:
        length = self.byte()
        if length in NULLS:
            return None
        if length != CHUNKED:
            return self.raw(length)
        body = b""
        while size := self.number():
            body += self.raw(size)
        return body

    def sized_string(self) -> bytes:
        return (self.string() or b"") if self.number() else b""

    def skip(self, plan: str) -> None:
        """Fields that do not matter here: `b` for a byte, `n` for a number."""
        for field in plan:
            if field == "b":
                self.byte()
            else:
                self.number()
