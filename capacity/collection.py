"""What was measured on a server, into the store: which databases there are, and the day's sizes.

The last reading of a day counts; a reading that brought no size takes none away. Set-based: the
count of statements does not depend on the number of databases or tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity import partitions
from whalefall.engines.observed import ObservedDatabase, ObservedTable, ObservedVolume, Section
from whalefall.instances.models import Instance

UNFIT = re.compile("[\x00\ud800-\udfff]")
LONGEST_NAME = 256
LONGEST_REASON = 500

SEEN = """
DROP TABLE IF EXISTS pg_temp.seen_database;
CREATE TEMP TABLE seen_database (
    name text PRIMARY KEY, size bigint, data bigint, log bigint, index bigint, free bigint,
    may_grow_to bigint, reason text NOT NULL
) ON COMMIT DROP
"""
COPY_SEEN = (
    "COPY seen_database (name, size, data, log, index, free, may_grow_to, reason) FROM STDIN"
)
RESTORE = """
UPDATE instance_databases database SET is_active = true, deleted_at = NULL
FROM seen_database seen
WHERE database.instance_id = %(instance)s AND NOT database.is_active
    AND database.database_name = seen.name
"""
SEE = """
UPDATE instance_databases database SET
    last_seen_at = %(now)s,
    size_bytes = coalesce(seen.size, database.size_bytes),
    measured_at = CASE WHEN seen.size IS NULL THEN database.measured_at ELSE %(now)s END,
    index_bytes = CASE WHEN seen.size IS NULL THEN database.index_bytes ELSE seen.index END,
    free_bytes = CASE WHEN seen.size IS NULL THEN database.free_bytes ELSE seen.free END,
    limit_bytes = CASE WHEN seen.size IS NULL THEN database.limit_bytes ELSE seen.may_grow_to END,
    reason = seen.reason
FROM seen_database seen
WHERE database.instance_id = %(instance)s AND database.database_name = seen.name
"""
ADD = """
INSERT INTO instance_databases (instance_id, database_name, is_active, first_seen_at, last_seen_at,
    size_bytes, measured_at, index_bytes, free_bytes, limit_bytes, reason, tables_reason)
SELECT %(instance)s, seen.name, true, %(now)s, %(now)s, seen.size,
    CASE WHEN seen.size IS NOT NULL THEN %(now)s END, seen.index, seen.free, seen.may_grow_to,
    seen.reason, ''
FROM seen_database seen
WHERE NOT EXISTS (
    SELECT FROM instance_databases database
    WHERE database.instance_id = %(instance)s AND database.database_name = seen.name
)
ORDER BY seen.name
"""
LEAVE = """
UPDATE instance_databases database SET is_active = false, deleted_at = %(now)s
WHERE database.instance_id = %(instance)s AND database.is_active
    AND NOT EXISTS (SELECT FROM seen_database seen WHERE seen.name = database.database_name)
"""
# What was dropped during the day holds nothing at its end: else a renamed database counted twice.
EMPTY_GONE = """
UPDATE database_size_stats stat
SET size_bytes = NULL, data_bytes = NULL, log_bytes = NULL, index_bytes = NULL, free_bytes = NULL,
    reason = %(gone)s
FROM instance_databases database
WHERE stat.database_id = database.id AND NOT database.is_active
    AND stat.instance_id = %(instance)s AND stat.collected_date = %(day)s
    AND stat.size_bytes IS NOT NULL
"""
SIZES = """
INSERT INTO database_size_stats AS stat (database_id, instance_id, collected_date, collected_at,
    size_bytes, data_bytes, log_bytes, index_bytes, free_bytes, reason)
SELECT database.id, %(instance)s, %(day)s, %(now)s, seen.size, seen.data, seen.log, seen.index,
    seen.free, seen.reason
FROM seen_database seen
JOIN instance_databases database
    ON database.instance_id = %(instance)s AND database.database_name = seen.name
ORDER BY database.id
ON CONFLICT (database_id, collected_date) DO UPDATE SET
    collected_at = excluded.collected_at, size_bytes = excluded.size_bytes,
    data_bytes = excluded.data_bytes, log_bytes = excluded.log_bytes,
    index_bytes = excluded.index_bytes, free_bytes = excluded.free_bytes, reason = excluded.reason
WHERE excluded.size_bytes IS NOT NULL OR stat.size_bytes IS NULL
"""
TOTAL = """
INSERT INTO instance_size_stats (instance_id, collected_date, collected_at, size_bytes,
    database_count, measured_count, reason)
SELECT %(instance)s, %(day)s, %(now)s, sum(stat.size_bytes), count(*), count(stat.size_bytes),
    CASE WHEN count(*) = count(stat.size_bytes) THEN ''
         ELSE coalesce(min(nullif(stat.reason, '')), min(nullif(database.reason, '')), '') END
