"""What memberships and grants mean in Oracle. Pure: values in, values out.

Sources: Oracle's Security Guide ("Configuring Privilege and Role Authorization") and SQL Language
Reference (GRANT, SET ROLE, ALTER USER ... DEFAULT ROLE).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from whalefall.engines.base import Capability, Held, Principal, Reference, Rules
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedMembership,
    Scope,
)
from whalefall.engines.oracle import capabilities, revoking
from whalefall.engines.oracle.grants import ADMINISTRATIVE
from whalefall.engines.oracle.names import EVERYWHERE

OF_TABLES = (
    "SELECT", "READ", "INSERT", "UPDATE", "DELETE", "ALTER", "INDEX", "REFERENCES", "DEBUG",
    "FLASHBACK", "ON COMMIT REFRESH", "QUERY REWRITE", "UNDER", "MERGE VIEW",
)  # fmt: skip
ANY_OF_TABLES: dict[str, tuple[str, ...]] = {
    "SELECT": ("SELECT ANY TABLE", "READ ANY TABLE"),
    "READ": ("SELECT ANY TABLE", "READ ANY TABLE"),
    "INSERT": ("INSERT ANY TABLE",),
    "UPDATE": ("UPDATE ANY TABLE",),
    "DELETE": ("DELETE ANY TABLE",),
    "ALTER": ("ALTER ANY TABLE",),
    "INDEX": ("CREATE ANY INDEX",),
    "FLASHBACK": ("FLASHBACK ANY TABLE",),
}
ANY_OF_CODE: dict[str, tuple[str, ...]] = {
    "EXECUTE": ("EXECUTE ANY PROCEDURE", "EXECUTE ANY TYPE", "EXECUTE ANY LIBRARY"),
    "DEBUG": ("DEBUG ANY PROCEDURE",),
}
ANY_OF_SEQUENCES: dict[str, tuple[str, ...]] = {
    "SELECT": ("SELECT ANY SEQUENCE",),
    "ALTER": ("ALTER ANY SEQUENCE",),
}
ANY: dict[Scope, dict[str, tuple[str, ...]]] = {
    Scope.TABLE: ANY_OF_TABLES,
    Scope.COLUMN: {name: ANY_OF_TABLES[name] for name in ("INSERT", "UPDATE")},
    Scope.ROUTINE: ANY_OF_CODE,
    Scope.SEQUENCE: ANY_OF_SEQUENCES,
}
"""Which system privileges give a right on every object of a kind, outside the schema SYS."""
LENGTH = {Scope.TABLE: 2, Scope.ROUTINE: 2, Scope.SEQUENCE: 2, Scope.COLUMN: 3, Scope.SCHEMA: 1,
          Scope.TABLESPACE: 1}  # fmt: skip
"""Parts of a name without the container."""

SYSTEM = (
    "ADMINISTER ANY SQL TUNING SET", "ADMINISTER DATABASE TRIGGER", "ADMINISTER KEY MANAGEMENT",
    "ADMINISTER RESOURCE MANAGER", "ADMINISTER SQL MANAGEMENT OBJECT",
    "ADMINISTER SQL TUNING SET", "ADVISOR", "ALTER ANY CLUSTER", "ALTER ANY INDEX",
    "ALTER ANY LIBRARY", "ALTER ANY MATERIALIZED VIEW", "ALTER ANY PROCEDURE", "ALTER ANY ROLE",
    "ALTER ANY SEQUENCE", "ALTER ANY TABLE", "ALTER ANY TRIGGER", "ALTER ANY TYPE",
    "ALTER DATABASE", "ALTER LOCKDOWN PROFILE", "ALTER PROFILE", "ALTER PUBLIC DATABASE LINK",
    "ALTER ROLLBACK SEGMENT", "ALTER SESSION", "ALTER SYSTEM", "ALTER TABLESPACE", "ALTER USER",
    "ANALYZE ANY", "ANALYZE ANY DICTIONARY", "AUDIT ANY", "AUDIT SYSTEM", "BACKUP ANY TABLE",
    "BECOME USER", "CHANGE NOTIFICATION", "COMMENT ANY TABLE", "CREATE ANY CLUSTER",
    "CREATE ANY CONTEXT", "CREATE ANY CREDENTIAL", "CREATE ANY DIRECTORY", "CREATE ANY INDEX",
    "CREATE ANY JOB", "CREATE ANY LIBRARY", "CREATE ANY MATERIALIZED VIEW",
    "CREATE ANY PROCEDURE", "CREATE ANY SEQUENCE", "CREATE ANY SYNONYM", "CREATE ANY TABLE",
    "CREATE ANY TRIGGER", "CREATE ANY TYPE", "CREATE ANY VIEW", "CREATE CLUSTER",
    "CREATE CREDENTIAL", "CREATE DATABASE LINK", "CREATE DIMENSION", "CREATE EXTERNAL JOB",
    "CREATE JOB", "CREATE LIBRARY", "CREATE LOCKDOWN PROFILE", "CREATE MATERIALIZED VIEW",
    "CREATE PLUGGABLE DATABASE", "CREATE PROCEDURE", "CREATE PROFILE",
    "CREATE PUBLIC DATABASE LINK", "CREATE PUBLIC SYNONYM", "CREATE ROLE",
    "CREATE ROLLBACK SEGMENT", "CREATE SEQUENCE", "CREATE SESSION", "CREATE SYNONYM",
    "CREATE TABLE", "CREATE TABLESPACE", "CREATE TRIGGER", "CREATE TYPE", "CREATE USER",
    "CREATE VIEW", "DEBUG ANY PROCEDURE", "DEBUG CONNECT ANY", "DEBUG CONNECT SESSION",
    "DELETE ANY TABLE", "DROP ANY CLUSTER", "DROP ANY CONTEXT", "DROP ANY DIRECTORY",
    "DROP ANY INDEX", "DROP ANY LIBRARY", "DROP ANY MATERIALIZED VIEW", "DROP ANY PROCEDURE",
    "DROP ANY ROLE", "DROP ANY SEQUENCE", "DROP ANY SYNONYM", "DROP ANY TABLE",
    "DROP ANY TRIGGER", "DROP ANY TYPE", "DROP ANY VIEW", "DROP PROFILE",
    "DROP PUBLIC DATABASE LINK", "DROP PUBLIC SYNONYM", "DROP TABLESPACE", "DROP USER",
    "EXECUTE ANY CLASS", "EXECUTE ANY LIBRARY", "EXECUTE ANY PROCEDURE", "EXECUTE ANY PROGRAM",
    "EXECUTE ANY TYPE", "EXEMPT ACCESS POLICY", "EXEMPT DDL REDACTION POLICY",
    "EXEMPT DML REDACTION POLICY", "EXEMPT IDENTITY POLICY", "EXEMPT REDACTION POLICY",
    "EXPORT FULL DATABASE", "FLASHBACK ANY TABLE", "FLASHBACK ARCHIVE ADMINISTER",
    "FORCE ANY TRANSACTION", "FORCE TRANSACTION", "GLOBAL QUERY REWRITE",
    "GRANT ANY OBJECT PRIVILEGE", "GRANT ANY PRIVILEGE", "GRANT ANY ROLE",
    "GRANT ANY SCHEMA PRIVILEGE", "IMPORT FULL DATABASE", "INHERIT ANY PRIVILEGES",
    "INSERT ANY TABLE", "KEEP DATE TIME", "LOCK ANY TABLE", "LOGMINING", "MANAGE ANY QUEUE",
    "MANAGE SCHEDULER", "MANAGE TABLESPACE", "MERGE ANY VIEW", "ON COMMIT REFRESH",
    "PURGE DBA_RECYCLEBIN", "QUERY REWRITE", "READ ANY TABLE", "REDEFINE ANY TABLE",
    "RESTRICTED SESSION", "RESUMABLE", "SELECT ANY DICTIONARY", "SELECT ANY SEQUENCE",
    "SELECT ANY TABLE", "SELECT ANY TRANSACTION", "SET CONTAINER", "SYSBACKUP", "SYSDBA",
    "SYSDG", "SYSKM", "SYSOPER", "SYSRAC", "TEXT DATASTORE ACCESS", "TRANSLATE ANY SQL",
    "UNDER ANY TABLE", "UNDER ANY TYPE", "UNDER ANY VIEW", "UNLIMITED TABLESPACE",
    "UPDATE ANY TABLE", "USE ANY JOB RESOURCE",
)  # fmt: skip
ON_SCHEMA = tuple(name for name in SYSTEM if " ANY " in name)


class OracleRules(Rules):
    """A role is active at login where it is a default role; roles inside an active role are. Roles
    with a password of their own, or enabled by code, never are. SET ROLE enables any granted one.
    """

    privileges = {
        Scope.SERVER: ADMINISTRATIVE,
        Scope.SYSTEM: SYSTEM,
        Scope.TABLESPACE: ("QUOTA",),
        Scope.SCHEMA: ("OWNER", *ON_SCHEMA),
        Scope.TABLE: OF_TABLES,
        Scope.COLUMN: ("INSERT", "UPDATE", "REFERENCES"),
        Scope.ROUTINE: ("EXECUTE", "DEBUG", "UNDER"),
        Scope.SEQUENCE: ("SELECT", "ALTER", "KEEP SEQUENCE"),
        Scope.OTHER: (
            "DATABASE LINK", "DELEGATE", "EXECUTE", "INHERIT PRIVILEGES",
            "INHERIT REMOTE PRIVILEGES", "JAVA PERMISSION", "LEFT BEHIND", "PROXY", "READ",
            "TRANSLATE SQL", "USE", "WRITE",
        ),
    }  # fmt: skip
    name_parts = {}  # the container stands before the name where a whole server was read
    capabilities_known = capabilities.KNOWN
    personal = capabilities.PERSONAL

    def memberships(self, observation: Observation) -> Iterator[ObservedMembership]:
        """DEFAULT_ROLE says something about users only."""
        for membership in observation.memberships:
            member = observation.accounts.get(membership.member)
            role = observation.accounts.get(membership.role)
            if member is None or member.kind is not Kind.USER:
                yield replace(membership, default=True)
            elif role is not None and role.attributes.get("authentication") not in ("NONE", None):
                yield replace(membership, default=False)
            else:
                yield membership

    def resolve(
        self, account: ObservedAccount, held: Sequence[Held], observation: Observation
    ) -> Sequence[Held]:
        """Read from the root: what a role gives counts in the containers where it was granted."""
        if not any(entry.path for entry in held) or not _has_containers(observation):
            return held
        places = self._places(account.username, observation)
        return [one for entry in held for one in _placed(entry, places)]

    def _places(self, name: str, observation: Observation) -> dict[str, frozenset[str]]:
        """Role -> the containers in which the account has it at login, over all paths."""
        edges: dict[str, list[tuple[str, str]]] | None = observation.derived.get("oracle.places")
        if edges is None:
            edges = observation.derived["oracle.places"] = defaultdict(list)
            for one in self.memberships(observation):
                if self.applies(one):
                    edges[one.member].append((one.role, one.database or EVERYWHERE))
        found: dict[str, frozenset[str]] = {name: frozenset((EVERYWHERE,))}
        waiting = [name]
        while waiting:
            member = waiting.pop()
            for role, place in edges.get(member, ()):
                added = found.get(role, frozenset()) | _both(found[member], place)
                if added != found.get(role, frozenset()):
                    found[role] = added
                    waiting.append(role)
        return found

    def capabilities(self, principal: Principal, observation: Observation) -> Iterable[Capability]:
        return capabilities.of(principal, observation)

    def covering(self, privilege: str, scope: Scope, parts: tuple[str, ...]) -> Iterator[Reference]:
        """Itself, the table round a column, the schema's owner, ANY privileges on the schema
        (23ai) and on everything, superusers. READ and SELECT both let rows be queried.

        ANY privileges do not reach the schema SYS; SELECT ANY DICTIONARY does.
        """
        length = LENGTH.get(scope, len(parts))
        container, names = parts[: max(len(parts) - length, 0)], parts[-length:] if parts else ()
        for place in (container, (EVERYWHERE,)) if container else ((),):
            yield from _covering(privilege, scope, place, names)
        if privilege not in ADMINISTRATIVE:
            yield Reference(scope, capability="SUPERUSER")

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

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        if scope is Scope.SERVER:
            return ("password_file", "memberships")
        if scope is Scope.OTHER:
            return ("other", "proxy", "links", "java", "memberships")
        return (scope.value, "memberships")

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        return capabilities.sections(name)


def _covering(
    privilege: str, scope: Scope, place: tuple[str, ...], names: tuple[str, ...]
) -> Iterator[Reference]:
    same = ("SELECT", "READ") if scope is Scope.TABLE and privilege == "SELECT" else (privilege,)
    if privilege == "READ" and scope is Scope.TABLE:
        same = ("READ", "SELECT")
    for name in same:
        yield Reference(scope, name, (*place, *names))
        if scope is Scope.COLUMN:
            yield Reference(Scope.TABLE, name, (*place, *names[:2]))
    if scope not in ANY or not names:
        return
    schema = (*place, names[0])
    yield Reference(Scope.SCHEMA, "OWNER", schema)
    wide = ANY[scope].get(privilege, ())
    if names[0] == "SYS":
        wide = ("SELECT ANY DICTIONARY",) if privilege in ("SELECT", "READ") else ()
    for name in wide:
        yield Reference(Scope.SYSTEM, name, place)
        yield Reference(Scope.SCHEMA, name, schema)


def _has_containers(observation: Observation) -> bool:
    found: bool | None = observation.derived.get("oracle.containers")
    if found is None:
        found = any(one.database for one in observation.memberships)
        observation.derived["oracle.containers"] = found
    return found


def _both(places: frozenset[str], place: str) -> frozenset[str]:
    """The containers in which both hold."""
    if place == EVERYWHERE:
        return places
    return frozenset((place,)) if places & {place, EVERYWHERE} else frozenset()


def _placed(entry: Held, places: dict[str, frozenset[str]]) -> Iterator[Held]:
    """The entry where its role counts; what the role has everywhere only counts there, too."""
    if not entry.path:
        yield entry
        return
    active = places.get(entry.path[-1], frozenset())
    own = entry.grant.database or EVERYWHERE
    if EVERYWHERE in active or own in active:
        yield entry
    elif own == EVERYWHERE:
        for place in sorted(active):
            yield Held(replace(entry.grant, database=place), entry.path)
