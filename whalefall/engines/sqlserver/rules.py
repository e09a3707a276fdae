"""What memberships, grants and denials mean in SQL Server. Pure: values in, values out.

A permission is held when it, or one that implies it, is granted to the account or to one of its
roles, and neither it nor one that implies it is denied to any of them or to public ("Summary of the
Permission Check Algorithm"). A denial does not bind sysadmin, dbo and the owner of the thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from whalefall.engines.base import Capability, Held, Principal, Reference, Rules
from whalefall.engines.observed import (
    GrantState,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)
from whalefall.engines.sqlserver import capabilities, revoking
from whalefall.engines.sqlserver.permissions import (
    DATABASE_IMPLIED_BY,
    DATABASE_IMPLIED_BY_SERVER,
    DATABASE_ROLES,
    SERVER_IMPLIED_BY,
    SERVER_ROLES,
    Key,
    implied_by,
)

Key_ = tuple[Scope, tuple[str, ...]]
"""A thing: its scope and its names."""

SYSADMIN = "sysadmin"
COMMON_CRITERIA = "common criteria compliance enabled"
IN_DATABASE = (
    Scope.DATABASE, Scope.SCHEMA, Scope.TABLE, Scope.COLUMN, Scope.ROUTINE, Scope.SEQUENCE,
    Scope.OTHER,
)  # fmt: skip
ABOVE: Mapping[Scope, tuple[str, ...]] = {
    Scope.DATABASE: (),
    Scope.SCHEMA: ("database",),
    Scope.COLUMN: ("table", "schema", "database"),
    Scope.TABLE: ("schema", "database"),
    Scope.ROUTINE: ("schema", "database"),
    Scope.SEQUENCE: ("schema", "database"),
}
"""Where else a right on something may come from."""
OBJECT = ("CONTROL", "ALTER", "VIEW DEFINITION", "TAKE OWNERSHIP", "REFERENCES")
DATA = ("SELECT", "INSERT", "UPDATE", "DELETE")


def _known(*tables: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = {name for table in tables for key, implied in table.items() for name in (key, *implied)}
    return tuple(sorted(names))


SERVER_PERMISSIONS = sorted(
    {name for names in SERVER_ROLES.values() for name in names}
    | set(_known(SERVER_IMPLIED_BY))
    | set(DATABASE_IMPLIED_BY_SERVER.values())
    | {
        "CONTROL SERVER", "CONNECT SQL", "ALTER ANY CREDENTIAL", "ALTER ANY SERVER AUDIT",
        "ALTER ANY AVAILABILITY GROUP", "ALTER TRACE", "AUTHENTICATE SERVER",
        "IMPERSONATE ANY LOGIN", "UNSAFE ASSEMBLY", "EXTERNAL ACCESS ASSEMBLY",
    }
)  # fmt: skip
DATABASE_PERMISSIONS = sorted(
    {name for names in DATABASE_ROLES.values() for name in names}
    | set(_known(DATABASE_IMPLIED_BY))
    | set(DATABASE_IMPLIED_BY_SERVER)
    | {"OWNER", "AUTHENTICATE", "EXECUTE", "SHOWPLAN", "TAKE OWNERSHIP", "UNMASK", *DATA}
)

IMPLYING = frozenset(
    {"CONTROL", "CONTROL SERVER", "ALTER", "TAKE OWNERSHIP", *DATABASE_IMPLIED_BY_SERVER.values()}
    | {name for names in SERVER_IMPLIED_BY.values() for name in names}
    | {name for names in DATABASE_IMPLIED_BY.values() for name in names}
)
"""Permissions from which others follow."""


def mark(key: Key) -> str:
    """The trait of a grant beside which this is denied."""
    scope, privilege, parts = key
    names = ".".join("[" + part.replace("]", "]]") + "]" for part in parts)
    return f"denied:{scope.value}:{privilege}@{names}"


class SqlServerRules(Rules):
    """Roles nest and always count; there is no SET ROLE, but EXECUTE AS, which IMPERSONATE allows:
    whom an account may impersonate is what it can reach.
    """

    privileges = {
        Scope.SERVER: tuple(SERVER_PERMISSIONS),
        Scope.DATABASE: tuple(DATABASE_PERMISSIONS),
        Scope.SCHEMA: ("OWNER", *DATA, "EXECUTE", "CREATE SEQUENCE", *OBJECT),
        Scope.TABLE: ("OWNER", *DATA, "EXECUTE", "RECEIVE", "VIEW CHANGE TRACKING", *OBJECT),
        Scope.COLUMN: ("SELECT", "UPDATE", "REFERENCES"),
        Scope.ROUTINE: ("OWNER", "EXECUTE", "SELECT", *OBJECT),
        Scope.SEQUENCE: ("OWNER", "UPDATE", *OBJECT),
        Scope.OTHER: (
            "OWNER", "IMPERSONATE", "EXECUTE", "CONNECT", "SEND", "RECEIVE", "LINKED LOGIN",
            *OBJECT,
        ),
    }  # fmt: skip
    default_schema = "dbo"
    capabilities_known = capabilities.KNOWN
    personal = capabilities.PERSONAL

    def memberships(self, observation: Observation) -> Iterable[ObservedMembership]:
        """Those in the catalog, and as steps to be taken on purpose: whom one may impersonate,
        oneself or by a role.
        """
        yield from observation.memberships
        members: dict[str, list[str]] | None = None
        for grant, target in capabilities.impersonations(observation):
            if members is None:
                members = _members(observation)
            for name in _everybody_in(grant.grantee, members) - {target}:
                yield ObservedMembership(
                    name, target, inherit=False, default=False, database=grant.database,
                    section=grant.section,
                )  # fmt: skip

    def resolve(
        self, account: ObservedAccount, held: Sequence[Held], observation: Observation
    ) -> Sequence[Held]:
        """The grants that remain beside the denials. A grant that is denied in part stays, marked
        with each of the denials.
        """
        granted = [each for each in held if each.grant.state is GrantState.GRANT]
        denied = [each.grant for each in held if each.grant.state is GrantState.DENY]
        if account.username == SYSADMIN or any(h.grant.grantee == SYSADMIN for h in held):
            return granted
        denied += _denied_to_public(account, held, observation)
        if not denied:
            return granted
        return list(Denials(denied, granted, observation).remaining(granted))

    def capabilities(self, principal: Principal, observation: Observation) -> Iterable[Capability]:
        return capabilities.of(principal, observation)

    def covering(self, privilege: str, scope: Scope, parts: tuple[str, ...]) -> Iterable[Reference]:
        """The permission itself and what implies it, unless it is denied on the way down; the
        owners of the thing and of what it is in; sysadmin.
        """
        keys = implied_by(scope, privilege, parts)
        marks = tuple(map(mark, keys))
        if privilege != "OWNER":
            for key in keys:
                yield Reference(*key, unless=marks)
        for owned, names in _owned_places(scope, parts):
            yield Reference(owned, "OWNER", names)
        yield Reference(scope, capability="SYSADMIN")

    def revoke_role(self, role: str, member: str, admin_only: bool = False) -> str:
        return "" if admin_only else revoking.role(role, member)

    def revoke(
        self,
        grantee: str,
        privilege: str,
        scope: str,
        parts: tuple[str, ...],
        option_only: bool = False,
    ) -> str:
        return revoking.privilege(grantee, privilege, scope, parts, option_only)

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        """A right in a database may come from the server, too."""
        server = ("server", "memberships")
        if scope not in IN_DATABASE:
            return server
        return (
            scope.value, *ABOVE.get(scope, ("database",)), "database_accounts",
            "database_memberships", *server,
        )  # fmt: skip

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        return capabilities.sections(name)

    def sections_for_role(self) -> tuple[str, ...]:
        return ("memberships", "database_memberships")


def _members(observation: Observation) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for membership in observation.memberships:
        found[membership.role].append(membership.member)
    return found


def _everybody_in(role: str, members: Mapping[str, Sequence[str]]) -> set[str]:
    found, todo = {role}, [role]
    for name in todo:  # grows while it is walked
        fresh = [member for member in members.get(name, ()) if member not in found]
        found.update(fresh)
        todo.extend(fresh)
    return found


def _owned_places(scope: Scope, parts: tuple[str, ...]) -> Iterator[Key_]:
    """What has owners, from the thing itself up to its database."""
    if scope is Scope.COLUMN:
        scope, parts = Scope.TABLE, parts[:3]
    if scope not in IN_DATABASE or not parts:
        return
    yield scope, parts
    if len(parts) == 3:
        yield Scope.SCHEMA, parts[:2]
    if scope is not Scope.DATABASE and len(parts) > 1:
        yield Scope.DATABASE, parts[:1]


def _key(grant: ObservedGrant) -> Key:
    return grant.scope, grant.privilege, grant.parts


def _denied_to_public(
    account: ObservedAccount, held: Sequence[Held], observation: Observation
) -> list[ObservedGrant]:
    """What public must not do, nobody may, in the databases that matter to the account."""
    by_database = observation.derived.get("denied to public")
    if by_database is None:
        by_database = defaultdict(list)
        for name, principal in observation.accounts.items():
            if principal.attributes.get("type") == "role" and principal.kind.value == "public":
                for grant in observation.grants_of(name):
                    if grant.state is GrantState.DENY:
                        by_database[grant.database].append(grant)
        observation.derived["denied to public"] = by_database
    if not by_database:
        return []
    found = []
    for database in {each.grant.database for each in held} | {None}:
        found += [g for g in by_database.get(database, ()) if g.grantee != account.username]
    on_server = any(each.grant.scope is Scope.SERVER for each in held)
    if on_server:  # a right on the server reaches into every database
        for grants in by_database.values():
            found += [g for g in grants if g not in found]
    return found


class Denials:
    """What is denied to one account, and what that leaves of its grants."""

    def __init__(
        self,
        denied: Iterable[ObservedGrant],
        granted: Iterable[Held],
        observation: Observation,
    ) -> None:
        self.owned = {
            (h.grant.scope, h.grant.parts) for h in granted if h.grant.privilege == "OWNER"
        }
        self.is_lenient = observation.settings.get(COMMON_CRITERIA) != "1"
        explicit = _owned_explicitly(observation)
        self.keys = {_key(grant) for grant in denied if not self._is_owner(grant, explicit)}

    def _is_owner(self, grant: ObservedGrant, explicit: set[Key_]) -> bool:
        """Whether the account owns what it is denied: the owner of a schema owns the objects in it
        that have no owner of their own; the owner of a database is dbo in it.
        """
        scope, parts = grant.scope, grant.parts
        for owned, names in _owned_places(scope, parts):
            if (owned, names) in self.owned:
                has_other = (
                    owned is Scope.SCHEMA and len(parts) > 2 and (scope, parts[:3]) in explicit
                )
                if not has_other:
                    return True
        return False

    def remaining(self, granted: Iterable[Held]) -> Iterator[Held]:
        for held in granted:
            grant = held.grant
            key = _key(grant)
            if grant.privilege == "OWNER":
                yield held
            elif not self.is_denied(key):
                exceptions = [mark(each) for each in self.keys if self._limits(each, key)]
                if exceptions:
                    traits = tuple(sorted({*grant.traits, *exceptions}))
                    held = replace(held, grant=replace(grant, traits=traits))
                yield held

    def _limits(self, denied: Key, granted: Key) -> bool:
        """Whether some permission could follow from the grant that the denial takes away: one thing
        lies in the other, and the two are the same permission or one that implies others.
        """
        (_, privilege, parts), (at, name, place) = denied, granted
        shared = min(len(parts), len(place))
        if parts[:shared] != place[:shared]:
            return False
        if at is Scope.COLUMN and self._is_overruled(denied, granted):
            return False
        return privilege == name or privilege in IMPLYING or name in IMPLYING

    def _is_overruled(self, denied: Key, granted: Key) -> bool:
        """A column granted beats its table denied, as it always has, unless common criteria
        compliance is switched on.
        """
        scope, privilege, parts = granted
        on_table = denied == (Scope.TABLE, privilege, parts[:3])
        return scope is Scope.COLUMN and on_table and self.is_lenient

    def is_denied(self, key: Key) -> bool:
        return any(
            wider in self.keys and not self._is_overruled(wider, key) for wider in implied_by(*key)
        )


def _owned_explicitly(observation: Observation) -> set[Key_]:
    """Objects with an owner of their own, worked out once."""
    found: set[Key_] | None = observation.derived.get("owned explicitly")
    if found is None:
        found = {
            (grant.scope, grant.parts)
            for grants in observation.grants.values()
            for grant in grants
            if grant.privilege == "OWNER" and len(grant.parts) == 3
        }
        observation.derived["owned explicitly"] = found
    return found
