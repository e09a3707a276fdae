"""Two accounts, or one account at two times, side by side. Pure.

What the other side lacks because nobody could read it there is unknown, not a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import diff, facts, tokens
from accounts.snapshot import Json, canonical
from accounts.tree import by_object
from whalefall.engines import engine
from whalefall.engines.observed import Scope


class Held(models.TextChoices):
    """By whom; DIFFERENT: by both, but not alike (one may give it on, say)."""

    LEFT = "left", _("only left")
    RIGHT = "right", _("only right")
    DIFFERENT = "different", _("different")
    UNKNOWN = "unknown", _("unknown")
    SAME = "same", _("same")


class Side(NamedTuple):
    """One account: its name, facts (v2; {} where only the catalog is compared), snapshot (v4)."""

    username: str
    facts: Json
    snapshot: Json


class How(NamedTuple):
    """How one side has it: `path` of roles (own: empty), and what comes with it."""

    path: tuple[str, ...] = ()
    option: str = ""


@dataclass(slots=True)
class Row:
    """`names` on one object that compare alike; a side that lacks them is None."""

    scope: str
    object: str
    held: Held
    left: How | None
    right: How | None
    names: list[str] = field(default_factory=list)


class Value(NamedTuple):
    """An attribute of both accounts as text."""

    name: str
    held: Held
    left: str
    right: str


class Key(NamedTuple):
    scope: str
    object: str
    name: str


Holdings = Mapping[Key, How]
IsUnread = Callable[[Side, Key], bool]


def attributes(left: Side, right: Side) -> list[Value]:
    """What the servers say about the accounts themselves; differences first."""
    ours, theirs = diff.attributes(left.snapshot), diff.attributes(right.snapshot)
    found = []
    for name in sorted(ours.keys() | theirs.keys()):
        same = canonical(ours.get(name)) == canonical(theirs.get(name))
        texts = diff.shown(ours.get(name)), diff.shown(theirs.get(name))
        held = Held.SAME if same else Held.DIFFERENT
        found.append(Value(name.replace("_", " "), held, *texts))
    return sorted(found, key=lambda value: value.held is Held.SAME)


def capabilities(left: Side, right: Side) -> list[Row]:
    return _rows(left, right, _capabilities, _unread_capability)


def roles(left: Side, right: Side) -> list[Row]:
    """Those in effect at login, and those that SET ROLE reaches."""
    return _rows(left, right, _roles, _unread_role)


def privileges(left: Side, right: Side) -> list[Row]:
    """What is in effect at login, by scope and object."""
    return _rows(left, right, _privileges, _unread_scope)


def catalog(left: Side, right: Side) -> list[Row]:
    """What was given to the accounts themselves, as the catalog has it: grants, denials,
    memberships, ownership.
    """
    sections: dict[Key, tuple[str, str | None]] = {}
    held = [_catalog(side, sections) for side in (left, right)]
    return _compared(held[0], held[1], left, right, lambda side, key: _blind(side, *sections[key]))


def differing(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.held is not Held.SAME]


def summary(rows: Iterable[Row]) -> dict[str, int]:
    """How many names compare in which way."""
    counts = {held.value: 0 for held in Held}
    for row in rows:
        counts[row.held.value] += len(row.names)
    return counts


def _rows(
    left: Side, right: Side, of: Callable[[Side], Holdings], is_unread: IsUnread
) -> list[Row]:
    return _compared(of(left), of(right), left, right, is_unread)


def _compared(
    ours: Holdings, theirs: Holdings, left: Side, right: Side, is_unread: IsUnread
) -> list[Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for key in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(key), theirs.get(key)
        if mine and other:
            held = Held.SAME if mine.option == other.option else Held.DIFFERENT
        elif mine:
            held = Held.UNKNOWN if is_unread(right, key) else Held.LEFT
        else:
            held = Held.UNKNOWN if is_unread(left, key) else Held.RIGHT
        same = (key.scope, key.object, held, mine, other)
        found.setdefault(same, Row(*same)).names.append(key.name)
    return list(found.values())


def _capabilities(side: Side) -> Holdings:
    reasons = side.facts.get("capability_reasons", {})
    return {
        Key("", "", name): How(tuple(reasons.get(name, {}).get("path", ())))
        for name in side.facts.get("capabilities", ())
    }


def _roles(side: Side) -> Holdings:
    further, known = side.facts.get("reach", {}), side.facts
    found = {
        Key("", "", name): How(tuple(step.get("path", ())), "SET ROLE")
        for name in further.get("roles", ())
        for step in (further.get("paths", {}).get(f"role:{name}", {}),)
    }
    for name in known.get("roles", ()):
        option = "WITH ADMIN OPTION" if name in known.get("admin_of", ()) else ""
        found[Key("", "", name)] = How(tuple(facts.path(known, f"role:{name}")), option)
    return found


def _privileges(side: Side) -> Holdings:
    return dict(_held_privileges(side.facts))


def _held_privileges(known: Json) -> Iterator[tuple[Key, How]]:
    for scope, found in known.get("privileges", {}).items():
        grantable = by_object(known.get("grantable", {}).get(scope, ()))
        for place, names in by_object(found).items():
            given_on, at = set(grantable.get(place, ())), f"@{place}" if place else ""
            for name in names:
                path = tuple(facts.path(known, f"priv:{scope}:{name}{at}"))
                option = "WITH GRANT OPTION" if name in given_on else ""
                yield Key(scope, place, name), How(path, option)


def _catalog(side: Side, sections: dict[Key, tuple[str, str | None]]) -> Holdings:
    found = {}
    for key, item in diff.items(side.snapshot).items():
        scope, _colon, place = key.object.partition(":")
        placed = Key(scope, place, key.permission)
        found[placed] = How((), item.option.strip())
        sections[placed] = (item.section, item.database)
    return found


def _blind(side: Side, section: str, database: str | None) -> bool:
    """Whether nothing is known of a section (in a database) on this side, now or earlier."""
    entry = side.snapshot.get("sections", {}).get(section, {})
    part = entry.get("databases", {}).get(database, entry)
    return bool(part.get("content", "read") == "none")


def _unread_scope(side: Side, key: Key) -> bool:
    scope = Scope(key.scope.removesuffix(".pattern"))
    database = next(iter(tokens.parts(key.object)), None)
    needed = engine(side.snapshot["db_type"]).rules.sections_for_scope(scope)
    return any(_blind(side, section, database) for section in needed)


def _unread_role(side: Side, key: Key) -> bool:
    needed = engine(side.snapshot["db_type"]).rules.sections_for_role()
    return any(_blind(side, section, None) for section in needed)


def _unread_capability(side: Side, key: Key) -> bool:
    needed = engine(side.snapshot["db_type"]).rules.sections_for_capability(key.name)
    return any(_blind(side, section, None) for section in needed)
