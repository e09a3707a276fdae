"""Looks for planted secrets in whatever a running system leaves behind, in any form."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
DEEPEST = 3
"""Tasks are pickled, compressed, put into base64 and signed; sessions likewise."""


def forms(secret: str) -> Iterator[bytes]:
    """The secret as text, quoted for an address or JSON, in hex, and inside of any base64."""
    raw = secret.encode()
    yield raw
    yield from {quote(secret, safe="").encode(), quote_plus(secret).encode()} - {raw}
    yield json.dumps(secret)[1:-1].encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):  # base64 looks different at each of three places
        whole = base64.b64encode(b"\0" * before + raw)
        core = whole[(0, 2, 3)[before] : len(whole) - 4]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


def unwrapped(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The data, and what base64 and zlib hide in it."""
    yield data
    if depth == DEEPEST:
        return
    for found in BASE64.finditer(data):
        text = found.group().rstrip(b"=")
        text = text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4)
        try:
            decoded = base64.b64decode(text)
        except (binascii.Error, ValueError):
            continue
        if decoded[:1] == b"x":
            try:
                decoded = zlib.decompress(decoded)
            except zlib.error:
                continue
        elif depth:
            continue
        yield from unwrapped(decoded, depth + 1)


def leaks(where: str, data: bytes, secrets: dict[str, str]) -> set[str]:
    """`where: which secret`, for each that is in the data."""
    looked_for = [(name, form) for name, secret in secrets.items() for form in set(forms(secret))]
    found: set[str] = set()
    for piece in unwrapped(data):
        found |= {f"{where}: {name}" for name, form in looked_for if form in piece}
    return found


def tables(cursor: Any) -> Iterator[tuple[str, bytes]]:
    """Every table of the database as COPY writes it: what pg_dump would hold."""
    cursor.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    for (name,) in cursor.fetchall():
        with cursor.copy(f"COPY {name} TO STDOUT") as rows:
            yield name, b"".join(bytes(row) for row in rows)


def redis_keys(client: Any) -> Iterator[tuple[str, bytes]]:
    """Every key with what it holds, as Redis itself would save it, and readable."""
    read = {
        b"string": lambda key: [client.get(key)],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": lambda key: [part for pair in client.hgetall(key).items() for part in pair],
        b"set": lambda key: list(client.smembers(key)),
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.scan_iter():
        values = read[client.type(key)](key)
        yield key.decode(), b"\n".join([key, *(value or b"" for value in values)])


def processes(groups: Iterable[int]) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, arguments and environment of every process of these groups."""
    wanted = set(groups)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(stat[2]) in wanted:
                arguments = (folder / "cmdline").read_bytes()
                yield f"process {folder.name}", arguments, (folder / "environ").read_bytes()
        except OSError:  # it ended meanwhile
            continue