FROM instance_databases database
LEFT JOIN database_size_stats stat
    ON stat.database_id = database.id AND stat.collected_date = %(day)s
WHERE database.instance_id = %(instance)s AND database.is_active
ON CONFLICT (instance_id, collected_date) DO UPDATE SET
    collected_at = excluded.collected_at, size_bytes = excluded.size_bytes,
    database_count = excluded.database_count, measured_count = excluded.measured_count,
    reason = excluded.reason
RETURNING size_bytes, database_count, measured_count
"""
SEEN_TABLES = """
DROP TABLE IF EXISTS pg_temp.seen_table;
CREATE TEMP TABLE seen_table (
    database text, schema text, name text, data bigint, index bigint, rows bigint,
    PRIMARY KEY (database, schema, name)
) ON COMMIT DROP
"""
COPY_TABLES = "COPY seen_table (database, schema, name, data, index, rows) FROM STDIN"
TABLES = """
INSERT INTO database_table_size_stats (database_id, schema_name, table_name, data_bytes,
    index_bytes, row_estimate, collected_at)
SELECT database.id, seen.schema, seen.name, seen.data, seen.index, seen.rows, %(now)s
FROM seen_table seen
JOIN instance_databases database
    ON database.instance_id = %(instance)s AND database.database_name = seen.database
ORDER BY database.id, seen.schema, seen.name
ON CONFLICT (database_id, schema_name, table_name) DO UPDATE SET
    data_bytes = excluded.data_bytes, index_bytes = excluded.index_bytes,
    row_estimate = excluded.row_estimate, collected_at = excluded.collected_at
"""
LEAVE_TABLES = """
DELETE FROM database_table_size_stats stat USING instance_databases database
WHERE stat.database_id = database.id AND database.instance_id = %(instance)s
    AND database.database_name = ANY(%(read)s) AND stat.collected_at <> %(now)s
"""
MARK_TABLES = """
UPDATE instance_databases database SET tables_reason = read.reason,
    tables_measured_at = CASE WHEN read.reason = '' THEN %(now)s ELSE tables_measured_at END
FROM unnest(%(names)s::text[], %(reasons)s::text[]) AS read (name, reason)
WHERE database.instance_id = %(instance)s AND database.database_name = read.name
"""


LEAVE_VOLUMES = """
DELETE FROM instance_volumes
WHERE instance_id = %(instance)s AND NOT volume_name = ANY(%(names)s)
"""
VOLUMES = """
INSERT INTO instance_volumes (instance_id, volume_name, total_bytes, free_bytes, measured_at)
SELECT %(instance)s, name, total, free, %(now)s
FROM unnest(%(names)s::text[], %(total)s::bigint[], %(free)s::bigint[]) AS seen (name, total, free)
ON CONFLICT (instance_id, volume_name) DO UPDATE SET total_bytes = excluded.total_bytes,
    free_bytes = excluded.free_bytes, measured_at = excluded.measured_at
