"""Observations for the tests of the rules, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whalefall.engines import engine
from whalefall.engines.base import Capability, Held, Principal
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)
from whalefall.engines.oracle.accounts import public_account

RULES = engine("oracle").rules


def account(username: str, kind: Kind = Kind.USER, **attributes: Any) -> ObservedAccount:
    locked = attributes.pop("locked", False)
    plain = {"status": "OPEN", "profile": "STRICT", "authentication": "PASSWORD"}
    if kind is not Kind.USER:
        plain = {"authentication": "NONE"}
    return ObservedAccount(
        username, kind, can_login=kind is Kind.USER, is_locked=locked, attributes=plain | attributes
    )


def role(name: str, **attributes: Any) -> ObservedAccount:
    return account(name, Kind.ROLE, **attributes)


def system(grantee: str, privilege: str, **changes: Any) -> ObservedGrant:
    return ObservedGrant(grantee, privilege, Scope.SYSTEM, section="system", **changes)


def on(
    grantee: str, privilege: str, schema: str, name: str, scope: Scope = Scope.TABLE, **changes: Any
) -> ObservedGrant:
    return ObservedGrant(
        grantee, privilege, scope, schema=schema, object=name, source="DBA_TAB_PRIVS", **changes
    )


def observation(
    accounts: Sequence[ObservedAccount],
    grants: Sequence[ObservedGrant] = (),
    memberships: Sequence[ObservedMembership] = (),
    **settings: str,
) -> Observation:
    made = Observation(
        "oracle",
        main_version="19",
        settings=settings,
        accounts={one.username: one for one in (*accounts, public_account())},
        memberships=list(memberships),
    )
    made.add_grants(grants)
    return made


def capabilities(
    one: ObservedAccount,
    *grants: ObservedGrant,
    roles: Mapping[str, tuple[str, ...]] = {},
    admin_of: Mapping[str, tuple[str, ...]] = {},
    **settings: str,
) -> dict[str, Capability]:
    """What holds for an account with these grants of its own and these roles."""
    seen = observation([one], grants, **settings)
    held = RULES.resolve(one, [Held(each) for each in grants], seen)
    principal = Principal(one, roles, admin_of, held)
    return {found.name: found for found in RULES.capabilities(principal, seen)}
