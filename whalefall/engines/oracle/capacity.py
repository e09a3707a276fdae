"""Tablespaces and tables with their sizes in bytes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from whalefall.engines.observed import ObservedDatabase, ObservedTable
from whalefall.engines.oracle.accounts import Names

Rows = Iterable[tuple[Any, ...]]


class Sizes:
    """What files take and what of it is free, by container and tablespace."""

    def __init__(self, names: Names, files: Rows, free: Rows) -> None:
        self.names = names
        self.files = {(con_id, name): (used, limit) for con_id, name, used, limit in files}
        self.free = {(con_id, name): size for con_id, name, size in free}

    def tablespace(self, row: tuple[Any, ...]) -> ObservedDatabase:
        """`data_bytes` is what the files take on disk. Redo logs belong to the whole server."""
        con_id, name, contents, status = row
        size, limit = self.files.get((con_id, name), (None, None))
        reason = "" if size is not None else f"no file of it can be read (tablespace is {status})"
        container = self.names.container(con_id)
        return ObservedDatabase(
            f"{container}/{name}" if container else name,
            data_bytes=_int(size),
            reason=reason,
            details={
                "contents": contents,
                "status": status,
                "free_bytes": _int(self.free.get((con_id, name))),
                "limit_bytes": _int(limit),
            },
        )


def table(database: str, row: tuple[Any, ...]) -> ObservedTable:
    owner, name, data, index, rows = row
    return ObservedTable(database, owner, name, _int(data), _int(index), _int(rows))


def _int(value: Any) -> int | None:
    return None if value is None else int(value)
