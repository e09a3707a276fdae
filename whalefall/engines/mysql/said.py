"""The lines of SHOW GRANTS as entries: the server's own words about one account. Pure.

The lines may hold password hashes (after IDENTIFIED BY): no error here quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from whalefall.engines.mysql.names import (
    DATABASE_PRIVILEGES,
    GRANT_OPTION,
    ROUTINE_PRIVILEGES,
    TABLE_PRIVILEGES,
    account_name,
    role_name,
)
from whalefall.engines.observed import Scope
from whalefall.engines.testimony import Entry

NAME = r"`(?:[^`]|``)*`|'(?:[^']|'')*'"
ACCOUNT = rf"(?:(?:{NAME})(?:@(?:{NAME}))?|PUBLIC)"  # the one name that MariaDB leaves bare
PRIVILEGES = re.compile(
    r"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?)"
    rf" ON (?:(?P<kind>PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE) )?"
    rf"(?P<database>\*|{NAME})\.(?P<object>\*|{NAME}) (?:TO|FROM) (?P<grantee>{ACCOUNT})"
)
PROXY = re.compile(rf"GRANT PROXY ON (?P<proxied>{ACCOUNT}) TO (?P<grantee>{ACCOUNT})")
ROLES = re.compile(rf"GRANT (?P<roles>{ACCOUNT}(?:, ?{ACCOUNT})*) TO (?P<grantee>{ACCOUNT})")
ONE = re.compile(r"(?P<name>[^(,]+?)\s*(?:\((?P<columns>[^)]*)\))?\s*(?:,\s*|$)")
EVERYTHING = "ALL PRIVILEGES"
WITHOUT = {Scope.TABLE: {"DELETE HISTORY"}}
Known = dict[Scope, tuple[str, ...]]
REVOKED = "REVOKE "
"""In front of a privilege that was taken out of one on all databases."""


class NotUnderstood(Exception):
    """A line that is none of those known; its text is the line's beginning."""


@dataclass(slots=True)
class Said:
    """What the lines say of one account. Roles by their names on the instance."""

    entries: set[Entry] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)


def read(lines: Iterable[str], known: Known, grantee: str = "") -> Said:
    """`known`: what ALL PRIVILEGES means per scope. `grantee`: only the lines about this one count
    (MariaDB tells those of a role's own roles along with it). Raises NotUnderstood.
    """
    said = Said()
    for line in lines:
        if line.startswith("SET DEFAULT ROLE"):
            continue
        if match := PROXY.match(line):
            if _is_about(match["grantee"], grantee):
                said.entries.add((Scope.OTHER, "PROXY", (_account(match["proxied"]),)))
        elif match := PRIVILEGES.match(line):
            if _is_about(match["grantee"], grantee):
                said.entries.update(_entries(match, line, known))
        elif match := ROLES.match(line):
            if _is_about(match["grantee"], grantee):
                said.roles.update(map(_account, re.findall(ACCOUNT, match["roles"])))
        else:
            raise NotUnderstood(" ".join(line.partition(" TO ")[0].split()[:6]))
    return said


def all_of(scope: Scope, named: Iterable[str]) -> tuple[str, ...]:
    """What ALL PRIVILEGES is on a database, table or routine of a server whose privileges on all
    databases are `named`.
    """
    within = {
        Scope.DATABASE: DATABASE_PRIVILEGES,
        Scope.TABLE: TABLE_PRIVILEGES,
        Scope.ROUTINE: ROUTINE_PRIVILEGES,
    }[scope]
    present = set(named)
    return tuple(name for name in within if name in present and name != GRANT_OPTION)


def _entries(match: re.Match[str], line: str, known: Known) -> Iterator[Entry]:
    scope, parts = _place(match)
    mark = REVOKED if match["verb"] == "REVOKE" else ""
    named = {one["name"].strip().upper() for one in ONE.finditer(match["privileges"])}
    # Dynamic privileges stand in lines of their own, and have a GRANT OPTION of their own.
    is_dynamic = scope is Scope.GLOBAL and named.isdisjoint({*known[scope], EVERYTHING, "USAGE"})
    for one in ONE.finditer(match["privileges"]):
        name = one["name"].strip().upper()
        if one["columns"] is not None:
            for column in re.findall(rf"{NAME}|[^,]+", one["columns"]):  # 5.6 quotes none
                if column.strip():
                    yield Scope.COLUMN, name, (*parts, _bare(column.strip()))
        elif name == EVERYTHING:
            yield from ((scope, each, parts) for each in known[scope])
        elif name != "USAGE":
            yield scope, mark + name, parts
    if not is_dynamic and "WITH GRANT OPTION" in line[match.end() :]:
        yield scope, GRANT_OPTION, parts


def _place(match: re.Match[str]) -> tuple[Scope, tuple[str, ...]]:
    database, thing = match["database"], match["object"]
    if database == "*":
        return Scope.GLOBAL, ()
    if thing == "*":
        return Scope.DATABASE, (_bare(database),)
    return Scope.ROUTINE if match["kind"] else Scope.TABLE, (_bare(database), _bare(thing))


def _is_about(said: str, grantee: str) -> bool:
    return not grantee or _account(said) == grantee


def _account(text: str) -> str:
    names = [_bare(each) for each in re.findall(NAME, text)] or [text]
    return account_name(*names) if len(names) == 2 else role_name(names[0])


def _bare(name: str) -> str:
    quote = name[:1]
    return name[1:-1].replace(quote * 2, quote) if quote in "`'" else name
