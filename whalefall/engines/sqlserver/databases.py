"""What each database holds: read for all of them in one batch, with two or three result sets each.

A database that cannot be read is named, with the reason, in every section it belongs to; the others
count all the same. Should one of them fail in the middle, the batch goes on with the next.
`tempdb` is made anew with each start of the server: it is left out by design.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whalefall.engines.errors import ConnectionLost, EngineError, PermissionDenied
from whalefall.engines.observed import Section, SectionStatus
from whalefall.engines.sqlserver.connection import Connection, Record
from whalefall.engines.sqlserver.names import literal, quoted

LEFT_OUT = "tempdb"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a database was not read in full, and the statement that mends it."""

    reason: str
    remedy: str = ""
    is_denied: bool = True


@dataclass(frozen=True, slots=True)
class Database:
    """A row of `databases.sql`."""

    name: str
    owner_sid: bytes | None
    owner_name: str | None
    state: str
    access: str
    is_trustworthy: bool
    is_chaining: bool
    containment: int
    may_enter: bool
    details: Mapping[str, Any]

    @property
    def traits(self) -> tuple[str, ...]:
        """What makes rights in it more than they seem."""
        marks = {
            "chaining": self.is_chaining,
            "contained": bool(self.containment),
            "trustworthy": self.is_trustworthy,
        }
        return tuple(name for name, holds in marks.items() if holds)

    def trouble(self, login: str, version: int) -> Trouble | None:
        """Why it cannot be read, known beforehand."""
        if self.state != "ONLINE":
            return Trouble(f"the database is {self.state}", is_denied=False)
        if not self.may_enter:
            if self.access != "MULTI_USER":
                return Trouble(f"the database is in {self.access} mode", is_denied=False)
            return Trouble(f"{login} may not enter the database", self.entry(login, version))
        return None

    def entry(self, login: str, version: int) -> str:
        """The statement that lets a login in. CONNECT ANY DATABASE came with 2014."""
        if version >= 12:
            return f"GRANT CONNECT ANY DATABASE TO {quoted(login)};"
        return f"USE {quoted(self.name)}; CREATE USER {quoted(login)};"


def database(record: Record) -> Database:
    return Database(
        record["name"],
        bytes(record["owner_sid"]) if record["owner_sid"] else None,
        record["owner_name"],
        record["state_desc"],
        record["user_access_desc"],
        bool(record["is_trustworthy_on"]),
        bool(record["is_db_chaining_on"]),
        int(record["containment"] or 0),
        record["may_enter"] == 1,
        {"collation": record["collation_name"], "recovery_model": record["recovery_model_desc"]},
    )


def filled(sql: str, name: str) -> str:
    """A statement about one database, its name quoted for each place."""
    return (
        sql.replace("{database}", quoted(name))
        .replace("{quoted_name}", literal(quoted(name)))
        .replace("{name}", literal(name))
    )


class Reading:
    """One pass over all databases. `troubles` fills while it is read."""

    def __init__(
        self, connection: Connection, found: Sequence[Database], login: str, version: int
    ) -> None:
        self.connection, self.login, self.version = connection, login, version
        self.found = [each for each in found if each.name != LEFT_OUT]
        self.troubles: dict[str, Trouble] = {}
        for each in self.found:
            if trouble := each.trouble(login, version):
                self.troubles[each.name] = trouble

    def rows(
        self, rights: str, statements: Sequence[str]
    ) -> Iterator[tuple[Database, int, Record]]:
        """Database, number of the statement, row. `rights` comes first for each database and says
        whether what follows is all there is.
        """
        todo = [each for each in self.found if each.name not in self.troubles]
        while todo:
            texts = [filled(text, each.name) for each in todo for text in (rights, *statements)]
            seen = -1
            try:
                for number, record in self.connection.sets(";\n".join(texts) + ";"):
                    seen, part = divmod(number, len(statements) + 1)
                    if part == 0:
                        self._note_rights(todo[seen], record)
                    else:
                        yield todo[seen], part - 1, record
                return
            except ConnectionLost:
                raise
            except EngineError as exc:
                todo = self._without_the_bad_one(todo, seen, exc)

    def _without_the_bad_one(
        self, todo: Sequence[Database], seen: int, exc: EngineError
    ) -> list[Database]:
        """Note whose fault it was, and return those that are still to be read.

        `seen` is the last one of which a row came. Its own statements failed, or those of a later
        one that the message names: a batch may be refused as a whole for one of its databases.
        """
        is_denied = isinstance(exc, PermissionDenied)
        trouble = Trouble(exc.args[0], exc.remedy, is_denied)
        named = [each for each in todo[max(seen, 0) :] if _names(exc, each)]
        if not named and seen < 0:
            self.troubles |= dict.fromkeys((each.name for each in todo), trouble)
            return []
        bad = named[0] if named else todo[seen]
        self.troubles[bad.name] = trouble
        return [each for each in todo[seen + 1 :] if each is not bad]

    def _note_rights(self, each: Database, record: Record) -> None:
        if record["may_enter"] != 1:
            reason = f"{self.login} may not enter the database"
            self.troubles[each.name] = Trouble(reason, each.entry(self.login, self.version))
        elif record["views_definition"] != 1:
            remedy = f"GRANT VIEW ANY DEFINITION TO {quoted(self.login)};"
            reason = f"{self.login} has no VIEW DEFINITION in it and sees a part only"
            self.troubles[each.name] = Trouble(reason, remedy)

    def section(self, name: str) -> Section:
        if not self.troubles:
            return Section(name)
        all_denied = all(trouble.is_denied for trouble in self.troubles.values())
        remedies = sorted({t.remedy for t in self.troubles.values() if t.remedy})
        return Section(
            name,
            SectionStatus.DENIED if all_denied else SectionStatus.FAILED,
            f"{len(self.troubles)} of {len(self.found)} databases could not be read in full: "
            f"{', '.join(sorted(self.troubles))}",
            " ".join(remedies),
            {name: trouble.reason for name, trouble in self.troubles.items()},
        )


def _names(exc: EngineError, each: Database) -> bool:
    text = str(exc.args[0])
    return f"'{each.name}'" in text or f'"{each.name}"' in text
