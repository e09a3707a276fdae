"""What is well and what is not: instances by engine and state, sessions that run, syncs that fail,
what could not be read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from sync.models import SyncCategory, SyncInstanceRecord, SyncSession
from whalefall.engines import DB_TYPES
from whalefall.instances.models import Instance

RUNNING_SHOWN = 5

CAUSES = {
    "ConnectError": _("no connection"),
    "LoginRefused": _("login refused"),
    "ConnectionLost": _("connection lost while reading"),
    "StatementTimeout": _("a statement took too long"),
    "PermissionDenied": _("permission denied"),
    "UnsupportedVersion": _("version not supported"),
    "IncompleteAccounts": _("accounts not readable"),
    "InstanceBusy": _("another sync was running"),
    "KeeperLost": _("connection to the store lost"),
    "ImproperlyConfigured": _("not set up"),
    "Refused": _("not set up"),
}
"""Kinds of errors in words; others are ours and shown by their name."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Instances of an engine: `failing` and `never` are among the `watched`."""

    db_type: str
    label: str
    watched: int
    paused: int
    never: int
    failing: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Instances whose last sync of a category failed alike. `example` is what one of them said."""

    category: str
    kind: str
    label: Any
    instances: int
    names: list[str]
    example: str
    newest: datetime | None


@dataclass(slots=True)
class Gap:
    """A part that could not be read on instances of an engine, and what would mend it."""

    db_type: str
    section: str
    instances: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Watched instances by how much of them the last good reading saw; the widest gaps first."""

    full: int
    partial: int
    never: int
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Failed:
    """A sync that fails by now: the last of its category for a watched instance."""

    category: str
    kind: str
    db_type: str
    instance: int
    name: str
    message: str
    ended: datetime | None


def failed() -> list[Failed]:
    """The newest first, in one statement."""
    told = Coalesce(KT("sync_details__error__type"), Value(""), output_field=TextField())
    rows = SyncInstanceRecord.objects.failing().annotate(kind=told).order_by("-pk")
    return [
        Failed(*row)
        for row in rows.values_list(
            "session__sync_category",
            "kind",
            "instance__db_type",
            "instance_id",
            "instance_name",
            "error_message",
            "completed_at",
        )
    ]


def engines(failed: Iterable[Failed]) -> list[Engine]:
    """In one statement; engines without an instance are left out."""
    watched = Q(is_active=True)
    rows = Instance.objects.present().order_by("db_type").values("db_type")
    counted = rows.annotate(
        watched=Count("pk", filter=watched),
        paused=Count("pk", filter=~watched),
        never=Count("pk", filter=watched & Q(last_connected_at=None)),
    )
    failing = Counter(db_type for db_type, _pk in {(one.db_type, one.instance) for one in failed})
    return [
        Engine(
            label=DB_TYPES.get(row["db_type"], row["db_type"]),
            failing=failing[row["db_type"]],
            **row,
        )
        for row in counted
    ]


def running() -> list[SyncSession]:
    """The newest of the running sessions, with their progress as of now."""
    state = SyncInstanceRecord.Status
    done = {
        "done": Count("records", filter=Q(records__status=state.COMPLETED)),
        "failed": Count("records", filter=Q(records__status=state.FAILED)),
        "reading": Count("records", filter=Q(records__status=state.RUNNING)),
    }
    sessions = SyncSession.objects.filter(status=SyncSession.Status.RUNNING)
    return list(sessions.annotate(**done).order_by("-started_at", "-pk")[:RUNNING_SHOWN])


def causes(failed: Iterable[Failed]) -> list[Cause]:
    """Grouped by category and kind of error, the most frequent first."""
    found: dict[tuple[str, str], list[Failed]] = {}
    for one in failed:
        found.setdefault((one.category, one.kind), []).append(one)
    grouped = [
        Cause(
            category=category,
            kind=kind,
            label=cause_label(kind),
            instances=len(alike),
            names=[one.name for one in alike],
            example=alike[0].message,
            newest=alike[0].ended,
        )
        for (category, kind), alike in found.items()
    ]
    return sorted(grouped, key=lambda cause: (-cause.instances, cause.category, cause.kind))


def cause_label(kind: str) -> Any:
    return CAUSES.get(kind, kind or _("not told"))


# The last good reading of each watched instance.
READ = """
    SELECT i.id, i.name, i.db_type, i.last_connected_at IS NULL, last.sections
    FROM instances i
    LEFT JOIN LATERAL (
        SELECT r.sync_details -> 'sections' AS sections FROM sync_instance_records r
        JOIN sync_sessions s ON s.id = r.session_id AND s.sync_category = %s
        WHERE r.instance_id = i.id AND r.status = 'completed'
        ORDER BY r.id DESC LIMIT 1) last ON true
    WHERE i.deleted_at IS NULL AND i.is_active
    ORDER BY i.name
"""


def coverage() -> Coverage:
    """In one statement, by the records of the last good account syncs."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [SyncCategory.ACCOUNT.value])
        rows = [(*row[:4], _sections(row[4])) for row in cursor.fetchall()]
    gaps = _gaps(rows)
    partial = {pk for gap in gaps for pk in gap.instances}
    never = sum(1 for _pk, _name, _type, is_new, _sections in rows if is_new)
    return Coverage(
        full=len(rows) - len(partial) - never,
        partial=len(partial),
        never=never,
        gaps=sorted(gaps, key=lambda gap: (-len(gap.instances), gap.db_type, gap.section)),
    )


def _gaps(rows: Iterable[tuple[int, str, str, bool, dict[str, Any]]]) -> list[Gap]:
    found: dict[tuple[str, str], Gap] = {}
    for pk, name, db_type, is_new, sections in rows:
        for section, told in {} if is_new else sections.items():
            gap = found.setdefault((db_type, section), Gap(db_type, section))
            gap.instances.append(pk)
            gap.names.append(name)
            for told_there, kept in ("remedy", gap.remedies), ("message", gap.messages):
                if (text := told.get(told_there)) and text not in kept:
                    kept.append(text)
    return list(found.values())


def _sections(value: Any) -> dict[str, Any]:
    """Django's connections give JSON of a raw cursor as text."""
    loaded = json.loads(value) if isinstance(value, str) else value
    return loaded or {}
