"""When each capability holds for a PostgreSQL role. `EXPLAINED` is the table in the docs.

Attributes count for the role itself only. A superuser has every capability that only says what
may be done; those that describe a flaw of the set-up are left out for it, since it needs no flaw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whalefall.engines.base import COLLECTOR, Capability, Held, Principal
from whalefall.engines.observed import Kind, Observation, ObservedGrant, Scope
from whalefall.engines.postgresql import hba
from whalefall.engines.postgresql.predefined import MANAGED_SUPERUSERS, POWERFUL

EXPLAINED = {
    "SUPERUSER": "attribute SUPERUSER, or in a managed service's near-superuser role",
    "GRANT_ADMIN": "superuser; CREATEROLE up to 15; ADMIN OPTION on a powerful role",
    "CREATE_ROLE": "attribute CREATEROLE, or superuser",
    "CREATE_DB": "attribute CREATEDB, or superuser",
    "REPLICATION": "attribute REPLICATION, or superuser",
    "BYPASS_RLS": "attribute BYPASSRLS, or superuser",
    "FILE_ACCESS": "pg_read_server_files, pg_write_server_files, EXECUTE on a file function, "
    "or superuser",
    "PROGRAM_EXECUTION": "pg_execute_server_program, or superuser",
    "READ_ALL_DATA": "pg_read_all_data, or superuser",
    "WRITE_ALL_DATA": "pg_write_all_data, or superuser",
    "MAINTAIN_ALL": "pg_maintain (17+), or superuser",
    "MONITOR": "pg_read_all_settings, pg_read_all_stats, pg_stat_scan_tables (pg_monitor has all)",
    "SIGNAL_BACKEND": "pg_signal_backend, or superuser",
    "CHECKPOINT": "pg_checkpoint (15+), or superuser",
    "CREATE_SUBSCRIPTION": "pg_create_subscription (16+), or superuser",
    "ADMIN_OPTION": "a membership WITH ADMIN OPTION, own or inherited",
    "SET_PARAMETER": "SET or ALTER SYSTEM on a parameter (15+)",
    "FOREIGN_ACCESS": "a user mapping, or USAGE on a foreign server or wrapper, not as its owner",
    "UNTRUSTED_CODE": "owns a routine in an untrusted language, or has USAGE on one; no superuser",
    "SUPERUSER_DEFINER": "EXECUTE on a SECURITY DEFINER routine of a superuser: PUBLIC on any, "
    "others where search_path is open; no superuser",
    "RLS_EXEMPT_OWNER": "owns a table with row security that is not forced; no superuser",
    "CREATE_IN_PUBLIC": "CREATE on a schema public, other than by owning it; no superuser",
    "WRITE_WHOLE_SCHEMA": "INSERT, UPDATE or DELETE on every table of a schema with two or more, "
    "none of them its own; no superuser",
    "OWNS_DATABASE": "owns a database",
    "OWNS_SCHEMA": "owns a schema",
    "OWNS_TABLE": "owns a table, view or the like",
    "DEFAULT_GRANTS": "default privileges give it rights on future objects",
    "SUPERUSER_DEFAULTS": "the same, on objects that a superuser will make",
    "NO_PASSWORD": "login without a password verifier (pg_authid must be readable)",
    "MD5_PASSWORD": "login with an md5 verifier (pg_authid must be readable)",
    "NO_VALID_UNTIL": "login without VALID UNTIL, or with infinity",
    "NO_CONNECTION_LIMIT": "login without a connection limit",
    "LOCKED": "login with connection limit 0; not for superusers, whom no limit holds",
    "TRUST_LOGIN": "a line of pg_hba.conf admits the login over TCP without a password",
    "PLAINTEXT_LOGIN": "a line of pg_hba.conf asks the login for its password in clear",
    "SUPERUSER_REMOTE": "superuser whom pg_hba.conf admits from another machine",
    "COLLECTOR": "the account that WhaleFall itself reads with",
}
KNOWN = tuple(EXPLAINED)

PERSONAL = (
    "COLLECTOR",
    "NO_PASSWORD",
    "MD5_PASSWORD",
    "NO_VALID_UNTIL",
    "NO_CONNECTION_LIMIT",
    "LOCKED",
    "TRUST_LOGIN",
    "PLAINTEXT_LOGIN",
    "SUPERUSER_REMOTE",
)
"""About the login itself: whoever takes on the role by SET ROLE does not gain them."""

OF_SUPERUSERS = (
    "GRANT_ADMIN",
    "CREATE_ROLE",
    "CREATE_DB",
    "REPLICATION",
    "BYPASS_RLS",
    "FILE_ACCESS",
    "PROGRAM_EXECUTION",
    "READ_ALL_DATA",
    "WRITE_ALL_DATA",
    "MAINTAIN_ALL",
    "MONITOR",
    "SIGNAL_BACKEND",
    "CHECKPOINT",
    "CREATE_SUBSCRIPTION",
)
"""What a superuser may do without any grant."""

NOT_OF_SUPERUSERS = frozenset(
    (
        "SET_PARAMETER",
        "FOREIGN_ACCESS",
        "UNTRUSTED_CODE",
        "SUPERUSER_DEFINER",
        "RLS_EXEMPT_OWNER",
        "CREATE_IN_PUBLIC",
        "WRITE_WHOLE_SCHEMA",
    )
)
BY_ATTRIBUTE = {
    "create_role": ("CREATE_ROLE", "CREATEROLE"),
    "create_db": ("CREATE_DB", "CREATEDB"),
    "replication": ("REPLICATION", "REPLICATION"),
    "bypass_rls": ("BYPASS_RLS", "BYPASSRLS"),
}
BY_GLOBAL_PRIVILEGE = {
    "SELECT": "READ_ALL_DATA",
    "UPDATE": "WRITE_ALL_DATA",
    "MAINTAIN": "MAINTAIN_ALL",
    "EXECUTE SERVER PROGRAM": "PROGRAM_EXECUTION",
    "READ SERVER FILES": "FILE_ACCESS",
    "WRITE SERVER FILES": "FILE_ACCESS",
    "SIGNAL BACKEND": "SIGNAL_BACKEND",
    "CHECKPOINT": "CHECKPOINT",
    "CREATE SUBSCRIPTION": "CREATE_SUBSCRIPTION",
    "READ ALL SETTINGS": "MONITOR",
    "READ ALL STATISTICS": "MONITOR",
    "SCAN TABLES": "MONITOR",
}
FILE_FUNCTIONS = (
    "pg_read_file(", "pg_read_binary_file(", "pg_ls_dir(", "pg_stat_file(", "lo_import(",
    "lo_export(", "pg_file_write(", "pg_file_read(", "pg_file_rename(", "pg_file_unlink(",
)  # fmt: skip
SECTIONS = {
    "COLLECTOR": ("accounts",),
    "FILE_ACCESS": ("accounts", "memberships", "routine"),
    "ADMIN_OPTION": ("memberships",),
    "SET_PARAMETER": ("server", "memberships"),
    "FOREIGN_ACCESS": ("other", "memberships"),
    "UNTRUSTED_CODE": ("routine", "other", "memberships"),
    "SUPERUSER_DEFINER": ("routine", "memberships"),
    "RLS_EXEMPT_OWNER": ("table", "memberships"),
    "CREATE_IN_PUBLIC": ("schema", "memberships"),
    "WRITE_WHOLE_SCHEMA": ("table", "memberships"),
    "OWNS_DATABASE": ("database", "memberships"),
    "OWNS_SCHEMA": ("schema", "memberships"),
    "OWNS_TABLE": ("table", "memberships"),
    "DEFAULT_GRANTS": ("other", "memberships"),
    "SUPERUSER_DEFAULTS": ("other", "memberships"),
    "NO_PASSWORD": ("accounts", "verifiers"),
    "MD5_PASSWORD": ("accounts", "verifiers"),
    "NO_VALID_UNTIL": ("accounts",),
    "NO_CONNECTION_LIMIT": ("accounts",),
    "LOCKED": ("accounts",),
    "TRUST_LOGIN": ("accounts", "memberships", "hba"),
    "PLAINTEXT_LOGIN": ("accounts", "memberships", "hba"),
    "SUPERUSER_REMOTE": ("accounts", "memberships", "hba"),
}
WRITES = frozenset(("INSERT", "UPDATE", "DELETE"))


def sections(name: str) -> tuple[str, ...]:
    """The sections that must be complete before the capability's absence means anything."""
    return SECTIONS.get(name, ("accounts", "memberships"))


