"""Observations for the tests of the rules, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whalefall.engines import engine
from whalefall.engines.base import Capability, Held, Principal
from whalefall.engines.mysql.accounts import public_account
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)

RULES = engine("mysql").rules


def account(username: str, kind: Kind = Kind.USER, **attributes: Any) -> ObservedAccount:
    locked = attributes.pop("locked", False)
    plain = {"plugin": "caching_sha2_password", "password": "caching_sha2", "tls": "none"}
    return ObservedAccount(
        username,
        kind,
        can_login=kind is Kind.USER,
        is_locked=locked,
        attributes={**plain, "password_lifetime": None, **attributes},
    )


def grant(grantee: str, privilege: str, *parts: str, **changes: Any) -> ObservedGrant:
    """No names: on *.*; one: on a database; two: on a table; three: on a column."""
    names = dict(zip(("database", "object", "column"), parts, strict=False))
    scope = (Scope.GLOBAL, Scope.DATABASE, Scope.TABLE, Scope.COLUMN)[len(parts)]
    return ObservedGrant(grantee, privilege, changes.pop("scope", scope), **names, **changes)


def observation(
    accounts: Sequence[ObservedAccount],
    grants: Sequence[ObservedGrant] = (),
    memberships: Sequence[ObservedMembership] = (),
    **settings: str,
) -> Observation:
    vendor = settings.setdefault("vendor", "MySQL")
    made = Observation(
        "mysql",
        main_version="10.11" if vendor == "MariaDB" else settings.pop("main_version", "8.4"),
        settings=settings,
        accounts={one.username: one for one in (*accounts, public_account())},
        memberships=list(memberships),
    )
    made.add_grants(grants)
    return made


def capabilities(
    one: ObservedAccount,
    *grants: ObservedGrant,
    admin_of: Mapping[str, tuple[str, ...]] = {},
    **settings: str,
) -> dict[str, Capability]:
    """What holds for an account with these grants of its own."""
    seen = observation([one], grants, **settings)
    held = RULES.resolve(one, [Held(each) for each in grants], seen)
    principal = Principal(one, {}, admin_of, held)
    return {found.name: found for found in RULES.capabilities(principal, seen)}
