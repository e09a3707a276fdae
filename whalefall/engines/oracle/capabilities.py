"""What an account of Oracle is able to do, beyond single privileges. `EXPLAINED` is the table in
the docs; `OR-..` in it are the conditions of risk-rules.md that ask for it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whalefall.engines.base import COLLECTOR, Capability, Held, Path_, Principal
from whalefall.engines.observed import Kind, Observation, ObservedGrant, Scope
from whalefall.engines.oracle.grants import COMMON, HIERARCHY, UNLIMITED
from whalefall.engines.oracle.names import EVERYWHERE

EXPLAINED = {
    "SUPERUSER": "role DBA by any path, or SYSDBA in the password file",
    "GRANT_ADMIN": "superuser, GRANT ANY PRIVILEGE, ROLE or OBJECT PRIVILEGE, ADMIN OPTION on a "
    "powerful role "
    "or system privilege",
    "CREATE_USER": "CREATE, ALTER or DROP USER, or superuser",
    "CREATE_ROLE": "CREATE ROLE, ALTER ANY ROLE, DROP ANY ROLE, or superuser",
    "CREATE_DB": "CREATE PLUGGABLE DATABASE, or superuser",
    "BYPASS_RLS": "EXEMPT ACCESS POLICY or EXEMPT REDACTION POLICY, or superuser",
    "FILE_ACCESS": "CREATE or DROP ANY DIRECTORY, READ or WRITE on a directory, or superuser",
    "PROGRAM_EXECUTION": "CREATE LIBRARY, CREATE ANY LIBRARY, CREATE EXTERNAL JOB, EXECUTE on a "
    "directory, "
    "or superuser",
    "IMPERSONATE": "PROXY to another user, BECOME USER, or superuser",
    "PROXY_TO_POWER": "PROXY to a user who has role DBA, SYSDBA or a privilege to grant any right",
    "READ_ALL_DATA": "SELECT ANY TABLE, READ ANY TABLE, DATAPUMP_EXP_FULL_DATABASE, or superuser",
    "WRITE_ALL_DATA": "INSERT, UPDATE or DELETE ANY TABLE, or superuser",
    "SYSTEM_DATA_READ": "SELECT ANY DICTIONARY, SELECT_CATALOG_ROLE, or a right on one of the "
    "DBA_ views, "
    "or superuser",
    "VERIFIER_ACCESS": "a right on a table that holds password verifiers or other secrets "
    "(USER$, LINK$ ...)",
    "AUDIT_TRAIL_ACCESS": "a right on a table of the audit trail (AUD$, FGA_LOG$, AUD$UNIFIED)",
    "AUDIT_ADMIN": "AUDIT SYSTEM, AUDIT ANY, or superuser",
    "SERVER_ADMIN": "ALTER SYSTEM, ALTER DATABASE, or superuser",
    "ANY_PRIVILEGE": "a system privilege on the objects of any schema (... ANY ...)",
    "ADMIN_OPTION": "a role or a system privilege WITH ADMIN OPTION, own or inherited",
    "GRANT_OPTION": "an object privilege WITH GRANT OPTION on what another schema owns",
    "HIERARCHY_OPTION": "an object privilege WITH HIERARCHY OPTION",
    "ADMINISTRATIVE": "SYSDBA, SYSOPER, SYSASM, SYSBACKUP, SYSDG or SYSKM in the password file",
    "BIG_ROLE": "SELECT_CATALOG_ROLE, EXECUTE_CATALOG_ROLE, DBA, PDB_DBA, a role of Data Pump's "
    "or another big one",
    "COMMON_POWER": "a common user's right of CONTAINER=ALL: DBA, an ANY privilege, or to "
    "administer users or rights",
    "NETWORK_PACKAGES": "EXECUTE on a package that talks over the network (UTL_TCP, UTL_HTTP, "
    "DBMS_LDAP ...)",
    "FILE_PACKAGES": "EXECUTE on DBMS_ADVISOR, DBMS_LOB or UTL_FILE",
    "CRYPTO_PACKAGES": "EXECUTE on DBMS_CRYPTO, DBMS_OBFUSCATION_TOOLKIT or DBMS_RANDOM",
    "JAVA_PACKAGES": "EXECUTE on DBMS_JAVA or DBMS_JAVA_TEST",
    "JOB_PACKAGES": "EXECUTE on DBMS_SCHEDULER or DBMS_JOB",
    "SQL_PACKAGES": "EXECUTE on a helper for dynamic SQL (DBMS_SQL, DBMS_XMLGEN, DBMS_REDACT ...)",
    "INTERNAL_PACKAGES": "EXECUTE on a package for backups or the server's own use "
    "(DBMS_BACKUP_RESTORE, "
    "DBMS_SYS_SQL ...)",
    "EXFILTRATION_PACKAGES": "EXECUTE on DBMS_BACKUP_RESTORE, UTL_DBWS or UTL_ORAMTS",
    "JAVA_PERMISSIONS": "a Java permission on files, the runtime or the network",
    "PUBLIC_SYSTEM_RIGHTS": "on PUBLIC: a system privilege, a role or a right on columns",
    "PUBLIC_LINK": "on PUBLIC: a public database link",
    "UPGRADE_LEFTOVERS": "on PUBLIC: SYS.USER$MIG exists",
    "CASE_INSENSITIVE_LOGIN": "on PUBLIC: SEC_CASE_SENSITIVE_LOGON is off",
    "UNLIMITED_TABLESPACE": "UNLIMITED TABLESPACE, or an unlimited quota on SYSTEM or SYSAUX",
    "MAINTAINED": "came with the product (ORACLE_MAINTAINED; before 12.1 by name)",
    "LOCKED": "the status contains LOCKED",
    "PASSWORD_EXPIRED": "the status says EXPIRED, grace being over; EXPIRED(GRACE) can still "
    "log in",
    "DEFAULT_PASSWORD": "still has the password that the product shipped",
    "SAMPLE_SCHEMA": "a schema of Oracle's samples (HR, OE, SH, SCOTT ...)",
    "EXTERNAL_LOGIN": "authenticated by the operating system or another external service",
    "DEFAULT_PROFILE": "has the profile DEFAULT and can log in",
    "WEAK_LOCKING": "profile: more than 5 failed logins, or locked for less than 1 day",
    "WEAK_PASSWORD_LIFE": "profile: a password for more than 90 days, more than 5 days of grace, "
    "or unused for more than 120 days",
    "WEAK_PASSWORD_REUSE": "profile: a password back after fewer than 20 others, or within 365 "
    "days",
    "NO_PASSWORD_CHECK": "profile: no function verifies new passwords",
    "MANY_SESSIONS": "profile: more than 10 sessions at a time",
    "OLD_VERIFIER": "a 10G verifier is stored",
    "SYSTEM_TABLESPACE": "default tablespace SYSTEM or SYSAUX",
    "COLLECTOR": "the account that WhaleFall itself reads with",
}
KNOWN = tuple(EXPLAINED)

PERSONAL = (
    "COLLECTOR",
    "MAINTAINED", "LOCKED", "PASSWORD_EXPIRED", "DEFAULT_PASSWORD", "SAMPLE_SCHEMA",
    "EXTERNAL_LOGIN", "DEFAULT_PROFILE", "WEAK_LOCKING", "WEAK_PASSWORD_LIFE",
    "WEAK_PASSWORD_REUSE", "NO_PASSWORD_CHECK", "MANY_SESSIONS", "OLD_VERIFIER",
    "SYSTEM_TABLESPACE", "CASE_INSENSITIVE_LOGIN", "UPGRADE_LEFTOVERS",
)  # fmt: skip
"""About the account itself: nobody gains them by a role."""

OF_SUPERUSERS = (
    "GRANT_ADMIN", "CREATE_USER", "CREATE_ROLE", "CREATE_DB", "BYPASS_RLS", "FILE_ACCESS",
    "PROGRAM_EXECUTION", "IMPERSONATE", "READ_ALL_DATA", "WRITE_ALL_DATA", "SYSTEM_DATA_READ",
    "AUDIT_ADMIN", "SERVER_ADMIN",
)  # fmt: skip

PRIVILEGES = ("accounts", "system", "memberships", "password_file")
CODE = ("accounts", "routine", "memberships")
PROFILE = ("accounts", "profiles")
SECTIONS: dict[str, tuple[str, ...]] = {
    "COLLECTOR": ("accounts",),
    "SUPERUSER": ("accounts", "memberships", "password_file"),
    "FILE_ACCESS": (*PRIVILEGES, "other"),
    "PROGRAM_EXECUTION": (*PRIVILEGES, "other"),
    "IMPERSONATE": (*PRIVILEGES, "proxy"),
    "PROXY_TO_POWER": (*PRIVILEGES, "proxy"),
    "SYSTEM_DATA_READ": (*PRIVILEGES, "table"),
    "VERIFIER_ACCESS": ("accounts", "table", "memberships"),
    "AUDIT_TRAIL_ACCESS": ("accounts", "table", "memberships"),
    "ANY_PRIVILEGE": ("accounts", "system", "memberships"),
    "ADMIN_OPTION": ("accounts", "system", "memberships"),
    "GRANT_OPTION": ("accounts", "table", "routine", "sequence", "other", "memberships"),
    "HIERARCHY_OPTION": ("accounts", "table", "memberships"),
    "ADMINISTRATIVE": ("accounts", "password_file"),
    "BIG_ROLE": ("accounts", "memberships"),
    "COMMON_POWER": ("accounts", "system", "memberships"),
    "NETWORK_PACKAGES": CODE,
    "FILE_PACKAGES": CODE,
    "CRYPTO_PACKAGES": CODE,
    "JAVA_PACKAGES": CODE,
    "JOB_PACKAGES": CODE,
    "SQL_PACKAGES": CODE,
    "INTERNAL_PACKAGES": CODE,
    "EXFILTRATION_PACKAGES": CODE,
    "JAVA_PERMISSIONS": ("accounts", "java", "memberships"),
    "PUBLIC_SYSTEM_RIGHTS": ("accounts", "system", "memberships", "column"),
    "PUBLIC_LINK": ("links",),
    "UPGRADE_LEFTOVERS": ("links",),
    "CASE_INSENSITIVE_LOGIN": ("settings",),
    "UNLIMITED_TABLESPACE": ("accounts", "system", "memberships", "tablespace"),
    "DEFAULT_PASSWORD": ("accounts", "default_passwords"),
    "WEAK_LOCKING": PROFILE,
    "WEAK_PASSWORD_LIFE": PROFILE,
    "WEAK_PASSWORD_REUSE": PROFILE,
    "NO_PASSWORD_CHECK": PROFILE,
    "MANY_SESSIONS": PROFILE,
    **dict.fromkeys(
        ("MAINTAINED", "LOCKED", "PASSWORD_EXPIRED", "SAMPLE_SCHEMA", "EXTERNAL_LOGIN",
         "DEFAULT_PROFILE", "OLD_VERIFIER", "SYSTEM_TABLESPACE"), ("accounts",),
    ),
}  # fmt: skip

BY_SYSTEM_PRIVILEGE: dict[str, str] = {
    "GRANT ANY PRIVILEGE": "GRANT_ADMIN",
    "GRANT ANY ROLE": "GRANT_ADMIN",
    "GRANT ANY OBJECT PRIVILEGE": "GRANT_ADMIN",
    "CREATE USER": "CREATE_USER",
    "ALTER USER": "CREATE_USER",
    "DROP USER": "CREATE_USER",
    "CREATE ROLE": "CREATE_ROLE",
    "ALTER ANY ROLE": "CREATE_ROLE",
    "DROP ANY ROLE": "CREATE_ROLE",
    "CREATE PLUGGABLE DATABASE": "CREATE_DB",
    "EXEMPT ACCESS POLICY": "BYPASS_RLS",
    "EXEMPT REDACTION POLICY": "BYPASS_RLS",
    "CREATE ANY DIRECTORY": "FILE_ACCESS",
    "DROP ANY DIRECTORY": "FILE_ACCESS",
    "CREATE LIBRARY": "PROGRAM_EXECUTION",
    "CREATE ANY LIBRARY": "PROGRAM_EXECUTION",
    "CREATE EXTERNAL JOB": "PROGRAM_EXECUTION",
    "BECOME USER": "IMPERSONATE",
    "SELECT ANY TABLE": "READ_ALL_DATA",
    "READ ANY TABLE": "READ_ALL_DATA",
    "INSERT ANY TABLE": "WRITE_ALL_DATA",
    "UPDATE ANY TABLE": "WRITE_ALL_DATA",
    "DELETE ANY TABLE": "WRITE_ALL_DATA",
    "SELECT ANY DICTIONARY": "SYSTEM_DATA_READ",
    "AUDIT SYSTEM": "AUDIT_ADMIN",
    "AUDIT ANY": "AUDIT_ADMIN",
    "ALTER SYSTEM": "SERVER_ADMIN",
    "ALTER DATABASE": "SERVER_ADMIN",
    "UNLIMITED TABLESPACE": "UNLIMITED_TABLESPACE",
}
TO_GRANT_ANY = frozenset({"GRANT ANY PRIVILEGE", "GRANT ANY ROLE", "GRANT ANY OBJECT PRIVILEGE"})
ACCOUNT_RIGHTS = frozenset({"CREATE USER", "ALTER USER", "DROP USER", "BECOME USER"})
POWERFUL = frozenset({
    "DBA", "PDB_DBA", "CDB_DBA", "IMP_FULL_DATABASE", "EXP_FULL_DATABASE",
    "DATAPUMP_IMP_FULL_DATABASE", "DATAPUMP_EXP_FULL_DATABASE", "SCHEDULER_ADMIN",
    "EXECUTE_CATALOG_ROLE", "JAVASYSPRIV", "JAVA_ADMIN", "DV_OWNER", "DV_ACCTMGR",
})  # fmt: skip
BIG_ROLES = POWERFUL | {
    "SELECT_CATALOG_ROLE", "DELETE_CATALOG_ROLE", "AQ_ADMINISTRATOR_ROLE", "OEM_MONITOR",
    "RECOVERY_CATALOG_OWNER", "HS_ADMIN_ROLE", "LBAC_DBA", "OLAP_DBA", "AUDIT_ADMIN",
    "CAPTURE_ADMIN", "XDBADMIN",
}  # fmt: skip
BY_ROLE = {
    "SELECT_CATALOG_ROLE": "SYSTEM_DATA_READ",
    "DATAPUMP_EXP_FULL_DATABASE": "READ_ALL_DATA",
    "EXP_FULL_DATABASE": "READ_ALL_DATA",
    "DATAPUMP_IMP_FULL_DATABASE": "WRITE_ALL_DATA",
    "IMP_FULL_DATABASE": "WRITE_ALL_DATA",
}
SECRETS = frozenset({
    "USER$", "USER_HISTORY$", "XS$VERIFIERS", "DEFAULT_PWD$", "LINK$", "SCHEDULER$_CREDENTIAL",
    "ENC$", "CDB_LOCAL_ADMINAUTH$", "PDB_SYNC$", "HISTGRM$", "HIST_HEAD$",
})  # fmt: skip
AUDIT_TRAIL = frozenset({"AUD$", "FGA_LOG$", "AUD$UNIFIED"})
DICTIONARY_OWNERS = frozenset({"SYS", "AUDSYS", "SYSTEM"})
PACKAGES: dict[str, tuple[str, ...]] = {
    "NETWORK_PACKAGES": (
        "DBMS_LDAP", "UTL_INADDR", "UTL_TCP", "UTL_MAIL", "UTL_SMTP", "UTL_DBWS", "UTL_ORAMTS",
        "UTL_HTTP", "HTTPURITYPE",
    ),
    "FILE_PACKAGES": ("DBMS_ADVISOR", "DBMS_LOB", "UTL_FILE"),
    "CRYPTO_PACKAGES": ("DBMS_CRYPTO", "DBMS_OBFUSCATION_TOOLKIT", "DBMS_RANDOM"),
    "JAVA_PACKAGES": ("DBMS_JAVA", "DBMS_JAVA_TEST"),
    "JOB_PACKAGES": ("DBMS_SCHEDULER", "DBMS_JOB"),
    "SQL_PACKAGES": (
        "DBMS_SQL", "DBMS_XMLGEN", "DBMS_XMLQUERY", "DBMS_XMLSAVE", "DBMS_XMLSTORE", "DBMS_AW",
        "OWA_UTIL", "DBMS_REDACT",
    ),
    "INTERNAL_PACKAGES": (
        "DBMS_BACKUP_RESTORE", "DBMS_FILE_TRANSFER", "DBMS_SYS_SQL", "DBMS_REPCAT_SQL_UTL",
        "INITJVMAUX", "DBMS_STREAMS_ADM_UTL", "DBMS_AQADM_SYS", "DBMS_STREAMS_RPC",
        "DBMS_PRVTAQIM", "LTADM", "WWV_DBMS_SQL", "WWV_EXECUTE_IMMEDIATE", "DBMS_IJOB",
        "DBMS_PDB_EXEC_SQL",
    ),
    "EXFILTRATION_PACKAGES": ("DBMS_BACKUP_RESTORE", "UTL_DBWS", "UTL_ORAMTS"),
}  # fmt: skip
BY_PACKAGE: dict[str, tuple[str, ...]] = {
    package: tuple(name for name, packages in PACKAGES.items() if package in packages)
    for packages in PACKAGES.values()
    for package in packages
}
SAMPLES = frozenset(
    {"HR", "OE", "PM", "IX", "SH", "BI", "SCOTT", "CO", "AV", "ADAMS", "BLAKE", "CLARK", "JONES"}
)
JAVA_DANGERS = (
    "java.io.FilePermission", "java.lang.RuntimePermission", "java.net.SocketPermission",
    "java.security.AllPermission",
)  # fmt: skip
NO_LIMIT = float("inf")


def sections(name: str) -> tuple[str, ...]:
    """The sections that must be complete before the capability's absence means anything."""
    return SECTIONS.get(name, PRIVILEGES)


