"""What the page of an account shows, worked out from its stored facts and snapshot. Pure.

The shapes of the facts and the snapshot are in `docs/facts.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.facts import path

Json = Mapping[str, Any]

POWERFUL = frozenset(
    ("SUPERUSER", "GRANT_ADMIN", "BYPASS_RLS", "FILE_ACCESS", "PROGRAM_EXECUTION", "IMPERSONATE")
)
WEAK = frozenset(("NO_PASSWORD", "ANY_HOST"))


@dataclass(frozen=True, slots=True)
class Ability:
    """A capability, why it holds and by which roles. `set_role`: only after SET ROLE to it."""

    name: str
    because: str
    path: list[str]
    set_role: str = ""

    @property
    def tone(self) -> str:
        if self.name in POWERFUL:
            return "danger"
        return "warning" if self.name in WEAK else "neutral"


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    path: list[str]
    is_direct: bool
    may_give_on: bool
    set_role: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Sections that were not read in full, for one reason. `databases`: name -> message."""

    names: tuple[str, ...]
    status: str
    message: str
    remedy: str
    databases: dict[str, str]
    is_kept: bool


def abilities(facts: Json) -> list[Ability]:
    """What holds at login first, then what a SET ROLE gives."""
    own = facts.get("capability_reasons", {})
    further = facts.get("reach", {})
    found = [_ability(name, own.get(name, {})) for name in facts.get("capabilities", ())]
    for name in further.get("capabilities", ()):
        step = further.get("paths", {}).get(f"cap:{name}", {})
        reason = further.get("capability_reasons", {}).get(name, {})
        found.append(_ability(name, reason, step.get("set_role", "")))
    return found


def _ability(name: str, reason: Json, set_role: str = "") -> Ability:
    return Ability(name, reason.get("because", ""), list(reason.get("path", ())), set_role)


def roles(facts: Json) -> list[Role]:
    """The roles in effect at login, then those that a SET ROLE reaches."""
    further = facts.get("reach", {})
    found = [_role(name, facts, path(facts, f"role:{name}")) for name in facts.get("roles", ())]
    for name in further.get("roles", ()):
        step = further.get("paths", {}).get(f"role:{name}", {})
        way = list(step.get("path", ()))
        found.append(_role(name, further, way, step.get("set_role", name)))
    return found


def _role(name: str, rights: Json, way: list[str], set_role: str = "") -> Role:
    return Role(
        name,
        way or [name],
        name in rights.get("direct_roles", ()),
        name in rights.get("admin_of", ()),
        set_role,
    )


def unread(snapshot: Json) -> list[Unread]:
    """The sections that could not be read in full, each with its remedy. Those that failed alike
    stand together: a database that is offline is missing in ten of them.
    """
    found: dict[tuple[Any, ...], list[str]] = {}
    for name, section in sorted(snapshot.get("sections", {}).items()):
        if section.get("status", "complete") != "complete":
            found.setdefault(_trouble(section), []).append(name)
    return [
        Unread(tuple(names), status, message, remedy, dict(databases), is_kept)
        for (status, message, remedy, databases, is_kept), names in found.items()
    ]


def _trouble(section: Json) -> tuple[Any, ...]:
    databases = {
        database: entry.get("message", "") if isinstance(entry, Mapping) else str(entry)
        for database, entry in section.get("databases", {}).items()
    }
    return (
        section["status"],
        section.get("message", ""),
        section.get("remedy", ""),
        tuple(databases.items()),
        section.get("content") == "earlier",
    )
