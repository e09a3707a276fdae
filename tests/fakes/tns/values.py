"""Values as Oracle stores them: NUMBER, DATE, TIMESTAMP, RAW, VARCHAR2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any

from tests.fakes.tns.wire import string


class Type(IntEnum):
    """Type numbers on the wire."""

    VARCHAR = 1
    NUMBER = 2
    DATE = 12
    RAW = 23
    TIMESTAMP = 180


class Of(IntEnum):
    """Types of bind values that arrive under other numbers."""

    INTEGER = 3
    LONG_RAW = 24
    TIMESTAMP_TZ = 181
    TIMESTAMP_LTZ = 231


NUMBERS = (Type.NUMBER, Of.INTEGER)
TIMES = (Type.DATE, Type.TIMESTAMP, Of.TIMESTAMP_TZ, Of.TIMESTAMP_LTZ)
RAWS = (Type.RAW, Of.LONG_RAW)
ZERO = b"\x80"
POSITIVE, NEGATIVE_END = 193, 102
SIZES = {Type.NUMBER: 22, Type.DATE: 7, Type.TIMESTAMP: 11}


def type_of(values: Sequence[Any]) -> Type:
    """The column type that holds these values; VARCHAR2 where all are NULL."""
    known = [value for value in values if value is not None]
    first = known[0] if known else None
    if isinstance(first, int | float | Decimal):
        return Type.NUMBER
    if isinstance(first, datetime):
        return Type.TIMESTAMP if any(value.microsecond for value in known) else Type.DATE
    if isinstance(first, date):
        return Type.DATE
    return Type.RAW if isinstance(first, bytes | bytearray) else Type.VARCHAR


def size_of(kind: Type, values: Sequence[Any]) -> int:
    """How many bytes the client is to make room for."""
    if kind in SIZES:
        return SIZES[kind]
    return max([4000, *(len(_bytes(value)) for value in values if value is not None)])


@lru_cache(maxsize=20_000)  # a catalog repeats itself
def encoded(value: Any, kind: Type) -> bytes:
    if value is None:
        return string(None)
    if kind is Type.NUMBER:
        return string(encode_number(value))
    if kind in (Type.DATE, Type.TIMESTAMP):
        return string(encode_time(value, kind is Type.TIMESTAMP))
    return string(_bytes(value))


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode()


def decoded(body: bytes | None, kind: int) -> Any:
    """A bind value as Python has it."""
    if body is None:
        return None
    if kind in NUMBERS:
        return decode_number(body)
    if kind in TIMES:
        return decode_time(body)
    return body if kind in RAWS else body.decode()


def encode_number(value: Any) -> bytes:
    """Base 100: an exponent byte, then digits plus 1; negative ones complemented, with an end
    mark.
    """
    sign, digits, exponent = Decimal(
        str(int(value) if isinstance(value, bool) else value)
    ).as_tuple()
    assert isinstance(exponent, int), "NaN and infinity are no NUMBER"
    text = "".join(map(str, digits))
    if exponent % 2:
        text, exponent = text + "0", exponent - 1
    text = text.zfill(len(text) + len(text) % 2)
    pairs = [int(text[at : at + 2]) for at in range(0, len(text), 2)]
    power = exponent // 2 + len(pairs) - 1
    while pairs and pairs[0] == 0:
        pairs.pop(0)
        power -= 1
    while pairs and pairs[-1] == 0:
        pairs.pop()
    if not pairs:
        return ZERO
    if not sign:
        return bytes([POSITIVE + power, *(digit + 1 for digit in pairs)])
    return bytes([255 - (POSITIVE + power), *(101 - digit for digit in pairs), NEGATIVE_END])


def decode_number(body: bytes) -> int | Decimal:
    if body == ZERO:
        return 0
    positive = bool(body[0] & 0x80)
    power = (body[0] if positive else 255 - body[0]) - POSITIVE
    digits = body[1:] if positive else body[1:].removesuffix(bytes([NEGATIVE_END]))
    value = Decimal(0)
    for place, digit in enumerate(digits):
        value += Decimal(digit - 1 if positive else 101 - digit).scaleb(2 * (power - place))
    value = value if positive else -value
    return int(value) if value == value.to_integral() else value


def encode_time(value: date, with_fraction: bool) -> bytes:
    """Century and year in excess 100, hour, minute and second in excess 1."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    body = bytes([
        moment.year // 100 + 100, moment.year % 100 + 100, moment.month, moment.day,
        moment.hour + 1, moment.minute + 1, moment.second + 1,
    ])  # fmt: skip
    if with_fraction and moment.microsecond:
        body += struct.pack(">I", moment.microsecond * 1000)
    return body


def decode_time(body: bytes) -> datetime:
    century, year, month, day, hour, minute, second = body[:7]
    fraction = struct.unpack(">I", body[7:11])[0] // 1000 if len(body) >= 11 else 0
    full = (century - 100) * 100 + year - 100
    return datetime(full, month, day, hour - 1, minute - 1, second - 1, fraction)
