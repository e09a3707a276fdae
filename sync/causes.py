"""Failed records grouped by what went wrong, whatever the instance's name and address. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.models import SyncInstanceRecord

ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){4,}", re.IGNORECASE)
# Numbers of errors stay: ORA-12541 is another cause than ORA-01017.
NUMBER = re.compile(r"(?<![-\w])\d+(?:\.\d+)?\b")
ANY = "…"
LONGEST = 300


@dataclass(slots=True)
class Cause:
    """`text` is the message with what differs from server to server left out; `example` is one
    as it was said.
    """

    text: str
    example: str
    records: list[SyncInstanceRecord] = field(default_factory=list)


def causes(records: Iterable[SyncInstanceRecord]) -> list[Cause]:
    """The most frequent first. Records want their instance at hand, for its host."""
    found: dict[str, Cause] = {}
    for record in records:
        text = plain(record)
        found.setdefault(text, Cause(text, record.error_message)).records.append(record)
    return sorted(found.values(), key=lambda cause: (-len(cause.records), cause.text))


def plain(record: SyncInstanceRecord) -> str:
    """The message of a record without its instance, host, addresses and numbers."""
    text = record.error_message
    host = record.instance.host if record.instance else ""
    for name in sorted(filter(None, (record.instance_name, host)), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", ANY, text)
    return NUMBER.sub(ANY, ADDRESS.sub(ANY, text))[:LONGEST]
