"""The instances, databases and days that these tests speak of. Sizes are plain small numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from capacity.collection import Applied, ReadTables, apply
from whalefall.engines.observed import ObservedDatabase, ObservedTable, Section, SectionStatus
from whalefall.instances.models import Instance

NIGHT = datetime(2026, 1, 30, 3, 0, tzinfo=UTC)
"""A Friday, two days before a month ends."""
COMPLETE = {name: Section(name) for name in ("databases", "sizes")}


def instance(name: str = "orders-db", **fields: Any) -> Instance:
    values = {"db_type": "mysql", "host": f"{name}.invalid", "port": 3306} | fields
    return Instance.objects.create(name=name, **values)


def night(day: int = 0, hours: int = 0) -> datetime:
    return NIGHT + timedelta(days=day, hours=hours)


def denied(*names: str) -> dict[str, Section]:
    message = "SHOW DATABASES command denied"
    return COMPLETE | {name: Section(name, SectionStatus.DENIED, message) for name in names}


def observed(**sizes: int | str | None) -> list[ObservedDatabase]:
    """`sales=100` measured; a text is the reason why it was not."""
    return [
        ObservedDatabase(name, reason=size)
        if isinstance(size, str)
        else ObservedDatabase(name, data_bytes=size)
        for name, size in sizes.items()
    ]


def measured(
    on: Instance,
    day: int = 0,
    *,
    hours: int = 0,
    sections: dict[str, Section] = COMPLETE,
    tables: dict[str, ReadTables] | None = None,
    **sizes: int | str | None,
) -> Applied:
    """One reading, `day` days and `hours` hours after the first."""
    return apply(on, observed(**sizes), sections, tables, now=night(day, hours))


def tables(**sizes: int) -> ReadTables:
    return ReadTables(
        tuple(
            ObservedTable("sales", None, name, size, size // 10, 7) for name, size in sizes.items()
        )
    )
