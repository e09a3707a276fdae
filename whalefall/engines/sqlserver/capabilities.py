"""When each capability holds for a login, user or role of SQL Server. `EXPLAINED` is the table in
the docs. Those of the instance as a whole (settings) stand on the account `public`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whalefall.engines.base import COLLECTOR, Capability, Held, Principal
from whalefall.engines.observed import GrantState, Kind, Observation, ObservedGrant, Scope
from whalefall.engines.sqlserver.names import in_database

EXPLAINED = {
    "SUPERUSER": "member of sysadmin through any path, or CONTROL SERVER",
    "SYSADMIN": "member of sysadmin through any path: no denial binds it",
    "GRANT_ADMIN": "sysadmin, securityadmin, CONTROL SERVER, ALTER ANY LOGIN",
    "SERVER_ADMIN_ROLE": "serveradmin, setupadmin, processadmin, diskadmin, dbcreator, bulkadmin, "
    "##MS_LoginManager##, ##MS_DatabaseManager##, ##MS_ServerStateManager##",
    "SERVER_ALTER": "ALTER ANY LOGIN, SERVER ROLE, CREDENTIAL, LINKED SERVER, DATABASE, "
    "CONNECTION, EVENT NOTIFICATION or ALTER SERVER STATE; not for superusers",
    "IMPERSONATE": "IMPERSONATE on a login or user, or IMPERSONATE ANY LOGIN; not for superusers",
    "UNTRUSTED_CODE": "UNSAFE or EXTERNAL ACCESS ASSEMBLY, or owns an assembly above SAFE; not for "
    "superusers",
    "FILE_ACCESS": "ADMINISTER BULK OPERATIONS (bulkadmin), sysadmin, CONTROL SERVER",
    "CREATE_DB": "CREATE ANY DATABASE (dbcreator), sysadmin, CONTROL SERVER",
    "AUTHENTICATE_SERVER": "AUTHENTICATE SERVER",
    "PROGRAM_EXECUTION": "EXECUTE on xp_cmdshell, sysadmin, CONTROL SERVER",
    "EXTENDED_PROCEDURES": "EXECUTE on another extended procedure (registry, OLE, files)",
    "MONITOR": "VIEW SERVER STATE or VIEW ANY DEFINITION",
    "DIRECT_VIEW": "the same, granted straight to a login",
    "DIRECT_SERVER_PRIVILEGE": "a server permission besides CONNECT SQL, straight to a login",
    "CREATE_ROLE": "ALTER ANY ROLE or ALTER ANY USER in a database, ALTER ANY SERVER ROLE; not for "
    "superusers",
    "DB_OWNER": "member of db_owner, CONTROL on a database; not for superusers",
    "DB_ADMIN_ROLE": "db_securityadmin, db_accessadmin, db_ddladmin, db_backupoperator; not for "
    "superusers",
    "DATABASE_READ": "SELECT on a whole database (db_datareader); not for superusers",
    "DATABASE_WRITE": "INSERT, UPDATE or DELETE on a whole database (db_datawriter); not for "
    "superusers",
    "EXECUTE_WIDE": "EXECUTE on a whole database or schema; not for superusers",
    "DIRECT_DATABASE_GRANT": "a permission besides CONNECT, straight to a user of a database",
    "OWNS_DATABASE": "owns a database; not for superusers",
    "OWNS_SCHEMA": "owns a schema (dbo and the fixed roles apart)",
    "OWNS_TABLE": "owns a table or view apart from its schema",
    "TRUSTWORTHY_OWNER": "owns a user database that is TRUSTWORTHY",
    "TRUSTWORTHY_ESCALATION": "CONTROL on a TRUSTWORTHY user database of a sysadmin, without being "
    "one",
    "CHAINING_OWNER": "owns a user database with cross-database ownership chaining",
    "LINKED_LOGIN": "may use a linked server as somebody fixed over there",
    "LOCKED": "login disabled, denied CONNECT SQL, or locked out",
    "NO_PASSWORD": "SQL login with a blank password (hashes must be readable)",
    "NAME_PASSWORD": "SQL login whose password is its name (hashes must be readable)",
    "PASSWORD_EXPIRED": "SQL login whose password has expired or must be changed",
    "MUST_CHANGE": "SQL login that must change its password",
    "NO_PASSWORD_POLICY": "SQL login with CHECK_POLICY off",
    "NO_PASSWORD_EXPIRY": "SQL login with CHECK_EXPIRATION off",
    "SA_ENABLED": "the login with SID 0x01 is enabled",
    "SA_NOT_RENAMED": "the login with SID 0x01 is called sa",
    "FALSE_SA": "another login is called sa",
    "LOCAL_GROUP": "Windows group of the machine itself, or BUILTIN",
    "ORPHANED": "database user whose SID no login has",
    "CONTAINED_PASSWORD": "database user with a password of its own",
    "DBO_MISMATCH": "dbo of a database whose SID is not that of the owner in sys.databases",
    "SA_USER": "database user besides dbo that belongs to the login with SID 0x01",
    "MODEL_ACCESS": "user besides dbo who may enter model",
    "GUEST_CONNECT": "guest may enter a user database",
    "GUEST_RIGHTS": "guest is in a role or granted anything else",
    "PUBLIC_BEYOND_DEFAULT": "public on the server has more than VIEW ANY DATABASE and CONNECT on "
    "endpoints",
    "PUBLIC_OBJECT_GRANT": "public of a user database holds a permission on something of its own",
    "APPLICATION_ROLE": "application role",
    "NESTED_IN_FIXED_ROLE": "role of one's own that is a member of a fixed role",
    "EMPTY_ROLE": "role of one's own without a member",
    "INEFFECTIVE_DENY": "denied something that it may do all the same, as sysadmin or by a column",
    "MIXED_MODE": "public: the server takes SQL logins besides Windows ones",
    "XP_CMDSHELL_ON": "public: xp_cmdshell is switched on",
    "OLE_AUTOMATION_ON": "public: Ole Automation Procedures is switched on",
    "CHAINING_ON": "public: cross db ownership chaining is switched on for the instance",
    "COLLECTOR": "the account that WhaleFall itself reads with",
}  # fmt: skip
KNOWN = tuple(EXPLAINED)

PERSONAL = (
    "COLLECTOR",
    "LOCKED", "NO_PASSWORD", "NAME_PASSWORD", "PASSWORD_EXPIRED", "MUST_CHANGE",
    "NO_PASSWORD_POLICY", "NO_PASSWORD_EXPIRY", "SA_ENABLED", "SA_NOT_RENAMED", "FALSE_SA",
    "LOCAL_GROUP", "ORPHANED", "CONTAINED_PASSWORD", "DBO_MISMATCH", "SA_USER", "APPLICATION_ROLE",
    "NESTED_IN_FIXED_ROLE", "EMPTY_ROLE", "INEFFECTIVE_DENY", "DIRECT_VIEW",
    "DIRECT_SERVER_PRIVILEGE", "DIRECT_DATABASE_GRANT", "MODEL_ACCESS",
)  # fmt: skip
"""About the account itself: whoever impersonates it does not gain them."""

NOT_OF_SUPERUSERS = frozenset(name for name, text in EXPLAINED.items() if "superusers" in text)
OF_SUPERUSERS = ("GRANT_ADMIN", "FILE_ACCESS", "CREATE_DB", "PROGRAM_EXECUTION", "MONITOR")

SYSTEM_DATABASES = frozenset(("master", "model", "msdb", "tempdb"))
BUILTIN_USERS = frozenset(("dbo", "guest", "sys", "INFORMATION_SCHEMA"))
SERVER_ADMIN_ROLES = frozenset(
    (
        "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin",
        "##MS_LoginManager##", "##MS_DatabaseManager##", "##MS_ServerStateManager##",
    )
)  # fmt: skip
DB_ADMIN_ROLES = ("db_securityadmin@", "db_accessadmin@", "db_ddladmin@", "db_backupoperator@")
ALTERS = frozenset(
    (
        "ALTER ANY LOGIN", "ALTER ANY SERVER ROLE", "ALTER ANY CREDENTIAL",
        "ALTER ANY LINKED SERVER", "ALTER ANY DATABASE", "ALTER ANY CONNECTION",
        "ALTER ANY EVENT NOTIFICATION", "ALTER SERVER STATE",
    )
)  # fmt: skip
VIEWS = frozenset(("VIEW SERVER STATE", "VIEW ANY DEFINITION"))
BY_SERVER_PERMISSION = {
    "CONTROL SERVER": ("SUPERUSER", *OF_SUPERUSERS),
    "ALTER ANY LOGIN": ("GRANT_ADMIN",),
    "ALTER ANY SERVER ROLE": ("CREATE_ROLE",),
    "IMPERSONATE ANY LOGIN": ("IMPERSONATE",),
    "UNSAFE ASSEMBLY": ("UNTRUSTED_CODE",),
    "EXTERNAL ACCESS ASSEMBLY": ("UNTRUSTED_CODE",),
    "ADMINISTER BULK OPERATIONS": ("FILE_ACCESS",),
    "CREATE ANY DATABASE": ("CREATE_DB",),
    "ALTER ANY DATABASE": ("CREATE_DB",),
    "AUTHENTICATE SERVER": ("AUTHENTICATE_SERVER",),
    "ALTER SERVER STATE": ("MONITOR",),
    **dict.fromkeys(VIEWS, ("MONITOR",)),
}
BY_DATABASE_PERMISSION = {
    "CONTROL": ("DB_OWNER",),
    "ALTER ANY ROLE": ("CREATE_ROLE",),
    "ALTER ANY USER": ("CREATE_ROLE",),
    "SELECT": ("DATABASE_READ",),
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE"), ("DATABASE_WRITE",)),
    "EXECUTE": ("EXECUTE_WIDE",),
}
SERVER = ("accounts", "memberships", "server")
IN_DATABASES = ("database_accounts", "database_memberships")
ON_DATABASES = (*IN_DATABASES, "memberships", "database")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "COLLECTOR": ("accounts",),
    "IMPERSONATE": (*SERVER, *IN_DATABASES, "other"),
    "UNTRUSTED_CODE": (*SERVER, *IN_DATABASES, "other"),
    "PROGRAM_EXECUTION": (*SERVER, *IN_DATABASES, "routine"),
    "EXTENDED_PROCEDURES": (*IN_DATABASES, "routine"),
    "CREATE_ROLE": (*SERVER, *ON_DATABASES),
    "DB_ADMIN_ROLE": IN_DATABASES,
    **dict.fromkeys(
        ("DB_OWNER", "DATABASE_READ", "DATABASE_WRITE", "OWNS_DATABASE", "TRUSTWORTHY_OWNER",
         "TRUSTWORTHY_ESCALATION", "CHAINING_OWNER", "MODEL_ACCESS", "GUEST_CONNECT"),
        ON_DATABASES,
    ),
    "EXECUTE_WIDE": (*ON_DATABASES, "schema"),
    **dict.fromkeys(
        ("DIRECT_DATABASE_GRANT", "PUBLIC_OBJECT_GRANT", "GUEST_RIGHTS"),
        (*ON_DATABASES, "schema", "table", "column", "routine", "sequence", "other"),
    ),
    "OWNS_SCHEMA": (*IN_DATABASES, "schema"),
    "OWNS_TABLE": (*IN_DATABASES, "table"),
    "LINKED_LOGIN": ("linked_servers", "memberships"),
    **dict.fromkeys(("NO_PASSWORD", "NAME_PASSWORD"), ("accounts", "passwords")),
    **dict.fromkeys(
        ("LOCKED", "PASSWORD_EXPIRED", "MUST_CHANGE", "NO_PASSWORD_POLICY", "NO_PASSWORD_EXPIRY",
         "SA_ENABLED", "SA_NOT_RENAMED", "FALSE_SA", "LOCAL_GROUP", "MIXED_MODE"),
        ("accounts",),
    ),
    **dict.fromkeys(
        ("ORPHANED", "CONTAINED_PASSWORD", "DBO_MISMATCH", "SA_USER", "APPLICATION_ROLE"),
        ("database_accounts",),
    ),
    **dict.fromkeys(
        ("NESTED_IN_FIXED_ROLE", "EMPTY_ROLE"), ("memberships", "database_memberships")
    ),
    **dict.fromkeys(("XP_CMDSHELL_ON", "OLE_AUTOMATION_ON", "CHAINING_ON"), ("settings",)),
    "INEFFECTIVE_DENY": (*SERVER, *ON_DATABASES, "table", "column"),
}  # fmt: skip
SWITCHES = {
    "xp_cmdshell": "XP_CMDSHELL_ON",
    "Ole Automation Procedures": "OLE_AUTOMATION_ON",
    "cross db ownership chaining": "CHAINING_ON",
}


def sections(name: str) -> tuple[str, ...]:
    """The sections that must be complete before the capability's absence means anything."""
    return SECTIONS.get(name, SERVER)


