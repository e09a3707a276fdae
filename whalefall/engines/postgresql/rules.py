"""What memberships and grants mean in PostgreSQL. Pure: values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from whalefall.engines.base import Capability, Held, Principal, Reference, Rules
from whalefall.engines.observed import (
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)
from whalefall.engines.postgresql import capabilities, revoking
from whalefall.engines.postgresql.predefined import DATABASE_OWNER, IMPLIED

ATTRIBUTES = {
    "superuser": "SUPERUSER",
    "create_role": "CREATEROLE",
    "create_db": "CREATEDB",
    "replication": "REPLICATION",
    "bypass_rls": "BYPASSRLS",
}
"""Role attributes that stand as privileges of scope `global`, under the names ALTER ROLE uses."""

TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
DEFAULTS = (*TABLE, "USAGE", "EXECUTE", "CREATE")
ON_EVERYTHING = {
    Scope.TABLE: ("SELECT", "INSERT", "UPDATE", "DELETE", "MAINTAIN"),
    Scope.COLUMN: ("SELECT", "INSERT", "UPDATE"),
    Scope.SEQUENCE: ("SELECT", "UPDATE"),
    Scope.SCHEMA: ("USAGE",),
}
"""What pg_read_all_data, pg_write_all_data and pg_maintain give on every object of a scope."""


class PostgreSQLRules(Rules):
    """INHERIT and SET per membership (16+) or by the member's attribute (before), as observed.

    `ObservedMembership.inherit` and `.set` already say which: only the engine knows the version.
    Attributes (SUPERUSER ...) never pass to members; they take SET ROLE.
    """

    privileges = {
        Scope.GLOBAL: (
            *ATTRIBUTES.values(),
            *sorted({name for _, names in IMPLIED.values() for name in names}),
        ),
        Scope.SERVER: ("SET", "ALTER SYSTEM"),
        Scope.DATABASE: ("OWNER", "CONNECT", "CREATE", "TEMPORARY"),
        Scope.TABLESPACE: ("OWNER", "CREATE"),
        Scope.SCHEMA: ("OWNER", "CREATE", "USAGE"),
        Scope.TABLE: ("OWNER", *TABLE),
        Scope.COLUMN: COLUMN,
        Scope.SEQUENCE: ("OWNER", "SELECT", "UPDATE", "USAGE"),
        Scope.ROUTINE: ("OWNER", "EXECUTE"),
        Scope.OTHER: (
            "OWNER",
            "USAGE",
            "SELECT",
            "UPDATE",
            "USER MAPPING",
            *(f"DEFAULT {name}" for name in DEFAULTS),
        ),
    }
    name_parts = {**Rules.name_parts, Scope.SERVER: 1}  # a configuration parameter
    default_schema = "public"
    capabilities_known = capabilities.KNOWN
    personal = capabilities.PERSONAL

    def memberships(self, observation: Observation) -> Iterable[ObservedMembership]:
        """Those in the catalog, and each database's owner in pg_database_owner (14+). Setting that
        role adds nothing to being the owner, and it is another role in each database: not a step.
        """
        yield from observation.memberships
        if DATABASE_OWNER in observation.accounts:
            for database, owner in _databases_owned(observation):
                inherit = _inherits_ownership(owner, observation)
                yield ObservedMembership(
                    owner, DATABASE_OWNER, inherit=inherit, set=False, database=database
                )

    def resolve(
        self, account: ObservedAccount, held: Sequence[Held], observation: Observation
    ) -> Sequence[Held]:
        """All that is held, the account's own attributes, and what pg_database_owner holds in the
        databases that the account owns: a membership that is true in those only.
        """
        kept = [entry for entry in held if DATABASE_OWNER not in entry.path]
        kept.extend(_through_ownership(kept, observation))
        kept.extend(_attributes(account))
        return kept

    def capabilities(self, principal: Principal, observation: Observation) -> Iterable[Capability]:
        return capabilities.of(principal, observation)

    def revoke_role(self, role: str, member: str, admin_only: bool = False) -> str:
        return revoking.role(role, member, admin_only)

    def revoke(
        self,
        grantee: str,
        privilege: str,
        scope: str,
        parts: tuple[str, ...],
        option_only: bool = False,
    ) -> str:
        return revoking.privilege(grantee, privilege, scope, parts, option_only)

    def covering(self, privilege: str, scope: Scope, parts: tuple[str, ...]) -> Iterable[Reference]:
        """Itself, ownership (an owner can always give it to himself), the table for its columns,
        the predefined roles over all data, and superusers.

        As in has_table_privilege(), CONNECT on the database and USAGE on the schema, without which
        the right cannot be used, are not asked for: they are rights of their own.
        """
        yield Reference(scope, privilege, parts)
        if scope is Scope.COLUMN:
            yield from (Reference(Scope.TABLE, name, parts[:3]) for name in (privilege, "OWNER"))
        elif scope not in (Scope.GLOBAL, Scope.SERVER) and privilege != "OWNER":
            yield Reference(scope, "OWNER", parts)
        if privilege in ON_EVERYTHING.get(scope, ()):
            yield Reference(Scope.GLOBAL, privilege)
        yield Reference(scope, capability="SUPERUSER")

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        """At scope global: attributes, which come with the accounts, and predefined roles, whose
        rights are known by the version.
        """
        return ("accounts" if scope is Scope.GLOBAL else scope.value, "memberships")

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        return capabilities.sections(name)


def _databases_owned(observation: Observation) -> Iterator[tuple[str, str]]:
    """Each database and its owner."""
    for grants in observation.grants.values():
        for grant in grants:
            if _owns_database(grant):
                yield grant.database or "", grant.grantee


def _owns_database(grant: ObservedGrant) -> bool:
    return grant.scope is Scope.DATABASE and grant.privilege == "OWNER"


def _inherits_ownership(owner: str, observation: Observation) -> bool:
    """Before 16 the owner's attribute NOINHERIT keeps even pg_database_owner's rights from him."""
    account = observation.accounts.get(owner)
    if account is None or account.attributes.get("inherit", True):
        return True
    return int(observation.main_version or MEMBERSHIPS_SAY) >= MEMBERSHIPS_SAY


MEMBERSHIPS_SAY = 16
"""The version whose memberships say themselves whether they inherit."""


def _through_ownership(held: Sequence[Held], observation: Observation) -> Iterator[Held]:
    by_database = observation.derived.get(DATABASE_OWNER)
    if by_database is None:
        by_database = defaultdict(list)
        for grant in observation.grants_of(DATABASE_OWNER):
            by_database[grant.database].append(grant)
        observation.derived[DATABASE_OWNER] = by_database
    for entry in held:
        owns = _owns_database(entry.grant)
        if owns and _inherits_ownership(entry.grant.grantee, observation):
            for grant in by_database.get(entry.grant.database, ()):
                yield Held(grant, (*entry.path, DATABASE_OWNER))


def _attributes(account: ObservedAccount) -> Iterator[Held]:
    for attribute, name in ATTRIBUTES.items():
        if account.attributes.get(attribute):
            yield Held(
                ObservedGrant(
                    account.username, name, Scope.GLOBAL, section="accounts", source="pg_roles"
                )
            )