def of(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """Each capability that holds, once, by its shortest path."""
    best: dict[str, Capability] = {}
    if principal.account.username == observation.settings.get(COLLECTOR):
        best["COLLECTOR"] = Capability("COLLECTOR", "WhaleFall reads with it")
    power = next(_superuser(principal), None)
    for found in _all(principal, observation, power):
        known = best.get(found.name)
        if power is not None and found.name in NOT_OF_SUPERUSERS:
            continue
        if known is None or len(found.path) < len(known.path):
            best[found.name] = found
    yield from (best[name] for name in KNOWN if name in best)


def _all(
    principal: Principal, observation: Observation, power: Capability | None
) -> Iterator[Capability]:
    yield from _by_attribute(principal, observation)
    yield from _by_admin_option(principal, observation)
    yield from _by_grant(principal)
    yield from _whole_schemas(principal, observation)
    if principal.account.can_login:
        yield from _of_login(principal)
        yield from _by_hba(principal, observation, power)
    if power is not None:
        yield power
        yield from (Capability(name, power.because, power.path) for name in OF_SUPERUSERS)


def _superuser(principal: Principal) -> Iterator[Capability]:
    if principal.account.attributes.get("superuser"):
        yield Capability("SUPERUSER", "SUPERUSER")
    for role, service in MANAGED_SUPERUSERS.items():
        because = f"{role} is {service}'s stand-in for a superuser"
        if role == principal.account.username:
            yield Capability("SUPERUSER", because)
        elif role in principal.roles:
            yield Capability("SUPERUSER", because, principal.roles[role])


def _by_attribute(principal: Principal, observation: Observation) -> Iterator[Capability]:
    attributes = principal.account.attributes
    for attribute, (name, because) in BY_ATTRIBUTE.items():
        if attributes.get(attribute):
            yield Capability(name, because)
    if attributes.get("create_role") and int(observation.main_version or 0) < 16:
        yield Capability("GRANT_ADMIN", "CREATEROLE reaches every role but superusers before 16")


def _by_admin_option(principal: Principal, observation: Observation) -> Iterator[Capability]:
    for role, path in principal.admin_of.items():
        because = f"ADMIN OPTION on {role}"
        yield Capability("ADMIN_OPTION", because, path)
        if _is_powerful(role, observation):
            yield Capability("GRANT_ADMIN", because, path)


def _is_powerful(role: str, observation: Observation) -> bool:
    account = observation.accounts.get(role)
    attributes: Mapping[str, Any] = account.attributes if account else {}
    flags = ("superuser", "create_role", "replication", "bypass_rls")
    return role in POWERFUL or any(attributes.get(flag) for flag in flags)


def _by_grant(principal: Principal) -> Iterator[Capability]:
    """One pass over what may be 100,000 grants, remembering the shortest path to each name."""
    best: dict[str, Held] = {}
    is_public = principal.account.kind is Kind.PUBLIC
    for held in principal.privileges:
        names = BY_SCOPE.get(held.grant.scope)
        if names is None:
            continue
        for name in names(held.grant, is_public):
            if name not in best or len(held.path) < len(best[name].path):
                best[name] = held
    for name, held in best.items():
        yield Capability(name, _because(held.grant), held.path)


def _because(grant: ObservedGrant) -> str:
    where = ".".join(grant.parts)
    return f"{grant.privilege} on {where}" if where else f"{grant.privilege} ({grant.grantee})"


def _on_everything(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    if grant.privilege in BY_GLOBAL_PRIVILEGE:
        yield BY_GLOBAL_PRIVILEGE[grant.privilege]


def _on_parameter(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    yield "SET_PARAMETER"


def _on_database(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    if grant.privilege == "OWNER":
        yield "OWNS_DATABASE"


def _on_schema(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    if grant.privilege == "OWNER":
        yield "OWNS_SCHEMA"
    elif grant.privilege == "CREATE" and grant.schema == "public" and not _is_owners(grant):
        yield "CREATE_IN_PUBLIC"


def _is_owners(grant: ObservedGrant) -> bool:
    """An owner's own rights stand in the catalog as given by himself."""
    return grant.grantor == grant.grantee


def _on_table(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    if grant.privilege == "OWNER":
        yield "OWNS_TABLE"
        if "row_security" in grant.traits and "row_security_forced" not in grant.traits:
            yield "RLS_EXEMPT_OWNER"


def _on_routine(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    traits = grant.traits
    if grant.privilege == "OWNER":
        if "untrusted_language" in traits:
            yield "UNTRUSTED_CODE"
    elif grant.schema == "pg_catalog" and (grant.object or "").startswith(FILE_FUNCTIONS):
        yield "FILE_ACCESS"
    elif {"security_definer", "superuser_owned"} <= set(traits) and (
        is_public or "search_path_open" in traits
    ):
        yield "SUPERUSER_DEFINER"


def _on_other(grant: ObservedGrant, is_public: bool) -> Iterator[str]:
    kind, privilege = grant.object_type, grant.privilege
    if kind == "default privileges":
        yield "DEFAULT_GRANTS"
        if "superuser_owned" in grant.traits:
            yield "SUPERUSER_DEFAULTS"
    elif kind == "user mapping":
        yield "FOREIGN_ACCESS"
    elif privilege == "USAGE" and not _is_owners(grant):
        if kind in ("foreign server", "foreign data wrapper"):
            yield "FOREIGN_ACCESS"
        elif kind == "language" and "untrusted_language" in grant.traits:
            yield "UNTRUSTED_CODE"


BY_SCOPE: Mapping[Scope, Callable[[ObservedGrant, bool], Iterator[str]]] = {
    Scope.GLOBAL: _on_everything,
    Scope.SERVER: _on_parameter,
    Scope.DATABASE: _on_database,
    Scope.SCHEMA: _on_schema,
    Scope.TABLE: _on_table,
    Scope.ROUTINE: _on_routine,
    Scope.OTHER: _on_other,
}


def _whole_schemas(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """Schemas on all of whose tables the account may write without owning one of them."""
    written: dict[tuple[str | None, str | None], dict[str, Held]] = defaultdict(dict)
    owned = set()
    for held in principal.privileges:
        grant = held.grant
        if grant.scope is Scope.TABLE:
            if grant.privilege == "OWNER":
                owned.add((grant.database, grant.schema))
            elif grant.privilege in WRITES:
                written[grant.database, grant.schema].setdefault(grant.object or "", held)
    for where in written.keys() - owned:
        tables = _tables(observation).get(where, set())
        if len(tables) > 1 and tables <= written[where].keys():
            path = min((held.path for held in written[where].values()), key=len)
            because = f"writes all {len(tables)} tables of {where[0]}.{where[1]}"
            yield Capability("WRITE_WHOLE_SCHEMA", because, path)


def _tables(observation: Observation) -> dict[tuple[str | None, str | None], set[str | None]]:
    """The tables of each schema, partitions left out; worked out once for the instance."""
    if "tables" not in observation.derived:
        tables: dict[tuple[str | None, str | None], set[str | None]] = defaultdict(set)
        for grants in observation.grants.values():
            for grant in grants:
                if grant.scope is Scope.TABLE and _is_table(grant):
                    tables[grant.database, grant.schema].add(grant.object)
        observation.derived["tables"] = dict(tables)
    found: dict[tuple[str | None, str | None], set[str | None]] = observation.derived["tables"]
    return found


def _is_table(grant: ObservedGrant) -> bool:
    is_table = grant.object_type in ("table", "partitioned table")
    return is_table and grant.privilege == "OWNER" and "partition" not in grant.traits


def _of_login(principal: Principal) -> Iterator[Capability]:
    account = principal.account
    password, limit = (account.attributes.get(name) for name in ("password", "connection_limit"))
    if password == "none":  # noqa: S105  # the kind of verifier, no password
        yield Capability("NO_PASSWORD", "no password verifier")
    if password == "md5":  # noqa: S105
        yield Capability("MD5_PASSWORD", "md5 verifier")
    if account.valid_until is None:
        yield Capability("NO_VALID_UNTIL", "no VALID UNTIL")
    if limit == -1:
        yield Capability("NO_CONNECTION_LIMIT", "CONNECTION LIMIT -1")
    if account.is_locked:
        yield Capability("LOCKED", "CONNECTION LIMIT 0")


def _by_hba(
    principal: Principal, observation: Observation, power: Capability | None
) -> Iterator[Capability]:
    """What the lines of pg_hba.conf that decide on this login let in."""
    if "hba" not in observation.derived:
        observation.derived["hba"] = hba.lines(observation.settings.get("hba", ""))
    every_line = observation.derived["hba"]
    for line in hba.lines_for(principal.account.username, principal.roles, every_line):
        if line.method == "trust" and line.kind != "local":
            yield Capability("TRUST_LOGIN", str(line))
        if line.method == "password":
            yield Capability("PLAINTEXT_LOGIN", str(line))
        if power is not None and line.is_remote:
            yield Capability("SUPERUSER_REMOTE", str(line), power.path)