def of(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """Each capability that holds, once, by its shortest path."""
    best: dict[str, Capability] = {}
    if principal.account.username == observation.settings.get(COLLECTOR):
        best["COLLECTOR"] = Capability("COLLECTOR", "WhaleFall reads with it")
    for found in _all(principal, observation):
        known = best.get(found.name)
        if known is None or len(found.path) < len(known.path):
            best[found.name] = found
    yield from (best[name] for name in KNOWN if name in best)


def _all(principal: Principal, observation: Observation) -> Iterator[Capability]:
    for power in _superuser(principal):
        yield power
        yield from (Capability(name, power.because, power.path) for name in OF_SUPERUSERS)
    yield from _by_role(principal)
    yield from _by_admin_option(principal)
    yield from _by_grant(principal, observation)
    if principal.account.kind is Kind.PUBLIC:
        yield from _of_public(principal, observation)
    else:
        yield from _of_account(principal)


def _superuser(principal: Principal) -> Iterator[Capability]:
    if "DBA" in principal.roles:
        yield Capability("SUPERUSER", "role DBA", principal.roles["DBA"])
    elif principal.account.username == "DBA":
        yield Capability("SUPERUSER", "role DBA")
    for held in principal.privileges:
        if held.grant.privilege == "SYSDBA":
            yield Capability("SUPERUSER", because(held.grant), held.path)


def _by_role(principal: Principal) -> Iterator[Capability]:
    roles: dict[str, Path_] = {**principal.roles, principal.account.username: ()}
    for role in BIG_ROLES & roles.keys():
        yield Capability("BIG_ROLE", f"role {role}", roles[role])
        if role in BY_ROLE:
            yield Capability(BY_ROLE[role], f"role {role}", roles[role])


def _by_admin_option(principal: Principal) -> Iterator[Capability]:
    for role, path in principal.admin_of.items():
        text = f"{role} WITH ADMIN OPTION"
        yield Capability("ADMIN_OPTION", text, path)
        if role in POWERFUL:
            yield Capability("GRANT_ADMIN", text, path)


def _by_grant(principal: Principal, observation: Observation) -> Iterator[Capability]:
    """One pass over what may be 30,000 grants, remembering the shortest path to each name."""
    best: dict[str, tuple[str, Held]] = {}
    own_schema = principal.account.username.partition("@")[0]
    for held in principal.privileges:
        for name, text in _names(held.grant, own_schema):
            if name not in best or len(held.path) < len(best[name][1].path):
                best[name] = (text, held)
        if held.grant.privilege == "PROXY" and held.grant.object_type == "account":
            power = _power_of(held.grant.object or "", observation)
            if power and "PROXY_TO_POWER" not in best:
                best["PROXY_TO_POWER"] = (f", who has {power}", held)
    for name, (text, held) in best.items():
        yield Capability(name, because(held.grant) + text, held.path)


def _names(grant: ObservedGrant, own_schema: str) -> Iterator[tuple[str, str]]:
    """Capability and what to add to its reason."""
    if grant.scope is Scope.SYSTEM:
        yield from _by_system(grant)
    elif grant.scope is Scope.SERVER:
        yield "ADMINISTRATIVE", ""
    elif grant.scope is Scope.ROUTINE and grant.privilege == "EXECUTE":
        yield from ((name, "") for name in BY_PACKAGE.get(grant.object or "", ()))
    elif grant.scope is Scope.TABLE and grant.schema in DICTIONARY_OWNERS:
        yield from _by_dictionary(grant.object or "")
    elif grant.scope is Scope.OTHER:
        yield from _by_other(grant)
    elif UNLIMITED in grant.traits and grant.object in ("SYSTEM", "SYSAUX"):
        yield "UNLIMITED_TABLESPACE", " without a limit"
    if grant.source == "DBA_TAB_PRIVS":
        if grant.grantable and grant.schema != own_schema:
            yield "GRANT_OPTION", " WITH GRANT OPTION"
        if HIERARCHY in grant.traits:
            yield "HIERARCHY_OPTION", " WITH HIERARCHY OPTION"


def _by_system(grant: ObservedGrant) -> Iterator[tuple[str, str]]:
    privilege = grant.privilege
    if privilege in BY_SYSTEM_PRIVILEGE:
        yield BY_SYSTEM_PRIVILEGE[privilege], ""
    is_any = " ANY " in privilege
    if is_any:
        yield "ANY_PRIVILEGE", ""
    is_power = is_any or privilege in ACCOUNT_RIGHTS
    if grant.grantable:
        yield "ADMIN_OPTION", " WITH ADMIN OPTION"
        if is_power:
            yield "GRANT_ADMIN", " WITH ADMIN OPTION"
    if is_power and (COMMON in grant.traits or grant.database == EVERYWHERE):
        yield "COMMON_POWER", " in all containers"


def _by_dictionary(name: str) -> Iterator[tuple[str, str]]:
    if name in SECRETS:
        yield "VERIFIER_ACCESS", ""
    elif name in AUDIT_TRAIL:
        yield "AUDIT_TRAIL_ACCESS", ""
    elif name.startswith(("DBA_", "CDB_")):
        yield "SYSTEM_DATA_READ", ""


def _by_other(grant: ObservedGrant) -> Iterator[tuple[str, str]]:
    if grant.object_type == "directory":
        yield ("PROGRAM_EXECUTION" if grant.privilege == "EXECUTE" else "FILE_ACCESS"), ""
    elif grant.privilege == "PROXY":
        yield "IMPERSONATE", ""
    elif any(danger in (grant.object or "") for danger in JAVA_DANGERS):
        yield "JAVA_PERMISSIONS", ""


def _power_of(user: str, observation: Observation) -> str:
    """What makes a user worth becoming, by rights of its own or any role: a word, or ""."""
    known: dict[str, str] = observation.derived.setdefault("oracle.power", {})
    if user not in known:
        edges: dict[str, list[str]] | None = observation.derived.get("oracle.granted")
        if edges is None:
            edges = observation.derived["oracle.granted"] = {}
            for one in observation.memberships:
                edges.setdefault(one.member, []).append(one.role)
        order = [user]
        for name in order:  # grows while it is walked
            order.extend(role for role in edges.get(name, ()) if role not in order)
        known[user] = next(filter(None, (_power(name, observation) for name in order)), "")
    return known[user]


def _power(name: str, observation: Observation) -> str:
    if name == "DBA":
        return "role DBA"
    powers = TO_GRANT_ANY | ACCOUNT_RIGHTS | {"SYSDBA"}
    held = {grant.privilege for grant in observation.grants_of(name)}
    return min(powers & held, default="")


def _of_public(principal: Principal, observation: Observation) -> Iterator[Capability]:
    for role in principal.roles:
        yield Capability("PUBLIC_SYSTEM_RIGHTS", f"role {role}", principal.roles[role])
    for held in principal.privileges:
        grant = held.grant
        if grant.scope in (Scope.SYSTEM, Scope.COLUMN) and not held.path:
            yield Capability("PUBLIC_SYSTEM_RIGHTS", because(grant))
        elif grant.privilege == "DATABASE LINK":
            yield Capability("PUBLIC_LINK", because(grant))
        elif grant.privilege == "LEFT BEHIND":
            yield Capability("UPGRADE_LEFTOVERS", because(grant))
    if observation.settings.get("sec_case_sensitive_logon", "").upper() == "FALSE":
        yield Capability("CASE_INSENSITIVE_LOGIN", "SEC_CASE_SENSITIVE_LOGON is FALSE")


def _of_account(principal: Principal) -> Iterator[Capability]:
    account = principal.account
    attributes = account.attributes
    if attributes.get("oracle_maintained"):
        yield Capability("MAINTAINED", "ORACLE_MAINTAINED")
    if account.kind is not Kind.USER:
        return
    for name, text in _of_user(account.username, attributes, bool(account.is_locked)):
        yield Capability(name, text)
    if account.can_login and not account.is_locked:
        for name, text in _of_profile(attributes.get("limits", {})):
            yield Capability(name, f"profile {attributes.get('profile')}: {text}")


def _of_user(
    username: str, attributes: Mapping[str, Any], locked: bool
) -> Iterator[tuple[str, str]]:
    status = str(attributes.get("status", ""))
    if locked:
        yield "LOCKED", status
    if attributes.get("password_expired"):
        yield "PASSWORD_EXPIRED", status
    if attributes.get("default_password"):
        yield "DEFAULT_PASSWORD", "DBA_USERS_WITH_DEFPWD"
    if username.partition("@")[0] in SAMPLES:
        yield "SAMPLE_SCHEMA", "the name of a sample schema"
    if attributes.get("authentication") == "EXTERNAL":
        yield "EXTERNAL_LOGIN", "authentication EXTERNAL"
    if attributes.get("profile") == "DEFAULT" and not locked:
        yield "DEFAULT_PROFILE", "profile DEFAULT"
    if "10G" in attributes.get("password_versions", ()):
        yield "OLD_VERIFIER", "password versions " + " ".join(attributes["password_versions"])
    if attributes.get("default_tablespace") in ("SYSTEM", "SYSAUX"):
        yield "SYSTEM_TABLESPACE", f"default tablespace {attributes['default_tablespace']}"


def _of_profile(limits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The thresholds are those of the CIS benchmark (risk-rules.md, OR-06)."""
    above = (
        ("WEAK_LOCKING", "FAILED_LOGIN_ATTEMPTS", 5),
        ("WEAK_PASSWORD_LIFE", "PASSWORD_LIFE_TIME", 90),
        ("WEAK_PASSWORD_LIFE", "PASSWORD_GRACE_TIME", 5),
        ("WEAK_PASSWORD_LIFE", "INACTIVE_ACCOUNT_TIME", 120),
        ("MANY_SESSIONS", "SESSIONS_PER_USER", 10),
    )
    below = (
        ("WEAK_LOCKING", "PASSWORD_LOCK_TIME", 1),
        ("WEAK_PASSWORD_REUSE", "PASSWORD_REUSE_MAX", 20),
        ("WEAK_PASSWORD_REUSE", "PASSWORD_REUSE_TIME", 365),
    )
    for name, limit, most in above:
        if limit in limits and _number(limits[limit]) > most:
            yield name, f"{limit} {limits[limit]}"
    for name, limit, least in below:
        if limit in limits and _number(limits[limit]) < least:
            yield name, f"{limit} {limits[limit]}"
    if limits.get("PASSWORD_VERIFY_FUNCTION") in ("NULL", None) and limits:
        yield "NO_PASSWORD_CHECK", "PASSWORD_VERIFY_FUNCTION NULL"


def _number(limit: str) -> float:
    """A limit as a number; UNLIMITED is more than any."""
    try:
        return float(limit)
    except ValueError:
        return NO_LIMIT


def because(grant: ObservedGrant) -> str:
    """`SELECT on HR.EMPLOYEES`, `CREATE USER`, as a person would say it."""
    if grant.scope in (Scope.SYSTEM, Scope.SERVER):
        return f"{grant.privilege} in {grant.database}" if grant.database else grant.privilege
    return f"{grant.privilege} on {'.'.join(grant.parts)}"
