"""A small product for pure tests: plain rules, and short words to write observations with."""

from __future__ import annotations

from collections.abc import Iterable

from whalefall.engines.base import Capability, Principal, Rules
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
    Section,
    SectionStatus,
)

SECTIONS = ("accounts", "memberships", "global", "database", "table", "routine")


class PlainRules(Rules):
    """SUPER gives SUPERUSER, CREATE USER gives GRANT_ADMIN, the attribute `boss` too."""

    capabilities_known = ("SUPERUSER", "GRANT_ADMIN", "LOCKED")

    def capabilities(self, principal: Principal, observation: Observation) -> Iterable[Capability]:
        for held in principal.privileges:
            if held.grant.privilege == "SUPER":
                yield Capability("SUPERUSER", "SUPER on *.*", held.path)
            if held.grant.privilege == "CREATE USER":
                yield Capability("GRANT_ADMIN", "CREATE USER on *.*", held.path)
        if principal.account.attributes.get("boss"):
            yield Capability("GRANT_ADMIN", "attribute boss")
        if principal.account.is_locked:
            yield Capability("LOCKED", "account locked")


def account(username: str, **values) -> ObservedAccount:
    return ObservedAccount(username, **values)


def role(username: str, **values) -> ObservedAccount:
    return ObservedAccount(username, Kind.ROLE, can_login=False, **values)


def grant(grantee: str, privilege: str, on: str = "", **values) -> ObservedGrant:
    """`on`: "" for the whole server, `sales`, or `sales.orders`."""
    parts = on.split(".") if on else []
    scope = (Scope.GLOBAL, Scope.DATABASE, Scope.TABLE)[len(parts)]
    names = dict(zip(("database", "object"), parts, strict=False))
    values = {"scope": scope, "section": scope.value, **names, **values}
    return ObservedGrant(grantee, privilege, **values)


def member(name: str, of: str, **values) -> ObservedMembership:
    return ObservedMembership(name, of, **values)


def denied(name: str, message: str = "SELECT command denied", **values) -> Section:
    return Section(name, SectionStatus.DENIED, message, **values)


def observe(*things, sections: Iterable[Section] = (), db_type: str = "mysql") -> Observation:
    """An observation of these accounts, grants and memberships; every section was complete, but
    for those in `sections`.
    """
    found = Observation(db_type, version="10.11.6", main_version="10.11")
    found.sections = {name: Section(name) for name in SECTIONS}
    found.sections |= {section.name: section for section in sections}
    for thing in things:
        if isinstance(thing, ObservedAccount):
            found.accounts[thing.username] = thing
        elif isinstance(thing, ObservedMembership):
            found.memberships.append(thing)
        else:
            found.add_grants([thing])
    return found
