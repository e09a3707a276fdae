"""The effective privileges of an account as a tree: scope, object, privileges with paths. Pure.

An account may hold tens of thousands of them: the branches are counted first, each is then given
page by page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import tokens
from accounts.facts import path
from accounts.snapshot import Json

SCOPES = {
    "global": _("Everywhere on the server"),
    "server": _("Server"),
    "system": _("System privileges"),
    "database": _("Databases"),
    "database.pattern": _("Databases by pattern"),
    "tablespace": _("Tablespaces"),
    "schema": _("Schemas"),
    "table": _("Tables and views"),
    "column": _("Columns"),
    "routine": _("Routines"),
    "sequence": _("Sequences"),
    "other": _("Other objects"),
}
WIDTH = {scope: at for at, scope in enumerate(SCOPES)}


@dataclass(frozen=True, slots=True)
class Branch:
    """One scope: on how many objects there is how much."""

    scope: str
    label: Any
    objects: int
    privileges: int


@dataclass(frozen=True, slots=True)
class Rights:
    """Privileges on one object that came by the same path; `grantable` are those of them that may
    be given on. `set_role`: only after SET ROLE to it.
    """

    object: str
    path: tuple[str, ...]
    set_role: str
    privileges: list[str]
    grantable: frozenset[str]

    @property
    def marked(self) -> list[tuple[str, bool]]:
        return [(name, name in self.grantable) for name in self.privileges]


@dataclass(frozen=True, slots=True)
class Denial:
    """What is taken away: DENY of SQL Server, partial REVOKE of MySQL. `path` leads to the role it
    was said of.
    """

    privilege: str
    state: str
    scope: str
    object: str
    path: tuple[str, ...]


def branches(facts: Json, reach: bool = False) -> list[Branch]:
    """Widest scope first; with `reach` what a SET ROLE would add."""
    found = []
    for scope, held in _privileges(facts, reach).items():
        objects = by_object(held)
        total = sum(map(len, objects.values()))
        found.append(Branch(scope, SCOPES.get(scope, scope), len(objects), total))
    return sorted(found, key=lambda branch: (WIDTH.get(branch.scope, len(WIDTH)), branch.scope))


def objects(facts: Json, scope: str, text: str = "", reach: bool = False) -> dict[str, list[str]]:
    """Object -> privileges, by name; with `text` those whose object or privilege holds it."""
    found = by_object(_privileges(facts, reach).get(scope, ()))
    wanted = text.casefold()
    named = {}
    for place in sorted(found):
        names = found[place]
        if wanted and wanted not in place.casefold():
            names = [name for name in names if wanted in name.casefold()]
        if names:
            named[place] = names
    return named


def rights(
    facts: Json, scope: str, held: Mapping[str, list[str]], reach: bool = False
) -> Iterator[Rights]:
    """The privileges on these objects, by path, the shortest first."""
    where = facts.get("reach", {}) if reach else facts
    grantable = by_object(where.get("grantable", {}).get(scope, ()))
    for place, names in held.items():
        ways: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        at = f"@{place}" if place else ""
        for name in names:
            ways.setdefault(_way(facts, f"priv:{scope}:{name}{at}", reach), []).append(name)
        given_on = frozenset(grantable.get(place, ()))
        for (set_role, way), several in sorted(ways.items(), key=lambda each: len(each[0][1])):
            yield Rights(place, way, set_role, several, given_on.intersection(several))


def denials(username: str, facts: Json, entries: Mapping[str, list[Json]]) -> list[Denial]:
    """What the account and its roles are denied. `entries`: holder -> such grants of snapshots."""
    found = []
    for holder, grants in entries.items():
        way = () if holder == username else tuple(path(facts, f"role:{holder}"))
        for entry in grants:
            parts = (entry.get(part) for part in ("database", "schema", "object", "column"))
            place = tokens.object_name(part for part in parts if part is not None)
            scope = entry["scope"]
            found.append(Denial(entry["privilege"], entry["state"], scope, place, way))
    return sorted(found, key=lambda each: (len(each.path), each.scope, each.object))


def _privileges(facts: Json, reach: bool) -> Json:
    found: Json = (facts.get("reach", {}) if reach else facts).get("privileges", {})
    return found


def by_object(found: Any) -> Mapping[str, list[str]]:
    """Object -> privileges of a scope of the facts, however it is written there."""
    return found if isinstance(found, Mapping) else {"": list(found)}


def _way(facts: Json, token: str, reach: bool) -> tuple[str, tuple[str, ...]]:
    if not reach:
        return "", tuple(path(facts, token))
    step = facts.get("reach", {}).get("paths", {}).get(token, {})
    return step.get("set_role", ""), tuple(step.get("path", ()))
