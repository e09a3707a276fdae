"""Tablespaces and tables with their sizes in bytes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from whalefall.engines.observed import ObservedDatabase, ObservedTable
from whalefall.engines.oracle.accounts import Names

Rows = Iterable[tuple[Any, ...]]
Place = tuple[Any, str]
"""(con_id, tablespace)"""


@dataclass(slots=True)
class Sizes:
    """What files take, how far they may grow, and what of it is free, by container and tablespace.

    `files`: (bytes, limit).
    """

    names: Names
    files: Mapping[Place, tuple[Any, Any]] = field(default_factory=dict)
    free: Mapping[Place, Any] = field(default_factory=dict)

    def tablespace(self, row: tuple[Any, ...], unseen: str = "") -> ObservedDatabase:
        """`data_bytes` is what the files take on disk. Redo logs belong to the whole server.
        `unseen`: why no files are known at all.
        """
        con_id, name, contents, status = row
        size, limit = self.files.get((con_id, name), (None, None))
        missing = unseen or f"no file of it can be read (tablespace is {status})"
        container = self.names.container(con_id)
        return ObservedDatabase(
            f"{container}/{name}" if container else name,
            data_bytes=_int(size),
            reason="" if size is not None else missing,
            details={
                "contents": contents,
                "status": status,
                "free_bytes": _int(self.free.get((con_id, name))),
                "limit_bytes": _int(limit),
            },
        )


def files(found: Rows) -> Mapping[Place, tuple[Any, Any]]:
    return {(con_id, name): (used, limit) for con_id, name, used, limit in found}


def free(found: Rows) -> Mapping[Place, Any]:
    return {(con_id, name): size for con_id, name, size in found}


def table(database: str, row: tuple[Any, ...]) -> ObservedTable:
    owner, name, data, index, rows = row
    return ObservedTable(database, owner, name, _int(data), _int(index), _int(rows))


def _int(value: Any) -> int | None:
    return None if value is None else int(value)
