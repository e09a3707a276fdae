"""How Oracle spells things: versions, identifiers, kinds of objects. Pure."""

from __future__ import annotations

import re

from whalefall.engines.errors import UnsupportedVersion
from whalefall.engines.observed import Scope

PUBLIC = "PUBLIC"
ROOT = "CDB$ROOT"
EVERYWHERE = "ALL CONTAINERS"
"""The container of what was given with CONTAINER=ALL, as read from the root."""
OLDEST = 110200
NEWEST = 230000
COMMON_PREFIX = "C##"
PLAIN = re.compile(r"[A-Z][A-Z0-9_$#]*")
VERSION = re.compile(r"(\d+)(?:\.(\d+))?")

CODE = frozenset({
    "PACKAGE", "PROCEDURE", "FUNCTION", "TYPE", "LIBRARY", "OPERATOR", "INDEXTYPE", "JAVA CLASS",
    "JAVA SOURCE", "JAVA RESOURCE", "JAVA DATA", "PROGRAM", "SCHEDULE", "JOB CLASS", "RULE",
    "RULE SET", "EVALUATION CONTEXT", "ASSEMBLY", "PACKAGE BODY", "TYPE BODY", "MODULE",
})  # fmt: skip
TABLES = frozenset({"TABLE", "VIEW", "MATERIALIZED VIEW", "ANALYTIC VIEW", "HIERARCHY", "CUBE"})
CODE_PRIVILEGES = frozenset({"EXECUTE", "DEBUG", "UNDER"})
DIRECTORY_PRIVILEGES = frozenset({"READ", "WRITE"})


def version_number(version: str) -> int:
    """`19.3.0.0.0` as 190300, `11.2.0.4.0` as 110200. Raises UnsupportedVersion."""
    found = VERSION.match(version)
    if found is None:
        raise UnsupportedVersion(f"{version or 'An empty text'} is no version of Oracle.")
    return int(found[1]) * 10000 + int(found[2] or 0) * 100


def main_version(number: int) -> str:
    """`11.2`, `12.1`, `12.2`, `18`, `19`, `21`, `23`."""
    major, minor = divmod(number // 100, 100)
    return f"{major}.{minor}" if major < 18 else str(major)


def quoted(name: str) -> str:
    """An identifier as SQL takes it; Oracle's names cannot hold a quotation mark."""
    return name if PLAIN.fullmatch(name) else '"' + name.replace('"', "") + '"'


def qualified(name: str, container: str | None) -> str:
    """The account's name on the instance: a local one bears its container, `HR@SALESPDB`."""
    return name if container is None else f"{name}@{container}"


def scope_of(object_type: str | None, privilege: str) -> tuple[Scope, str]:
    """Scope and kind of what an object privilege is on. Before 12.1 the view does not tell the
    kind: the privilege has to, and sequences then count as tables.
    """
    if object_type is None:
        if privilege in CODE_PRIVILEGES:
            return Scope.ROUTINE, "code"
        return (Scope.OTHER, "directory") if privilege in DIRECTORY_PRIVILEGES else (
            Scope.TABLE, "table",
        )  # fmt: skip
    kind = object_type.lower()
    if object_type in TABLES:
        return Scope.TABLE, kind
    if object_type == "SEQUENCE":
        return Scope.SEQUENCE, kind
    return (Scope.ROUTINE if object_type in CODE else Scope.OTHER), kind
