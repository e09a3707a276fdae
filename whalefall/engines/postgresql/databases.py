"""What each database holds: one connection and at most three statements for each of them.

A database that cannot be read is named, with the reason, in every section it belongs to; the
others count all the same. `template0` never accepts connections and holds what initdb made: it is
left out by design, and no section is incomplete for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    PermissionDenied,
)
from whalefall.engines.observed import ObservedGrant, Section, SectionStatus
from whalefall.engines.postgresql import rows
from whalefall.engines.postgresql.names import quoted
from whalefall.engines.postgresql.session import Session

SECTIONS = ("schema", "table", "sequence", "column", "routine", "other")
PARTS = (
    # section, statement, the catalogs it needs besides pg_init_privs
    ("schema", "objects_schemas", ("pg_namespace",)),
    ("table", "objects_relations", ("pg_class", "pg_namespace")),
    ("sequence", "objects_sequences", ("pg_class", "pg_namespace")),
    ("column", "objects_columns", ("pg_attribute", "pg_class", "pg_namespace")),
    ("routine", "objects_routines", ("pg_proc", "pg_language", "pg_namespace")),
    ("other", "objects_types", ("pg_type", "pg_class", "pg_namespace")),
    ("other", "objects_languages", ("pg_language",)),
    ("other", "objects_wrappers", ("pg_foreign_data_wrapper",)),
    ("other", "objects_servers", ("pg_foreign_server",)),
    ("other", "objects_mappings", ("pg_user_mappings",)),
    ("other", "objects_large_objects", ("pg_largeobject_metadata",)),
    ("other", "objects_defaults", ("pg_default_acl", "pg_namespace")),
)
BY_DESIGN = "template0"


@dataclass(frozen=True, slots=True)
class Database:
    """`reason` says why it cannot be connected to; empty where it can."""

    name: str
    reason: str = ""
    remedy: str = ""
    is_denied: bool = True


class Reader(Protocol):
    """What a server offers for reading its databases."""

    session: Session
    sections: dict[str, Section]

    def sql(self, name: str) -> str: ...

    def connected_to(self, database: str) -> AbstractContextManager[Session]: ...


def seen(login: str, name: str, allows: bool, limit: int, may_connect: bool) -> Database:
    """A row of `databases.sql`. Connection limit -2 marks one whose DROP was cut off."""
    if limit == -2:
        return Database(name, "an interrupted DROP DATABASE left it invalid")
    if not allows:
        return Database(name, "it does not accept connections (datallowconn is false)")
    if not may_connect:
        grant = f"GRANT CONNECT ON DATABASE {quoted(name)} TO {quoted(login)};"
        return Database(name, f"permission denied: {login} has no CONNECT on it", grant)
    return Database(name)


def observe(server: Reader, found: Sequence[Database]) -> Iterator[ObservedGrant]:
    """The grants of every database, and at the end the state of the sections."""
    unread: dict[str, dict[str, Database]] = {section: {} for section in SECTIONS}
    for database in found:
        if database.name == BY_DESIGN:
            continue
        try:
            if database.reason:
                raise PermissionDenied(database.reason, database.remedy)
            for section in (yield from _read(server, database.name)):
                denied = "permission denied for the catalogs of this section"
                unread[section][database.name] = Database(database.name, denied)
        except EngineError as exc:
            if _is_the_servers(exc, server):
                raise ConnectionLost(exc.args[0], exc.remedy) from exc
            _note(unread, database.name, exc)
    for section, missing in unread.items():
        server.sections[section] = _section(section, missing, len(found))


def _is_the_servers(exc: EngineError, server: Reader) -> bool:
    """Whether the trouble is the whole server's: it is gone, and not one database or connection."""
    if isinstance(exc, ConnectionLost):
        return not server.session.is_alive()
    return isinstance(exc, ConnectError) and not isinstance(exc, LoginRefused)


def _note(unread: dict[str, dict[str, Database]], name: str, exc: EngineError) -> None:
    is_denied = isinstance(exc, PermissionDenied | LoginRefused)
    for missing in unread.values():
        missing[name] = Database(name, exc.args[0], exc.remedy, is_denied)


def _read(server: Reader, name: str) -> Generator[ObservedGrant, None, set[str]]:
    """The grants in one database; returns the sections that it did not let us read there."""
    with server.connected_to(name) as session:
        hidden = {catalog for (catalog,) in session.rows(server.sql("unreadable"))}
        readable = [part for part in PARTS if not hidden & {"pg_init_privs", *part[2]}]
        if readable:
            texts = (server.sql(statement) for _, statement, _ in readable)
            grant = rows.Grants(name)
            for row in session.rows("\nUNION ALL\n".join(texts)):
                yield grant(row)
    return {part[0] for part in PARTS if part not in readable}


def _section(name: str, missing: dict[str, Database], total: int) -> Section:
    if not missing:
        return Section(name)
    all_denied = all(database.is_denied for database in missing.values())
    return Section(
        name,
        SectionStatus.DENIED if all_denied else SectionStatus.FAILED,
        f"{len(missing)} of {total} databases could not be read: {', '.join(sorted(missing))}",
        " ".join(_remedies(missing.values())),
        {database.name: database.reason for database in missing.values()},
    )


def _remedies(missing: Iterable[Database]) -> list[str]:
    return sorted({database.remedy for database in missing if database.remedy})