"""


class IncompleteDatabases(Exception):
    """The server named no database at all: nothing can be said about its size."""


@dataclass(frozen=True, slots=True)
class ReadTables:
    """The tables of one database as read, or the reason why they were not (all of them)."""

    tables: tuple[ObservedTable, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Applied:
    """What a run did. `counts`: databases by outcome, and `measured`; `total_bytes` of the day, of
    what was measured, None where nothing was.
    """

    day: date
    counts: dict[str, int] = field(default_factory=dict)
    total_bytes: int | None = None
    tables: dict[str, str] = field(default_factory=dict)


def apply(
    instance: Instance,
    databases: Iterable[ObservedDatabase],
    sections: Mapping[str, Section],
    tables: Mapping[str, ReadTables] | None = None,
    *,
    now: datetime | None = None,
) -> Applied:
    """Store what was measured, all of it or nothing; the day is that of `TIME_ZONE`.

    Raises IncompleteDatabases where not one database was named. What is not named counts as gone
    only where the section `databases` is complete.
    """
    rows = {row[0]: row for row in map(_row, databases)}
    if not rows:
        why = next((each.message for each in sections.values() if each.message), "")
        raise IncompleteDatabases(_("The databases could not be read: %(why)s") % {"why": why})
    now = now or timezone.now()
    run = Run(instance, now)
    with transaction.atomic():
        run.apply(rows.values(), may_leave=_names_all(sections))
        if tables:
            run.apply_tables(tables)
    return run.applied


def apply_tables(
    instance: Instance, tables: Mapping[str, ReadTables], *, now: datetime | None = None
) -> None:
    """Store the tables of some databases, by their names: what is not there any more goes. A
    database that was not read keeps what is known of it, beside the reason.
    """
    with transaction.atomic():
        Run(instance, now or timezone.now()).apply_tables(tables)


def apply_volumes(
    instance: Instance, volumes: Iterable[ObservedVolume], *, now: datetime | None = None
) -> None:
    """Store all volumes of an instance as they were read in full: what is not there any more
    goes.
    """
    found = {_text(volume.name, LONGEST_NAME): volume for volume in volumes}
    values: dict[str, Any] = {
        "instance": instance.pk,
        "now": now or timezone.now(),
        "names": list(found),
        "total": [volume.total_bytes for volume in found.values()],
        "free": [volume.free_bytes for volume in found.values()],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (LEAVE_VOLUMES, VOLUMES):
            cursor.execute(statement, values)


class Run:
    """One application to an instance, inside its transaction."""

    def __init__(self, instance: Instance, now: datetime) -> None:
        self.instance, self.now = instance, now
        self.applied = Applied(timezone.localdate(now))
        self.values: dict[str, Any] = {
            "instance": instance.pk,
            "now": now,
            "day": self.applied.day,
            "gone": _("No longer on the server."),
        }

    def apply(self, rows: Iterable[tuple[Any, ...]], may_leave: bool) -> None:
        partitions.ensure(self.applied.day)
        # Also takes the row's lock: two runs over one instance follow each other.
        Instance.objects.filter(pk=self.instance.pk).update(last_connected_at=self.now)
        with connection.cursor() as cursor:
            cursor.execute(SEEN)
            with cursor.copy(COPY_SEEN) as copy:
                for row in rows:
                    copy.write_row(row)
            restored = self._rows(cursor, RESTORE)
            seen = self._rows(cursor, SEE)
            created = self._rows(cursor, ADD)
            deleted = self._rows(cursor, LEAVE) if may_leave else 0
            self._rows(cursor, EMPTY_GONE)
            self._rows(cursor, SIZES)
            cursor.execute(TOTAL, self.values)
            self.applied.total_bytes, count, measured = _total(cursor.fetchone())
        self.applied.counts = {
            "synced": seen + created,
            "created": created,
            "restored": restored,
            "updated": measured,
            "deleted": deleted,
            "measured": measured,
            "not_measured": count - measured,
        }

    def apply_tables(self, tables: Mapping[str, ReadTables]) -> None:
        found = {_text(name, LONGEST_NAME): read for name, read in tables.items()}
        reasons = [_text(read.reason, LONGEST_REASON) for read in found.values()]
        values = self.values | {
            "names": list(found),
            "reasons": reasons,
            "read": [name for name, read in found.items() if not read.reason],
        }
        with connection.cursor() as cursor:
            cursor.execute(SEEN_TABLES)
            with cursor.copy(COPY_TABLES) as copy:
                for row in _table_rows(found):
                    copy.write_row(row)
            for statement in (TABLES, LEAVE_TABLES, MARK_TABLES):
                cursor.execute(statement, values)
        self.applied.tables = dict(zip(found, reasons, strict=True))

    def _rows(self, cursor: Any, statement: str) -> int:
        cursor.execute(statement, self.values)
        return int(cursor.rowcount)


def _names_all(sections: Mapping[str, Section]) -> bool:
    """Whether the list of names is certain; an engine without that section must be all complete."""
    named = sections.get("databases")
    if named is not None:
        return named.is_complete
    return all(section.is_complete for section in sections.values())


def _row(database: ObservedDatabase) -> tuple[Any, ...]:
    """The size is data and log together; without data there is none, and a reason instead."""
    size, reason = None, database.reason or _("The server did not tell its size.")
    parts: tuple[Any, ...] = (None, None, None)
    if database.data_bytes is not None:
        size, reason = database.data_bytes + (database.log_bytes or 0), ""
        parts = tuple(map(database.details.get, ("index_bytes", "free_bytes", "limit_bytes")))
    return (
        _text(database.name, LONGEST_NAME),
        size,
        database.data_bytes,
        database.log_bytes,
        *parts,
        _text(reason, LONGEST_REASON),
    )


def _table_rows(found: Mapping[str, ReadTables]) -> Iterable[tuple[Any, ...]]:
    rows: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for database, read in found.items():
        for table in read.tables:
            schema = _text(table.schema or "", LONGEST_NAME)
            key = (database, schema, _text(table.name, LONGEST_NAME))
            rows[key] = (*key, table.data_bytes, table.index_bytes, table.rows)
    return rows.values()


def _total(row: tuple[Any, ...]) -> tuple[int | None, int, int]:
    size, count, measured = row
    return None if size is None else int(size), count, measured


def _text(value: str, longest: int) -> str:
    """What PostgreSQL can keep: no NUL, no half of a character, not too long."""
    return UNFIT.sub("\ufffd", value)[:longest]
