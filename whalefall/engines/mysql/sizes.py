"""Sizes of databases and tables out of statistics and file sizes. Pure; bytes everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from whalefall.engines.observed import ObservedTable


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table's statistics; None where the storage engine keeps none."""

    database: str
    name: str
    engine: str | None
    data: int | None
    index: int | None
    free: int | None
    rows: int | None

    @property
    def is_innodb(self) -> bool:
        return (self.engine or "").lower() == "innodb"


@dataclass(slots=True)
class Files:
    """Sizes of InnoDB's files, by database and then by name within it."""

    sizes: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, database: str, table: str, size: int) -> None:
        self.sizes[database][table] = self.sizes[database].get(table, 0) + size

    def per_table(self, database: str, tables: Iterable[str]) -> dict[str, int]:
        """Sizes by table, the files of its partitions added up; what belongs to no table (indexes
        for full-text search, left-overs) under ''.
        """
        known = frozenset(tables)
        found: dict[str, int] = defaultdict(int)
        for file, size in self.sizes.get(database, {}).items():
            found[_table_of(file, known)] += size
        return found


def _table_of(file: str, known: frozenset[str]) -> str:
    """`orders#p#p2023#sp#s1` is a partition of `orders`, unless a table really has that name."""
    while file not in known:
        cut = max(file.lower().rfind("#p#"), file.lower().rfind("#sp#"))
        if cut <= 0:
            return ""
        file = file[:cut]
    return file


def table_sizes(tables: list[TableSize], files: Files) -> Iterator[ObservedTable]:
    """The tables of one database. Where the file is known, data and index together are its size:
    statistics leave out what is free inside it.
    """
    if not tables:
        return
    real = files.per_table(tables[0].database, (table.name for table in tables))
    for table in tables:
        size = real.get(table.name)
        data, index = table.data, table.index
        if size is not None:
            data = max(size - (index or 0), 0)
        yield ObservedTable(table.database, None, table.name, data, index, table.rows)


def database_size(database: str, tables: list[TableSize], files: Files) -> int:
    """All files of the database, and the statistics of what has no file of its own.

    Of the latter the free space counts too, but not InnoDB's: there it is that of a tablespace
    shared by many, and would be counted once for each.
    """
    real = files.per_table(database, (table.name for table in tables))
    rest = sum(_statistics(table) for table in tables if table.name not in real)
    return sum(real.values()) + rest


def parts(tables: list[TableSize], files: Files) -> dict[str, int]:
    """`index_bytes` of all tables, and `free_bytes` of those with a file of their own or another
    storage engine; both parts of the size above, as the statistics estimate them.
    """
    if not tables:
        return {"index_bytes": 0, "free_bytes": 0}
    real = files.per_table(tables[0].database, (table.name for table in tables))
    own = [table for table in tables if table.name in real or not table.is_innodb]
    return {
        "index_bytes": sum(table.index or 0 for table in tables),
        "free_bytes": sum(table.free or 0 for table in own),
    }


def _statistics(table: TableSize) -> int:
    used = (table.data or 0) + (table.index or 0)
    return used if table.is_innodb else used + (table.free or 0)
