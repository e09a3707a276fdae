"""What could not be read this time keeps its last known value. Pure.

`docs/facts.md` tells what the sections of a snapshot say about it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from accounts import snapshot as snapshots
from accounts.snapshot import Json, is_known
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Section,
)

OF_DATABASES = "database_accounts"
"""The section of principals that live in a database, named by it in their attribute `database`."""


class Stored(NamedTuple):
    """The parts of a stored snapshot that are needed: entries of incomplete sections only."""

    username: str
    sections: dict[str, Json]
    attributes: Json
    type_specific: Json
    grants: list[Json]
    memberships: list[Json]


def incomplete(observation: Observation) -> dict[str, Section]:
    """The sections that could not be read in full."""
    return {name: s for name, s in observation.sections.items() if not s.is_complete}


def take_over(observation: Observation, stored: Iterable[Stored]) -> dict[str, dict[str, Json]]:
    """Add to `observation` what it could not see and the last reading knew.

    Returns the sections of each account's snapshot, by username; accounts that are not in it have
    nothing earlier. What was seen in an incomplete section is certain to be there, and stays.
    """
    missing = incomplete(observation)
    fresh = snapshots.sections_json(observation.sections)
    memberships: dict[str, set[tuple[Any, ...]]] = {}
    for membership in observation.memberships:
        memberships.setdefault(membership.member, set()).add(_edge(membership))
    found: dict[str, dict[str, Json]] = {}
    shared: dict[str, dict[str, Json]] = {}
    for old in stored:
        account = observation.accounts.get(old.username)
        if account is None:
            continue
        text = snapshots.canonical(old.sections)
        if text not in shared:
            shared[text] = merged(fresh, missing, old.sections)
        found[old.username] = shared[text]
        _take_grants(observation, missing, old)
        _take_memberships(observation, missing, old, memberships.get(old.username, set()))
        if any(not section.databases for section in missing.values()):
            observation.accounts[old.username] = _take_attributes(account, old)
    return found


def unread_databases(observation: Observation) -> list[str]:
    """The databases whose own principals could not be listed, where a product has such."""
    section = observation.sections.get(OF_DATABASES)
    return sorted(section.databases) if section and not section.is_complete else []


def keep(observation: Observation, known: Iterable[Mapping[str, Any]]) -> None:
    """Add the accounts of databases that were not read: who was not looked for is not gone.

    `known`: name, kind, attributes and type_specific of those that the last reading found there.
    """
    for old in known:
        has: Json = old["attributes"]
        observation.accounts.setdefault(
            old["username"],
            ObservedAccount(
                old["username"],
                Kind(old["kind"]),
                can_login=has.get("can_login"),
                is_locked=has.get("is_locked"),
                valid_until=_time(has.get("valid_until")),
                password_changed_at=_time(has.get("password_changed_at")),
                attributes=next(iter(old["type_specific"].values()), {}),
            ),
        )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def merged(
    fresh: Mapping[str, Json], missing: Mapping[str, Section], old: Mapping[str, Json]
) -> dict[str, Json]:
    """The sections as just read, with what of their content is from an earlier reading."""
    return {
        name: _merged(name, entry, old) if name in missing else entry
        for name, entry in fresh.items()
    }


def _merged(name: str, entry: Json, old: Mapping[str, Json]) -> Json:
    if "databases" in entry:
        databases = {
            database: {**part, "content": _content(old, name, database)}
            for database, part in entry["databases"].items()
        }
        return {**entry, "databases": databases}
    # Databases that were never read stay unknown, although the rest of the section is known.
    never = {
        database: part
        for database, part in old.get(name, {}).get("databases", {}).items()
        if part["content"] == "none"
    }
    found = {**entry, "content": _content(old, name)}
    return {**found, "databases": never} if never and found["content"] != "none" else found


def _content(old: Mapping[str, Json], section: str, database: str | None = None) -> str:
    return "earlier" if is_known(old, section, database) else "none"


def _is_missing(missing: Mapping[str, Section], section: str, database: str | None) -> bool:
    found = missing.get(section)
    return found is not None and (not found.databases or database in found.databases)


def _take_grants(observation: Observation, missing: Mapping[str, Section], old: Stored) -> None:
    seen = {_right(grant) for grant in observation.grants_of(old.username)}
    for entry in old.grants:
        if _is_missing(missing, entry.get("section", ""), entry.get("database")):
            grant = snapshots.grant(entry, old.username)
            if _right(grant) not in seen:
                observation.grants.setdefault(old.username, []).append(grant)


def _take_memberships(
    observation: Observation,
    missing: Mapping[str, Section],
    old: Stored,
    seen: set[tuple[Any, ...]],
) -> None:
    for entry in old.memberships:
        if _is_missing(missing, entry.get("section", "memberships"), entry.get("database")):
            membership = snapshots.membership(entry, old.username)
            if _edge(membership) not in seen:
                observation.memberships.append(membership)


def _take_attributes(account: ObservedAccount, old: Stored) -> ObservedAccount:
    """None is "the server did not tell": the last answer stands."""
    values: dict[str, Any] = {
        name: old.attributes.get(name)
        for name in ("can_login", "is_locked")
        if getattr(account, name) is None
    }
    before: Json = next(iter(old.type_specific.values()), {})
    untold = {
        name: before[name]
        for name, value in account.attributes.items()
        if value is None and before.get(name) is not None
    }
    if untold:
        values["attributes"] = {**account.attributes, **untold}
    return dataclasses.replace(account, **values) if values else account


def _right(grant: ObservedGrant) -> tuple[Any, ...]:
    return (grant.privilege, grant.scope, grant.parts, grant.object_type, grant.state)


def _edge(membership: ObservedMembership) -> tuple[Any, ...]:
    return (membership.role, membership.database)
