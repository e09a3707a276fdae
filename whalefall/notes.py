"""What the request or command at hand works on, gathered for its entry in the audit log.

Apart from `audit`, which needs Django's apps: `manage.py` begins before they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

MOST_IDS = 100
_notes: ContextVar[list[dict[str, Any]] | None] = ContextVar("audit_notes", default=None)


def note(obj: Any, change: str = "") -> None:
    """What the request at hand works on. Outside of a request nothing happens."""
    notes = _notes.get()
    if notes is not None and obj is not None:
        label = obj._meta.label_lower
        notes.append({"type": label, "id": str(obj.pk), "name": str(obj), "change": change})


@contextmanager
def noting() -> Iterator[list[dict[str, Any]]]:
    """The list that `note` fills meanwhile."""
    notes: list[dict[str, Any]] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def only_one(notes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one object that all notes are about; None where there are several, or none."""
    several = len({(each["type"], each["id"]) for each in notes}) != 1
    return None if several else notes[0]


def details(notes: list[dict[str, Any]], about: Any) -> dict[str, Any]:
    """`changes`, and the names of `objects` where the entry is not about one alone."""
    found: dict[str, Any] = {}
    if changes := [each["change"] for each in notes if each["change"]]:
        found["changes"] = list(dict.fromkeys(changes))[:MOST_IDS]
    if about is None and notes:
        found["objects"] = list(dict.fromkeys(each["name"] for each in notes))[:MOST_IDS]
    return found
