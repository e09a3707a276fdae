"""What a TDS client says: the login record, and a remote call with its parameters, from bytes.

Source: [MS-TDS] 2.2.6.4 (LOGIN7), 2.2.6.6 (RPC).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

NULL_LONG = 2**64 - 1
PROCEDURES = {
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    15: "sp_unprepare",
}
FIXED = {0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x7F: 8}
SIZED = (0x24, 0x26, 0x68, 0x6D, 0x6E, 0x6F)
TEXTS, BYTES = (0xA7, 0xAF, 0xE7, 0xEF), (0xA5, 0xAD)
WIDE = (0xE7, 0xEF)


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str
    application: str
    database: str


def login(data: bytes) -> Login:
    """The LOGIN7 record. Its password is scrambled, not encrypted: that is what TLS is for."""

    def field(number: int) -> bytes:
        offset, length = struct.unpack_from("<HH", data, 36 + 4 * number)
        return data[offset : offset + 2 * length]

    password = bytes(_swapped(byte ^ 0xA5) for byte in field(2))
    words = (field(1), password, field(3), field(8))
    return Login(*(word.decode("utf-16-le") for word in words))


def _swapped(byte: int) -> int:
    return (byte << 4 | byte >> 4) & 0xFF


def prelogin(data: bytes) -> dict[int, bytes]:
    options, at = {}, 0
    while data[at] != 0xFF:
        offset, length = struct.unpack_from(">HH", data, at + 1)
        options[data[at]] = data[offset : offset + length]
        at += 5
    return options


def body(data: bytes) -> bytes:
    """A request without its headers (transaction descriptor)."""
    return data[struct.unpack_from("<I", data)[0] :]


@dataclass(frozen=True, slots=True)
class Call:
    procedure: str
    values: list[Any]


def call(data: bytes) -> Call:
    """A remote procedure call. Raises ValueError on a data type that is not known here."""
    (length,) = struct.unpack_from("<H", data)
    if length == 0xFFFF:
        number = struct.unpack_from("<H", data, 2)[0]
        procedure, at = PROCEDURES.get(number, f"procedure {number}"), 4
    else:
        procedure, at = data[2 : 2 + 2 * length].decode("utf-16-le").lower(), 2 + 2 * length
    at += 2  # option flags
    values = []
    while at < len(data):
        at += 1 + 2 * data[at] + 1  # name, status
        value, at = _parameter(data, at)
        values.append(value)
    return Call(procedure, values)


def parameter_names(declaration: str | None) -> list[str]:
    """`@P1 nvarchar(5), @P2 int` -> ["P1", "P2"]"""
    return re.findall(r"@(\w+)", declaration or "")


def _parameter(data: bytes, at: int) -> tuple[Any, int]:
    kind, at = data[at], at + 1
    if kind in FIXED:
        size = FIXED[kind]
        return int.from_bytes(data[at : at + size], "little", signed=size > 1), at + size
    if kind in SIZED:
        at += 1
        size, at = data[at], at + 1
        return _number(kind, data[at : at + size]), at + size
    if kind in TEXTS or kind in BYTES:
        return _string(data, kind, at)
    raise ValueError(f"parameter of type 0x{kind:02x}")


def _number(kind: int, raw: bytes) -> Any:
    if not raw:
        return None
    if kind == 0x26:
        return int.from_bytes(raw, "little", signed=len(raw) > 1)
    if kind == 0x68:
        return bool(raw[0])
    if kind == 0x6D:
        return struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0]
    return raw


def _string(data: bytes, kind: int, at: int) -> tuple[Any, int]:
    (room,) = struct.unpack_from("<H", data, at)
    at += 2 if kind in BYTES else 7  # collation
    if room == 0xFFFF:
        raw, at = _chunks(data, at)
    else:
        (length,) = struct.unpack_from("<H", data, at)
        at += 2
        if length == 0xFFFF:
            return None, at
        raw, at = data[at : at + length], at + length
    if raw is None or kind in BYTES:
        return raw, at
    return raw.decode("utf-16-le" if kind in WIDE else "cp1252"), at


def _chunks(data: bytes, at: int) -> tuple[bytes | None, int]:
    (total,) = struct.unpack_from("<Q", data, at)
    at += 8
    if total == NULL_LONG:
        return None, at
    found = b""
    while size := struct.unpack_from("<I", data, at)[0]:
        found += data[at + 4 : at + 4 + size]
        at += 4 + size
    return found, at + 4
