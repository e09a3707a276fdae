"""What a TDS server says: the tokens of a reply, as bytes.

Source: [MS-TDS] 2.2.5 (data types), 2.2.7 (tokens).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.fakes.replica import Result, Row

COLLATION = b"\x09\x04\xd0\x00\x34"  # SQL_Latin1_General_CP1_CI_AS
LONGEST = 4000  # characters of nvarchar(n)
DONE, DONE_PROC, DONE_IN_PROC = 0xFD, 0xFE, 0xFF
MORE, FAILED, COUNTED, CANCELLED = 0x01, 0x02, 0x10, 0x20
SELECT, SET = 0xC1, 0xF9
EPOCH = datetime(1900, 1, 1)

TYPES = {
    "int": b"\x26\x04",
    "bigint": b"\x26\x08",
    "bit": b"\x68\x01",
    "datetime": b"\x6f\x08",
    "float": b"\x6d\x08",
    "nvarchar": b"\xe7" + struct.pack("<H", LONGEST * 2) + COLLATION,
    "nvarchar(max)": b"\xe7\xff\xff" + COLLATION,
    "varbinary": b"\xa5" + struct.pack("<H", 8000),
}
WORDS = {"smallint": "int", "tinyint": "int", "char": "nvarchar", "varchar": "nvarchar",
         "nchar": "nvarchar", "sysname": "nvarchar", "text": "nvarchar", "datetime2": "datetime",
         "boolean": "bit", "date": "datetime"}  # fmt: skip


def text(value: str) -> bytes:
    return value.encode("utf-16-le", "surrogatepass")


def short_text(value: str) -> bytes:
    """With its length in characters in one byte."""
    return bytes([len(text(value)) // 2]) + text(value)


def long_text(value: str) -> bytes:
    return struct.pack("<H", len(text(value)) // 2) + text(value)


def done(token: int = DONE, status: int = 0, command: int = 0, count: int = 0) -> bytes:
    return struct.pack("<BHHQ", token, status, command, count)


def error(number: int, message: str, severity: int = 14, state: int = 1) -> bytes:
    return _told(0xAA, number, message, severity, state)


def info(number: int, message: str) -> bytes:
    return _told(0xAB, number, message, 0, 1)


def _told(token: int, number: int, message: str, severity: int, state: int) -> bytes:
    data = struct.pack("<iBB", number, state, severity) + long_text(message)
    data += short_text("FAKESQL") + short_text("") + struct.pack("<I", 1)
    return bytes([token]) + struct.pack("<H", len(data)) + data


def changed(what: int, new: str, old: str = "") -> bytes:
    data = bytes([what]) + short_text(new) + short_text(old)
    return b"\xe3" + struct.pack("<H", len(data)) + data


def changed_bytes(what: int, new: bytes, old: bytes = b"") -> bytes:
    data = bytes([what, len(new)]) + new + bytes([len(old)]) + old
    return b"\xe3" + struct.pack("<H", len(data)) + data


def login_accepted(database: str, major: int) -> bytes:
    ack = b"\x01" + struct.pack(">I", 0x74000004) + short_text("Microsoft SQL Server")
    ack += bytes([major, 0, 0x10, 0x1B])
    return (
        changed(1, database, "master")
        + changed_bytes(7, COLLATION)
        + changed(2, "us_english")
        + b"\xad" + struct.pack("<H", len(ack)) + ack
        + changed(4, "4096", "4096")
    )  # fmt: skip


def return_value(handle: int) -> bytes:
    """The output parameter of sp_prepare and sp_prepexec."""
    head = b"\xac" + struct.pack("<H", 0) + b"\0\x01" + struct.pack("<IH", 0, 0)
    return head + b"\x26\x04\x04" + struct.pack("<i", handle)


def return_status(status: int = 0) -> bytes:
    return struct.pack("<Bi", 0x79, status)


def columns(result: Result) -> tuple[bytes, list[str]]:
    """The description of a result set, and the type of each column."""
    types = [
        _type_of(type_, [row[at] for row in result.rows]) for at, type_ in enumerate(result.types)
    ]
    data = b"\x81" + struct.pack("<H", len(types))
    for name, type_ in zip(result.columns, types, strict=True):
        data += struct.pack("<IH", 0, 9) + TYPES[type_] + short_text(name[:120])
    return data, types


def row(values: Row, types: Sequence[str]) -> bytes:
    return b"\xd1" + b"".join(map(_value, values, types))


def _type_of(said: str | None, values: Sequence[Any]) -> str:
    """As said by the catalog, else by the values; long text needs nvarchar(max)."""
    known = [value for value in values if value is not None]
    type_ = WORDS.get(said or "", said or "")
    if type_ not in TYPES:
        type_ = _sniffed(known)
    if type_ == "int" and any(abs(value) >= 2**31 for value in known):
        type_ = "bigint"
    if type_ == "nvarchar" and any(len(str(value)) > LONGEST // 2 for value in known):
        type_ = "nvarchar(max)"
    return type_


def _sniffed(known: Sequence[Any]) -> str:
    for kind, type_ in ((bool, "bit"), (int, "int"), (float, "float"), (bytes, "varbinary")):
        if known and all(isinstance(value, kind) for value in known):
            return type_
    return "nvarchar"


def _value(value: Any, type_: str) -> bytes:
    if type_ == "nvarchar(max)":
        if value is None:
            return b"\xff" * 8
        data = text(str(value))
        chunk = struct.pack("<I", len(data)) + data if data else b""
        return struct.pack("<Q", len(data)) + chunk + struct.pack("<I", 0)
    if type_ in ("nvarchar", "varbinary"):
        if value is None:
            return b"\xff\xff"
        data = bytes(value) if type_ == "varbinary" else text(str(value))
        return struct.pack("<H", len(data)) + data
    return b"\0" if value is None else _fixed(value, type_)


def _fixed(value: Any, type_: str) -> bytes:
    if type_ == "int":
        return b"\x04" + struct.pack("<i", value)
    if type_ == "bigint":
        return b"\x08" + struct.pack("<q", value)
    if type_ == "bit":
        return b"\x01" + bytes([bool(value)])
    if type_ == "float":
        return b"\x08" + struct.pack("<d", value)
    since = (datetime.fromisoformat(value) if isinstance(value, str) else value) - EPOCH
    ticks = round((since.seconds + since.microseconds / 1e6) * 300)
    return b"\x08" + struct.pack("<iI", since.days, ticks)
