"""Databases with the sizes of their files, and what is free in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from whalefall.engines.observed import ObservedDatabase
from whalefall.engines.sqlserver import rows
from whalefall.engines.sqlserver.connection import Record
from whalefall.engines.sqlserver.databases import Database

UNSEEN = "its files cannot be seen"


def measured(each: Database, files: Record | None, unseen: str) -> ObservedDatabase:
    """One database with the sizes of its files; without a row of them, None and the reason."""
    seen = ObservedDatabase(each.name, each.owner_name, reason=unseen or UNSEEN)
    details = {"state": each.state, **each.details}
    if files is None or files["data_pages"] is None:
        return replace(seen, details=details)
    limit = None if files["unlimited"] else _bytes(files["limit_pages"])
    return replace(
        seen,
        data_bytes=_bytes(files["data_pages"]),
        log_bytes=_bytes(files["log_pages"]),
        reason="",
        details=details | {"files": int(files["file_total"]), "limit_bytes": limit},
    )


def with_free(database: ObservedDatabase, free: Mapping[str, int]) -> ObservedDatabase:
    """`free_bytes` of the data files beside the rest; None where it was not read."""
    details = {**database.details, "free_bytes": _bytes(free.get(database.name))}
    return replace(database, details=details)


def _bytes(pages: int | None) -> int | None:
    return None if pages is None else int(pages) * rows.PAGE
