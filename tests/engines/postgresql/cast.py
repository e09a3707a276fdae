"""Observations written by hand, with the fewest words."""

from __future__ import annotations

from typing import Any

from accounts.facts import AccountFacts, Facts
from whalefall.engines import engine
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)

RULES = engine("postgresql").rules
PLAIN = {
    "superuser": False,
    "inherit": True,
    "create_role": False,
    "create_db": False,
    "replication": False,
    "bypass_rls": False,
    "connection_limit": -1,
    "password": "scram",
}


def account(name: str, can_login: bool = True, **attributes: Any) -> ObservedAccount:
    return ObservedAccount(
        name,
        Kind.USER if can_login else Kind.ROLE,
        can_login=can_login,
        is_locked=attributes.pop("is_locked", False),
        valid_until=attributes.pop("valid_until", None),
        attributes=PLAIN | attributes,
    )


def member(name: str, role: str, **options: Any) -> ObservedMembership:
    return ObservedMembership(name, role, **options)


def grant(grantee: str, privilege: str, scope: Scope, *parts: str, **more: Any) -> ObservedGrant:
    """`parts` fill database, schema, object, column; server-wide things have an object only."""
    names = ("database", "schema", "object", "column")
    places = dict(zip(names, parts, strict=False))
    return ObservedGrant(grantee, privilege, scope, **places | more)


def observed(*found: Any, version: str = "18", settings: dict[str, str] | None = None):
    """An observation of the accounts, memberships and grants given, in any order."""
    observation = Observation("postgresql", main_version=version, settings=settings or {})
    public = ObservedAccount("public", Kind.PUBLIC, can_login=False)
    for value in (public, *found):
        if isinstance(value, ObservedAccount):
            observation.accounts[value.username] = value
        elif isinstance(value, ObservedMembership):
            observation.memberships.append(value)
        else:
            observation.add_grants([value])
    return observation


def facts_of(name: str, *found: Any, **more: Any) -> AccountFacts:
    observation = observed(*found, **more)
    return Facts(observation, RULES).of(observation.accounts[name])


def capabilities_of(name: str, *found: Any, **more: Any) -> dict[str, str]:
    """Capability -> why."""
    reasons = facts_of(name, *found, **more).facts["capability_reasons"]
    return {capability: reason["because"] for capability, reason in reasons.items()}
