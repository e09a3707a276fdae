"""The messages of TTC that a server sends, and the parts of requests that it reads."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.tns.values import Type, decoded, encoded, size_of, type_of
from tests.fakes.tns.wire import Reader, number, numbers, pair, sized_string, string

FIELD_VERSION = 12
"""The TTC field version of 19.1: it fixes how the messages are laid out, whatever is posed as."""
UTF8 = 873
NO_DATA_FOUND = 1403
STATUS = b"\x09" + numbers(0, 1)

EXECUTE, FETCH, REEXECUTE, REEXECUTE_AND_FETCH = 94, 5, 4, 78
AUTH_CHALLENGE, AUTH_ANSWER = 118, 115
PING, LOGOFF, COMMIT, ROLLBACK = 147, 9, 14, 15
PROTOCOL, DATA_TYPES, FUNCTION, PIGGYBACK, BIND_ROW = 1, 2, 3, 17, 7
CLOSE_CURSORS, SET_SCHEMA, END_TO_END, SESSION_STATE = 105, 152, 135, 176


class OracleError(Exception):
    """An error by number, as `ORA-00942: table or view does not exist`. `position` in the SQL."""

    def __init__(self, code: int, message: str, position: int = 0) -> None:
        super().__init__(f"ORA-{code:05d}: {message}")
        self.code = code
        self.position = position


@dataclass(slots=True)
class Result:
    """Rows of an answer. `types` where the values do not tell them."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    types: Sequence[Type | None] = ()

    def all_types(self) -> list[Type]:
        given = list(self.types) or [None] * len(self.columns)
        return [kind or type_of([row[at] for row in self.rows]) for at, kind in enumerate(given)]


@dataclass(slots=True)
class Cursor:
    """An open statement on the server. `sent`: how many rows the client has."""

    number: int
    sql: str
    bind_types: list[int] = field(default_factory=list)
    rows: Sequence[Sequence[Any]] = ()
    types: list[Type] = field(default_factory=list)
    sent: int = 0


def protocol_answer() -> bytes:
    """Character set, and what the server is able to do."""
    compile_time, run_time = bytearray(55), bytearray(11)
    compile_time[7] = FIELD_VERSION
    run_time[6] = 4  # strings up to 32767 bytes
    charsets = bytes(9) + struct.pack(">H", 2000)
    return (
        b"\x01\x06\0x86_64/Linux 2.4.xx\0"
        + struct.pack("<H", UTF8)
        + b"\x01"
        + struct.pack("<H", 0)
        + struct.pack(">H", len(charsets))
        + charsets
        + string(bytes(compile_time))
        + string(bytes(run_time))
    )


DATA_TYPES_ANSWER = b"\x02\0\0"


def parameters(pairs: Sequence[tuple[str, str, int]]) -> bytes:
    """The key-value pairs of the login."""
    return b"\x08" + number(len(pairs)) + b"".join(pair(*each) for each in pairs) + STATUS


def end_of_call(
    code: int = 0, message: str = "", cursor: int = 0, rows: int = 0, position: int = 0
) -> bytes:
    """The closing message of every call; with a code, the error."""
    body = b"\x04" + numbers(0, 1, rows, code if code < 65536 else 0, 0, 0, cursor, position)
    body += bytes(6) + numbers(0, 0) + b"\0" + numbers(0, 0) + number(0) + bytes(2)
    body += numbers(0, 0, 0, 0, 0, 0, code, rows)
    return body + (string(message.encode()) if code else b"")


def error(failure: OracleError) -> bytes:
    return end_of_call(failure.code, f"{failure}\n", position=failure.position)


def described(result: Result, types: Sequence[Type]) -> bytes:
    """The columns of a query."""
    body = b"\x10\0" + numbers(4000, len(types)) + (b"\x01" if types else b"")
    for at, (name, kind) in enumerate(zip(result.columns, types, strict=True)):
        size = size_of(kind, [row[at] for row in result.rows])
        is_text = kind is Type.VARCHAR
        scale = 256 - 127 if kind is Type.NUMBER else 0  # any number of decimals
        body += bytes([kind, 0, 0, scale]) + numbers(size, 0, 0, 0, 0, UTF8 if is_text else 0)
        body += bytes([1 if is_text else 0])
        body += numbers(size if kind in (Type.VARCHAR, Type.RAW) else 0, 0) + b"\x01"
        encoded_name = name.encode()
        body += bytes([len(encoded_name)]) + sized_string(encoded_name) + numbers(0, 0, at + 1, 0)
    return body + numbers(0, 0, 0, 0, 0, 0)


def next_rows(cursor: Cursor, count: int) -> bytes:
    """The next `count` rows; at the end with ORA-01403, which the client takes for the end."""
    part = cursor.rows[cursor.sent : cursor.sent + count]
    cursor.sent += len(part)
    pieces = [b"\x06\0", numbers(len(cursor.types), 0, len(part), 0, 0, 0)] if part else []
    for row in part:
        pieces.append(b"\x07")
        pieces += [encoded(value, kind) for value, kind in zip(row, cursor.types, strict=True)]
    body = b"".join(pieces)
    if cursor.sent >= len(cursor.rows):
        last = end_of_call(NO_DATA_FOUND, "ORA-01403: no data found\n", cursor.number, cursor.sent)
        return body + last
    return body + end_of_call(cursor=cursor.number, rows=cursor.sent)


@dataclass(frozen=True, slots=True)
class Execute:
    """A request to execute: the SQL where it is new, else the number of an open cursor."""

    cursor: int
    sql: str
    fetch: int
    bind_types: list[int]


def read_execute(read: Reader) -> Execute:
    read.number()  # options
    cursor = read.number()
    read.skip("bnbnbbn")
    fetch = read.number()
    read.skip("nb")
    binds = read.number()
    read.raw(5)
    read.skip("bnn")
    read.raw(3)
    read.skip("nbn" + "nbnbbnbnbbn")
    sql = (read.string() or b"").decode() if cursor == 0 else ""
    read.numbers(13)
    return Execute(cursor, sql, fetch, [_bind_type(read) for _ in range(binds)])


def _bind_type(read: Reader) -> int:
    kind = read.byte()
    read.raw(3)
    read.skip("nnn")
    if read.number():
        read.string()
    read.skip("nnbnn")
    return kind


def read_binds(read: Reader, types: Sequence[int]) -> list[Any]:
    """The values of the one row of binds that a query has."""
    if not types:
        return []
    assert read.byte() == BIND_ROW
    return [decoded(read.string(), kind) for kind in types]


def read_login(read: Reader) -> tuple[str, dict[str, str]]:
    """User name and key-value pairs of a login request."""
    read.skip("bnnb")
    count = read.number()
    read.skip("bb")
    user = (read.string() or b"").decode()
    pairs = {}
    for _ in range(count):
        key = read.sized_string().decode()
        pairs[key] = read.sized_string().decode()
        read.number()
    return user, pairs


def skip_end_to_end(read: Reader) -> None:
    """Client identifier, module, action ...: names of the session, which nobody asks for here."""
    read.skip("bbn")
    sizes = []
    for _ in range(3):
        there = read.byte()
        size = read.number()
        sizes.append(size if there else 0)
    for _ in range(2):
        read.skip("bnbn")
        read.byte()
        sizes.append(read.number())
    for size in sizes:
        if size:
            read.string()
