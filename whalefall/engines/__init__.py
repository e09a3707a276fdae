"""Engines: one folder per product. `engine(db_type)` gives the one for a stored `db_type`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from whalefall.engines.base import Engine

DB_TYPES = {
    "mysql": "MySQL / MariaDB",
    "postgresql": "PostgreSQL",
    "sqlserver": "SQL Server",
    "oracle": "Oracle",
}
"""Known products and how a person calls them; the keys are stored and stand in the API."""


@cache
def engine(db_type: str) -> Engine:
    """The engine of a product. Raises LookupError naming the choices when there is none."""
    if db_type not in DB_TYPES:
        raise LookupError(f"Unknown engine: {db_type}. Must be one of: {', '.join(DB_TYPES)}")
    try:
        module = import_module(f"whalefall.engines.{db_type}.engine")
    except ModuleNotFoundError as exc:
        raise LookupError(f"The {DB_TYPES[db_type]} engine is not part of this version.") from exc
    found: Engine = module.ENGINE
    return found
