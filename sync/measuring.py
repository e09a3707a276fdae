"""The capacity of one instance: what is read from its server, and what follows in the store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from capacity import aggregation, collection, growth, outlook
from capacity.collection import ReadTables
from capacity.models import InstanceDatabase, PeriodType
from sync import locks
from sync.keeper import Keeper
from sync.models import SyncCategory, SyncInstanceRecord, SyncSession, SyncType
from sync.work import Outcome, Refused, Work, opened
from whalefall.engines.base import Server
from whalefall.engines.errors import EngineError
from whalefall.engines.observed import ObservedDatabase, ObservedVolume, Section
from whalefall.instances.models import Instance
from whalefall.logs import mask

# The sections that the sizes of tables belong to; of others (files) they do not depend.
TABLE_SECTIONS = ("sizes", "table_sizes")
TABLES_OF = "tables_of"
"""Of the details of a record that is about the tables of one database: its primary key."""


@dataclass(slots=True)
class Measured:
    """What one server told: its databases, and the tables of the largest."""

    databases: list[ObservedDatabase]
    sections: dict[str, Section]
    volumes: tuple[ObservedVolume, ...] = ()
    tables: dict[str, ReadTables] = field(default_factory=dict)


def read(instance: Instance) -> Measured:
    """Databases first: what goes wrong with volumes or tables takes nothing from them."""
    with opened(instance) as server:
        databases = list(server.observe_databases())
        volumes = tuple(server.observe_volumes())
        found = Measured(databases, dict(server.sections), volumes)
        for name in _largest(databases):
            found.tables[name] = read_tables(server, name)
    return found


def _largest(databases: Iterable[ObservedDatabase]) -> list[str]:
    filled = [database for database in databases if database.data_bytes]
    filled.sort(key=lambda database: (-(database.data_bytes or 0), database.name))
    return [database.name for database in filled[: settings.TABLE_SIZES_OF_LARGEST]]


def read_tables(server: Server, database: str) -> ReadTables:
    """The tables of one database; none of them and the reason where there are too many, or where
    the server did not tell them all.
    """
    most = settings.TABLE_SIZES_MOST
    server.sections = {}
    try:
        with closing(server.observe_tables(database)) as observed:  # type: ignore[type-var]
            tables = tuple(islice(observed, most + 1))
    except EngineError as exc:
        return ReadTables(reason=mask(str(exc)))
    if len(tables) > most:
        return ReadTables(reason=_("It has more than %(most)d tables.") % {"most": most})
    for name in TABLE_SECTIONS:
        section = server.sections.get(name)
        if section is not None and not section.is_complete:
            return ReadTables(reason=mask(section.message))
    return ReadTables(tables)


def write(
    instance: Instance,
    measured: Measured,
    record: SyncInstanceRecord | None,
    details: dict[str, Any],
) -> Outcome:
    """Store it, sum up the day and look ahead, in the caller's transaction; the record's end
    last.
    """
    applied = collection.apply(instance, measured.databases, measured.sections, measured.tables)
    if (section := measured.sections.get("volumes")) is not None and section.is_complete:
        collection.apply_volumes(instance, measured.volumes)
    aggregation.aggregate([PeriodType.DAILY], day=applied.day, instance_id=instance.pk)
    growth.calculate(instance.pk)
    outlook.calculate([instance.pk])
    details["counts"], details["total_bytes"] = applied.counts, applied.total_bytes
    details["tables_not_read"] = {name: why for name, why in applied.tables.items() if why}
    if record is not None:
        record.complete(applied.counts, details)
    message = _(
        "%(instance)s: %(synced)d databases, %(measured)d measured, %(created)d new, "
        "%(deleted)d gone."
    )
    return Outcome(
        True, message % {"instance": instance.name, **applied.counts}, applied.counts, details
    )


WORK = Work("sync_databases", SyncCategory.CAPACITY, locks.CAPACITY, read, write)


def start_tables(database: InstanceDatabase, created_by: Any) -> SyncSession:
    """A session that reads the tables of this one database, handed to the queue on commit."""
    with transaction.atomic():
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH,
            [database.instance],
            sync_category=SyncCategory.CAPACITY,
            created_by=created_by,
        )
        session.records.update(sync_details={TABLES_OF: database.pk})
    return session


def work_of(record: SyncInstanceRecord) -> Work:
    """All sizes of the instance, or the tables of the one database that the record names."""
    database = InstanceDatabase.objects.filter(pk=record.sync_details.get(TABLES_OF)).first()
    if database is None:
        return WORK
    return replace(
        WORK,
        operation="sync_tables",
        read=lambda instance: _read_one(instance, database.database_name),
        write=_write_one,
    )


def _read_one(instance: Instance, name: str) -> Measured:
    with opened(instance) as server:
        found = read_tables(server, name)
    if found.reason:
        raise Refused(f"{name}: {found.reason}")
    return Measured([], {}, tables={name: found})


def _write_one(
    instance: Instance,
    measured: Measured,
    record: SyncInstanceRecord | None,
    details: dict[str, Any],
) -> Outcome:
    collection.apply_tables(instance, measured.tables)
    counts = {"synced": sum(len(found.tables) for found in measured.tables.values())}
    details["counts"] = counts
    if record is not None:
        record.complete(counts, details)
    text = _("%(tables)d tables measured.") % {"tables": counts["synced"]}
    return Outcome(True, text, counts, details)


def refresh_tables(database: InstanceDatabase) -> ReadTables:
    """Read the tables of one database now and store them. Raises Refused, EngineError where the
    server cannot be reached, InstanceBusy and KeeperLost.
    """
    instance = database.instance
    with Keeper(instance.pk, kind=locks.CAPACITY) as keeper:
        with opened(instance) as server:
            found = read_tables(server, database.database_name)
        keeper.check()
        collection.apply_tables(instance, {database.database_name: found})
    return found
