"""Snapshot v4: what a server's catalog says about one account, as JSON, and back. Pure.

Equal privileges give equal bytes: lists are sorted, defaults are left out. `docs/facts.md` shows
the shape.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from whalefall.engines.observed import (
    GrantState,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
    Section,
)

Json = dict[str, Any]
VERSION = 4
OWNER = "OWNER"


def _optional(kind: type, *always: str) -> list[tuple[str, Any]]:
    fields = dataclasses.fields(kind)
    return [(each.name, each.default) for each in fields if each.name not in always]


GRANT_FIELDS = _optional(ObservedGrant, "grantee", "privilege", "scope")
MEMBERSHIP_FIELDS = _optional(ObservedMembership, "member", "role")


def build(
    db_type: str,
    account: ObservedAccount,
    grants: Sequence[ObservedGrant],
    memberships: Iterable[ObservedMembership],
    sections: Mapping[str, Json],
) -> Json:
    """The snapshot of one account. `sections` as `sections_json` gives them."""
    return {
        "version": VERSION,
        "db_type": db_type,
        "categories": {
            "attributes": attributes(account),
            "memberships": _entries(memberships, membership_entry),
            "grants": _entries((g for g in grants if g.privilege != OWNER), grant_entry),
            "owns": _entries((g for g in grants if g.privilege == OWNER), grant_entry),
        },
        "type_specific": {db_type: plain(account.attributes)},
        "sections": sections,
        "errors": errors(sections),
        "meta": {"details": plain(account.details)} if account.details else {},
    }


def attributes(account: ObservedAccount) -> Json:
    return {
        "kind": account.kind.value,
        "can_login": account.can_login,
        "is_locked": account.is_locked,
        "valid_until": plain(account.valid_until),
        "password_changed_at": plain(account.password_changed_at),
    }


def grant_entry(grant: ObservedGrant) -> Json:
    entry: Json = {"privilege": grant.privilege, "scope": grant.scope.value}
    for name, default in GRANT_FIELDS:
        value = getattr(grant, name)
        if value != default:
            entry[name] = list(value) if name == "traits" else value
    return entry


def membership_entry(membership: ObservedMembership) -> Json:
    entry: Json = {"role": membership.role}
    for name, default in MEMBERSHIP_FIELDS:
        value = getattr(membership, name)
        if value != default or name == "section":
            entry[name] = value
    return entry


def grant(entry: Mapping[str, Any], grantee: str) -> ObservedGrant:
    """The value that `grant_entry` came from."""
    values = {**entry, "grantee": grantee, "scope": Scope(entry["scope"])}
    values["state"] = GrantState(entry.get("state", GrantState.GRANT))
    values["traits"] = tuple(entry.get("traits", ()))
    return ObservedGrant(**values)


def membership(entry: Mapping[str, Any], member: str) -> ObservedMembership:
    return ObservedMembership(**{**entry, "member": member})


def sections_json(sections: Mapping[str, Section]) -> dict[str, Json]:
    """The sections as stored, for an account of which nothing earlier is known."""
    found = {}
    for name, section in sorted(sections.items()):
        entry: Json = {"status": section.status.value}
        if not section.is_complete:
            entry |= {"message": section.message}
            if section.remedy:
                entry["remedy"] = section.remedy
            if section.databases:
                entry["databases"] = {
                    database: {"message": message, "content": "none"}
                    for database, message in sorted(section.databases.items())
                }
            else:
                entry["content"] = "none"
        found[name] = entry
    return found


def is_known(sections: Mapping[str, Json], section: str, database: str | None = None) -> bool:
    """Whether the entries of a section (in a database) are what a server said, now or earlier."""
    if not section:
        return True
    entry = sections.get(section)
    if entry is None:
        return False
    part = entry.get("databases", {}).get(database, entry)
    return bool(part.get("content", "read") != "none")


def errors(sections: Mapping[str, Json]) -> list[str]:
    """What could not be read, one line per section."""
    return [
        f"{name}: {entry.get('message') or entry['status']}"
        for name, entry in sections.items()
        if entry["status"] != "complete"
    ]


def fingerprint(snapshot: Json) -> str:
    """Changes with what the snapshot says; messages, details and `meta` do not count."""
    said = {key: snapshot[key] for key in ("version", "db_type", "categories", "type_specific")}
    return digest({**said, "sections": _states(snapshot["sections"])})


def _states(sections: Mapping[str, Json]) -> Json:
    return {
        name: [
            entry["status"],
            entry.get("content", "read"),
            {db: part["content"] for db, part in entry.get("databases", {}).items()},
        ]
        for name, entry in sections.items()
    }


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def canonical(value: Any) -> str:
    """JSON with sorted keys and nothing escaped: equal values give equal text."""
    return _encode(value)


def digest(value: Any) -> str:
    # A name that is no valid text on the server must not stop the account's collection.
    return hashlib.sha256(canonical(value).encode(errors="surrogatepass")).hexdigest()


def plain(value: Any) -> Any:
    """`value` as JSON can carry it: times as ISO 8601 in UTC, sets sorted."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _entries(values: Iterable[Any], entry: Any) -> list[Json]:
    """Sorted and without repetitions."""
    found = sorted(map(entry, values), key=lambda each: sorted(each.items()))
    return [each for at, each in enumerate(found) if at == 0 or each != found[at - 1]]
