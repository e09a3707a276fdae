"""Names as they stand in SQL."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier, quoted whether it needs it or not."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string, for a server with standard_conforming_strings (the default since 9.1)."""
    return "'" + text.replace("'", "''") + "'"