def of(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """Each capability that holds, once, by its shortest path."""
    best: dict[str, Capability] = {}
    if principal.account.username == observation.settings.get(COLLECTOR):
        best["COLLECTOR"] = Capability("COLLECTOR", "WhaleFall reads with it")
    for found in _all(principal, observation):
        known = best.get(found.name)
        if known is None or len(found.path) < len(known.path):
            best[found.name] = found
    is_super = "SUPERUSER" in best
    for name in KNOWN:
        if name in best and not (is_super and name in NOT_OF_SUPERUSERS):
            yield best[name]


def _all(principal: Principal, observation: Observation) -> Iterator[Capability]:
    yield from _by_role(principal)
    for held in principal.privileges:
        if held.grant.state is GrantState.GRANT:
            read = BY_SCOPE.get(held.grant.scope)
            if read is not None:
                because = _because(held.grant)
                for name in read(held, principal, observation):
                    yield Capability(name, because, held.path)
    yield from _of_account(principal, observation)
    yield from _of_role(principal, observation)
    yield from _denied_in_vain(principal, observation)
    if principal.account.username == "public":
        yield from _of_instance(observation)


def _because(grant: ObservedGrant) -> str:
    where = ".".join(grant.parts)
    if grant.source.startswith("fixed"):
        return f"{grant.grantee} ({grant.privilege})"
    return f"{grant.privilege} on {where}" if where else grant.privilege


def _by_role(principal: Principal) -> Iterator[Capability]:
    roles = {principal.account.username: (), **principal.roles}
    for role, path in roles.items():
        if role == "sysadmin":
            for name in ("SUPERUSER", "SYSADMIN", *OF_SUPERUSERS):
                yield Capability(name, "sysadmin", path)
        elif role == "securityadmin":
            yield Capability("GRANT_ADMIN", "securityadmin can make itself sysadmin", path)
        elif role in SERVER_ADMIN_ROLES:
            yield Capability("SERVER_ADMIN_ROLE", role, path)
        elif role.startswith(DB_ADMIN_ROLES):
            yield Capability("DB_ADMIN_ROLE", role, path)
        elif role.startswith("db_owner@"):
            yield Capability("DB_OWNER", role, path)


def _on_server(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    grant, account = held.grant, principal.account
    yield from BY_SERVER_PERMISSION.get(grant.privilege, ())
    if grant.privilege in ALTERS:
        yield "SERVER_ALTER"
    is_direct = not held.path and grant.grantee == account.username
    is_login = account.kind in (Kind.USER, Kind.GROUP)
    if is_direct and is_login and grant.privilege != "CONNECT SQL":
        yield "DIRECT_SERVER_PRIVILEGE"
        if grant.privilege in VIEWS:
            yield "DIRECT_VIEW"
    if account.username == "public" and grant.privilege != "VIEW ANY DATABASE":
        yield "PUBLIC_BEYOND_DEFAULT"


def _on_database(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    grant, account = held.grant, principal.account
    name = grant.database or ""
    if grant.privilege == "OWNER":
        yield "OWNS_DATABASE"
        if name not in SYSTEM_DATABASES:
            if "trustworthy" in grant.traits:
                yield "TRUSTWORTHY_OWNER"
            if "chaining" in grant.traits:
                yield "CHAINING_OWNER"
        return
    yield from BY_DATABASE_PERMISSION.get(grant.privilege, ())
    is_safe = "sysadmin" in principal.roles or account.username in ("sysadmin", f"dbo@{name}")
    escalates = grant.privilege == "CONTROL" and not is_safe
    if escalates and name in _trustworthy_of_sysadmins(observation):
        yield "TRUSTWORTHY_ESCALATION"
    if grant.privilege == "CONNECT":
        if account.kind is Kind.PUBLIC and account.username.startswith("guest@"):
            if name not in SYSTEM_DATABASES:
                yield "GUEST_CONNECT"
        elif name == "model" and _is_user(principal):
            yield "MODEL_ACCESS"
    else:
        yield from _in_database(held, principal)


def _in_database(held: Held, principal: Principal) -> Iterator[str]:
    """What stands on the grantee in a database, whatever it is on."""
    grant, account = held.grant, principal.account
    if held.path or grant.grantee != account.username or grant.privilege == "OWNER":
        return
    if account.kind is Kind.DATABASE_USER and _is_user(principal):
        yield "DIRECT_DATABASE_GRANT"
    elif account.username.startswith("guest@"):
        yield "GUEST_RIGHTS"
    elif account.username.startswith("public@") and _is_own(grant):
        yield "PUBLIC_OBJECT_GRANT"


def _is_own(grant: ObservedGrant) -> bool:
    """Whether it is on something that somebody made, in a user database."""
    is_users = grant.database not in SYSTEM_DATABASES and grant.schema != "sys"
    shipped = grant.privilege.startswith("VIEW ANY COLUMN") or grant.object_type == "type"
    return is_users and not shipped


def _is_user(principal: Principal) -> bool:
    bare = principal.account.username.partition("@")[0]
    is_shipped = bare in BUILTIN_USERS or bare.startswith("##MS_")
    return principal.account.kind is Kind.DATABASE_USER and not is_shipped


def _on_schema(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    grant = held.grant
    if grant.privilege == "OWNER":
        own_name = grant.grantee.partition("@")[0]
        if own_name not in ("dbo", grant.schema):
            yield "OWNS_SCHEMA"
    elif grant.privilege == "EXECUTE":
        yield "EXECUTE_WIDE"
    yield from _in_database(held, principal)


def _on_table(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    if held.grant.privilege == "OWNER":
        yield "OWNS_TABLE"
    yield from _in_database(held, principal)


def _on_routine(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    grant = held.grant
    if grant.privilege in ("EXECUTE", "CONTROL"):
        if grant.object == "xp_cmdshell":
            yield "PROGRAM_EXECUTION"
        elif grant.object_type == "extended procedure":
            yield "EXTENDED_PROCEDURES"
    yield from _in_database(held, principal)


def _on_rest(held: Held, principal: Principal, observation: Observation) -> Iterator[str]:
    grant = held.grant
    if grant.privilege == "IMPERSONATE":
        yield "IMPERSONATE"
    elif grant.privilege == "LINKED LOGIN":
        yield "LINKED_LOGIN"
    elif grant.privilege == "OWNER" and "unsafe_assembly" in grant.traits:
        yield "UNTRUSTED_CODE"
    if principal.account.username == "public":
        if grant.object_type != "endpoint" and grant.privilege != "LINKED LOGIN":
            yield "PUBLIC_BEYOND_DEFAULT"
    elif grant.database is not None:
        yield from _in_database(held, principal)


BY_SCOPE: Mapping[Scope, Callable[[Held, Principal, Observation], Iterator[str]]] = {
    Scope.SERVER: _on_server,
    Scope.DATABASE: _on_database,
    Scope.SCHEMA: _on_schema,
    Scope.TABLE: _on_table,
    Scope.COLUMN: lambda held, principal, observation: _in_database(held, principal),
    Scope.ROUTINE: _on_routine,
    Scope.SEQUENCE: lambda held, principal, observation: _in_database(held, principal),
    Scope.OTHER: _on_rest,
}


def _of_account(principal: Principal, observation: Observation) -> Iterator[Capability]:
    account = principal.account
    has: Mapping[str, Any] = account.attributes
    if account.can_login and account.is_locked:
        words = [w for w in ("disabled", "connect_denied", "locked_out") if has.get(w)]
        yield Capability("LOCKED", ", ".join(words).replace("_", " ") or "locked")
    for name, attribute, value, because in OF_ATTRIBUTES:
        if has.get(attribute) == value:
            yield Capability(name, because)
    if has.get("expired") or has.get("must_change"):
        because = "the password has expired" if has.get("expired") else "MUST_CHANGE"
        yield Capability("PASSWORD_EXPIRED", because)
    if has.get("is_sa"):
        if not account.is_locked:
            yield Capability("SA_ENABLED", f"{account.username} has SID 0x01 and is enabled")
        if account.username == "sa":
            yield Capability("SA_NOT_RENAMED", "SID 0x01 is called sa")
    elif account.username == "sa":
        yield Capability("FALSE_SA", "called sa, but its SID is not 0x01")
    if has.get("local_group") or account.username.upper().startswith("BUILTIN\\"):
        yield Capability("LOCAL_GROUP", "a group of the machine, whose members it decides")
    login = observation.accounts.get(has.get("login") or "")
    if login is not None and login.attributes.get("is_sa") and _is_user(principal):
        yield Capability("SA_USER", f"belongs to {login.username}")


OF_ATTRIBUTES = (
    ("NO_PASSWORD", "blank_password", True, "PWDCOMPARE: blank"),
    ("NAME_PASSWORD", "name_password", True, "PWDCOMPARE: the login's name"),
    ("MUST_CHANGE", "must_change", True, "MUST_CHANGE"),
    ("NO_PASSWORD_POLICY", "check_policy", False, "CHECK_POLICY = OFF"),
    ("NO_PASSWORD_EXPIRY", "check_expiration", False, "CHECK_EXPIRATION = OFF"),
    ("ORPHANED", "orphaned", True, "no login has its SID"),
    ("CONTAINED_PASSWORD", "authentication", "password", "a password of its own"),
    ("DBO_MISMATCH", "owner_differs", True, "the database's owner is another one"),
    ("APPLICATION_ROLE", "type", "application role", "application role"),
)
"""Capability, attribute, the value at which it holds, and why."""


def _of_role(principal: Principal, observation: Observation) -> Iterator[Capability]:
    account = principal.account
    if account.username.startswith("guest@") and principal.roles:
        yield Capability("GUEST_RIGHTS", f"in {next(iter(principal.roles))}")
    has = account.attributes
    is_own = has.get("type") == "role" and has.get("fixed") is False
    if not is_own or has.get("database") in SYSTEM_DATABASES:  # msdb has its own unfixed roles
        return
    for role, path in principal.roles.items():
        found = observation.accounts.get(role)
        if found is not None and found.attributes.get("fixed"):
            yield Capability("NESTED_IN_FIXED_ROLE", f"in {role}", path)
    if account.username not in _with_members(observation):
        yield Capability("EMPTY_ROLE", "nobody is in it")


def _with_members(observation: Observation) -> set[str]:
    if "with members" not in observation.derived:
        observation.derived["with members"] = {m.role for m in observation.memberships}
    found: set[str] = observation.derived["with members"]
    return found


def _denied_in_vain(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """Own denials that do not bind: of sysadmins, and of tables with columns granted."""
    account = principal.account
    is_sysadmin = "sysadmin" in principal.roles
    for grant in observation.grants_of(account.username):
        if grant.state is not GrantState.DENY or grant.source.startswith("fixed"):
            continue
        what = f"DENY {grant.privilege} on {'.'.join(grant.parts) or 'the server'}"
        if is_sysadmin and grant.privilege != "CONNECT SQL":
            yield Capability("INEFFECTIVE_DENY", f"{what}, but sysadmin")
        for held in principal.privileges:
            place = held.grant
            is_column = place.scope is Scope.COLUMN and grant.scope is Scope.TABLE
            if is_column and (place.privilege, place.parts[:3]) == (grant.privilege, grant.parts):
                yield Capability("INEFFECTIVE_DENY", f"{what}, but a column is granted")
                break


def _of_instance(observation: Observation) -> Iterator[Capability]:
    for setting, name in SWITCHES.items():
        if observation.settings.get(setting) == "1":
            yield Capability(name, f"{setting} = 1")
    if observation.settings.get("authentication") == "mixed":
        yield Capability("MIXED_MODE", "SQL Server and Windows authentication mode")


def _trustworthy_of_sysadmins(observation: Observation) -> set[str]:
    """User databases that are TRUSTWORTHY and belong to a sysadmin, worked out once."""
    if "trustworthy" not in observation.derived:
        admins = _sysadmins(observation)
        observation.derived["trustworthy"] = {
            grant.database
            for name in admins
            for grant in observation.grants_of(name)
            if grant.privilege == "OWNER" and "trustworthy" in grant.traits
        } - SYSTEM_DATABASES
    found: set[str] = observation.derived["trustworthy"]
    return found


def _sysadmins(observation: Observation) -> set[str]:
    found, todo = {"sysadmin"}, ["sysadmin"]
    while todo:
        role = todo.pop()
        more = {m.member for m in observation.memberships if m.role == role} - found
        found |= more
        todo += more
    return found


def impersonations(observation: Observation) -> Iterator[tuple[ObservedGrant, str]]:
    """Every grant of IMPERSONATE, and the account it is on."""
    for grants in observation.grants.values():
        for grant in grants:
            if grant.privilege == "IMPERSONATE" and grant.state is GrantState.GRANT:
                name = _impersonated(grant)
                if name in observation.accounts:
                    yield grant, name


def _impersonated(grant: ObservedGrant) -> str:
    """The name on the instance; "" where the grant is on no single account."""
    if grant.object is None or grant.object_type not in ("login", "user"):
        return ""
    if grant.database is None:
        return grant.object
    return in_database(grant.object, grant.database)
