"""What an account of MySQL or MariaDB is able to do, beyond single privileges: one function per
capability, whose docstring is its definition. Pure.

A function yields a `Because` for every ground it finds; the rules keep the one with the shortest
path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from whalefall.engines.base import COLLECTOR, Held, Path_, Principal
from whalefall.engines.mysql.hosts import is_any, is_local, is_wide, like
from whalefall.engines.mysql.lookup import EXCEPT
from whalefall.engines.mysql.names import (
    GRANT_OPTION,
    MARIADB_BITS,
    MYSQL_STATIC,
    MYSQL_STATIC_BEFORE_8,
    split_account,
)
from whalefall.engines.observed import Kind, Observation, ObservedAccount, ObservedGrant, Scope

Because = tuple[str, Path_]

WRITES = ("INSERT", "UPDATE", "DELETE")
DATA = ("SELECT", *WRITES)
GRANT_TABLES = frozenset(
    {
        *("user", "global_priv", "db", "tables_priv", "columns_priv", "procs_priv"),
        *("proxies_priv", "global_grants", "role_edges", "default_roles", "roles_mapping"),
    }
)
CODE_TABLES = frozenset({"func", "plugin", "component"})
SPLIT_SUPER = (
    "SYSTEM_USER",
    "CONNECTION_ADMIN",
    "PERSIST_RO_VARIABLES_ADMIN",
    "SET_USER_ID",
    "SET_ANY_DEFINER",
    "BINLOG_ADMIN",
)
REPLICATION_PRIVILEGES = (
    "REPLICATION SLAVE",
    "REPLICATION_SLAVE_ADMIN",
    "REPLICATION_APPLIER",
    "GROUP_REPLICATION_ADMIN",
    "GROUP_REPLICATION_STREAM",
    "REPLICATION SLAVE ADMIN",
    "REPLICATION MASTER ADMIN",
)
IMPERSONATING = ("SET_USER_ID", "SET_ANY_DEFINER", "SET USER")
PASSWORD_KINDS = frozenset({"native", "old", "sha256", "caching_sha2", "ed25519", "parsec"})
POWER = frozenset({"SUPER", "CREATE USER", "ROLE_ADMIN", "SYSTEM_USER", GRANT_OPTION})


@dataclass(slots=True)
class Case:
    """One principal with what the questions need, worked out once."""

    principal: Principal
    observation: Observation
    account: ObservedAccount = field(init=False)
    user: str = ""
    host: str = ""
    is_user: bool = False
    may_log_in: bool = False
    password_kinds: frozenset[str] = frozenset()
    """Empty for roles; several where MariaDB takes one of several ways."""
    glob: dict[str, Held] = field(default_factory=dict)
    """What is held on *.*, each with the shortest path."""

    def __post_init__(self) -> None:
        self.account = self.principal.account
        self.user, self.host = split_account(self.account.username)
        self.is_user = self.account.kind is Kind.USER
        self.may_log_in = self.is_user and self.account.is_locked is not True
        self.password_kinds = frozenset(str(self.attributes.get("password", "")).split(" or "))
        for held in self.principal.privileges:
            if held.grant.scope is Scope.GLOBAL:
                known = self.glob.get(held.grant.privilege)
                if known is None or len(held.path) < len(known.path):
                    self.glob[held.grant.privilege] = held

    @property
    def host_shown(self) -> str:
        return self.host or "''"

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.account.attributes

    @property
    def settings(self) -> Mapping[str, str]:
        return self.observation.settings

    @property
    def is_mariadb(self) -> bool:
        return self.settings.get("vendor") == "MariaDB"

    @property
    def has_password(self) -> bool:
        return self.may_log_in and bool(self.password_kinds & PASSWORD_KINDS)

    def globally(self, *privileges: str) -> Iterator[Because]:
        for privilege in privileges:
            held = self.glob.get(privilege)
            if held is not None:
                yield because(held), held.path

    def on_mysql(self, privileges: Iterable[str], tables: frozenset[str]) -> Iterator[Because]:
        """Grounds that give one of `privileges` on the `mysql` database or on one of `tables`."""
        wanted = frozenset(privileges)
        for held in self.principal.privileges:
            if held.grant.privilege in wanted and _reaches_mysql(held, tables):
                yield because(held), held.path


Question = Callable[[Case], Iterable[Because]]
CAPABILITIES: dict[str, Question] = {}
"""Every capability that can hold here, by name."""
SECTIONS: dict[str, tuple[str, ...]] = {}
"""The sections that must be complete before a missing capability means that it does not hold."""

ACCOUNT = ("accounts",)
GLOBAL = ("accounts", "global", "memberships")
MYSQL_TABLES = ("accounts", "global", "database", "table", "memberships")


def capability(name: str, sections: tuple[str, ...]) -> Callable[[Question], Question]:
    def register(question: Question) -> Question:
        CAPABILITIES[name] = question
        SECTIONS[name] = sections
        return question

    return register


def because(held: Held) -> str:
    """`SELECT on sales.orders`, as a person would say it."""
    grant = held.grant
    if grant.scope is Scope.GLOBAL:
        place = "*.*"
    elif grant.scope is Scope.DATABASE:
        place = f"{grant.database}.*"
    elif grant.scope is Scope.COLUMN:
        place = f"{grant.database}.{grant.object} ({grant.column})"
    else:
        place = ".".join(grant.parts)
    exceptions = [trait.removeprefix(EXCEPT) for trait in grant.traits if trait.startswith(EXCEPT)]
    return f"{grant.privilege} on {place}" + (
        f" except {', '.join(exceptions)}" if exceptions else ""
    )


def _reaches_mysql(held: Held, tables: frozenset[str]) -> bool:
    grant = held.grant
    if grant.scope is Scope.GLOBAL:
        return f"{EXCEPT}mysql" not in grant.traits
    if grant.scope is Scope.DATABASE and grant.database is not None:
        if grant.is_pattern:
            exceptions = (each.removeprefix(EXCEPT) for each in grant.traits)
            return like(grant.database, "mysql") and not any(like(e, "mysql") for e in exceptions)
        return grant.database == "mysql"
    return grant.scope is Scope.TABLE and grant.database == "mysql" and grant.object in tables


# Power


@capability("SUPERUSER", GLOBAL)
def superuser(case: Case) -> Iterable[Because]:
    """SUPER; or on MySQL 8+, where SUPER is split, SYSTEM_VARIABLES_ADMIN together with one of
    SYSTEM_USER, CONNECTION_ADMIN, PERSIST_RO_VARIABLES_ADMIN, SET_USER_ID, SET_ANY_DEFINER,
    BINLOG_ADMIN; or all static privileges on *.*.
    """
    yield from case.globally("SUPER")
    variables = case.glob.get("SYSTEM_VARIABLES_ADMIN")
    for name in SPLIT_SUPER:
        other = case.glob.get(name)
        if variables is not None and other is not None:
            path = max(variables.path, other.path, key=len)
            yield f"SYSTEM_VARIABLES_ADMIN and {name} on *.*", path
    everything = _all_static(case)
    if everything and all(name in case.glob for name in everything):
        path = max((case.glob[name].path for name in everything), key=len)
        yield "ALL PRIVILEGES on *.*", path


def _all_static(case: Case) -> tuple[str, ...]:
    """What every version of the product calls ALL PRIVILEGES, GRANT OPTION and SUPER aside."""
    if case.is_mariadb:
        names = MARIADB_BITS[: MARIADB_BITS.index("CREATE TABLESPACE") + 1]
    else:
        old = case.observation.main_version.startswith("5.")
        names = MYSQL_STATIC_BEFORE_8 if old else MYSQL_STATIC
    skipped = (GRANT_OPTION, "SUPER", "REPLICATION CLIENT", "BINLOG MONITOR")
    return tuple(name for name in names if name not in skipped)


@capability("GRANT_ADMIN", MYSQL_TABLES)
def grant_admin(case: Case) -> Iterable[Because]:
    """May give rights to others, or to itself: GRANT OPTION on *.*, CREATE USER, ROLE_ADMIN, or
    INSERT, UPDATE or DELETE on the grant tables of `mysql`.
    """
    yield from case.globally(GRANT_OPTION, "CREATE USER", "ROLE_ADMIN")
    yield from case.on_mysql(WRITES, GRANT_TABLES)


@capability("GRANT_OPTION", (*MYSQL_TABLES, "routine", "proxy"))
def grant_option(case: Case) -> Iterable[Because]:
    """May give on at least one privilege, on whatever level."""
    for held in case.principal.privileges:
        if held.grant.grantable:
            yield f"{because(held)} WITH GRANT OPTION", held.path
        elif held.grant.privilege == GRANT_OPTION:
            yield because(held), held.path


@capability("ROLE_ADMIN_OPTION", ("accounts", "memberships"))
def role_admin_option(case: Case) -> Iterable[Because]:
    """May give on at least one role (WITH ADMIN OPTION)."""
    for role, path in case.principal.admin_of.items():
        yield f"{role} WITH ADMIN OPTION", path


@capability("CREATE_ROLE", GLOBAL)
def create_role(case: Case) -> Iterable[Because]:
    """CREATE ROLE, or CREATE USER, which covers it."""
    if case.is_mariadb or not case.observation.main_version.startswith("5."):
        yield from case.globally("CREATE ROLE", "CREATE USER")


@capability("CREATE_DB", (*GLOBAL, "database"))
def create_db(case: Case) -> Iterable[Because]:
    """CREATE on *.*, or on a pattern of database names with %."""
    yield from case.globally("CREATE")
    for held in case.principal.privileges:
        grant = held.grant
        if grant.scope is Scope.DATABASE and grant.privilege == "CREATE" and _is_open(grant):
            yield because(held), held.path


def _is_open(grant: ObservedGrant) -> bool:
    return grant.is_pattern and "%" in (grant.database or "").replace("\\%", "")


@capability("REPLICATION", GLOBAL)
def replication(case: Case) -> Iterable[Because]:
    """May read every change as a replica does, or run replication."""
    yield from case.globally(*REPLICATION_PRIVILEGES)


@capability("FILE_ACCESS", GLOBAL)
def file_access(case: Case) -> Iterable[Because]:
    """FILE: reads and writes files of the server's machine (as far as secure_file_priv lets it)."""
    yield from case.globally("FILE")


@capability("PROGRAM_EXECUTION", MYSQL_TABLES)
def program_execution(case: Case) -> Iterable[Because]:
    """May load code into the server: INSERT on mysql.func, mysql.plugin or mysql.component is what
    CREATE FUNCTION ... SONAME, INSTALL PLUGIN and INSTALL COMPONENT ask for.
    """
    yield from case.on_mysql(("INSERT",), CODE_TABLES)


@capability("IMPERSONATE", (*GLOBAL, "proxy"))
def impersonate(case: Case) -> Iterable[Because]:
    """May act as another account: PROXY; or make code that runs as anybody: SET_USER_ID,
    SET_ANY_DEFINER, MariaDB's SET USER, and SUPER, which covers it in MySQL up to 8.0.
    """
    for held in _proxies(case):
        yield because(held), held.path
    yield from case.globally(*IMPERSONATING)
    if case.observation.main_version in ("5.6", "5.7", "8.0", "10.3", "10.4"):
        yield from case.globally("SUPER")


@capability("PROXY_TO_ANYONE", ("accounts", "proxy", "memberships"))
def proxy_to_anyone(case: Case) -> Iterable[Because]:
    """PROXY on ''@'' or on an account without user name: may be whoever it likes."""
    for held in _proxies(case):
        if split_account(held.grant.object or "")[0] == "":
            yield because(held), held.path


@capability("PROXY_TO_POWER", ("accounts", "proxy", "global", "memberships"))
def proxy_to_power(case: Case) -> Iterable[Because]:
    """PROXY on an account that itself has SUPER, CREATE USER, ROLE_ADMIN, SYSTEM_USER or the GRANT
    OPTION on *.*.
    """
    for held in _proxies(case):
        for grant in case.observation.grants_of(held.grant.object or ""):
            if grant.scope is Scope.GLOBAL and grant.privilege in POWER:
                yield f"{because(held)}, which has {grant.privilege}", held.path
                break


def _proxies(case: Case) -> Iterator[Held]:
    return (held for held in case.principal.privileges if held.grant.privilege == "PROXY")


@capability("DEFINER_OF_CODE", ("accounts", "definer"))
def definer_of_code(case: Case) -> Iterable[Because]:
    """Stored routines, events or views run with this account's rights, whoever calls them."""
    for held in case.principal.privileges:
        if held.grant.privilege == "DEFINER" and SECURITY_DEFINER in held.grant.traits:
            yield because(held), held.path


@capability("ORPHAN_DEFINER", ("accounts", "definer"))
def orphan_definer(case: Case) -> Iterable[Because]:
    """On PUBLIC: the definer of some code is no account here; whoever creates it gets the code."""
    if case.account.kind is not Kind.PUBLIC:
        return
    for grantee, grants in case.observation.grants.items():
        if grantee not in case.observation.accounts:
            for grant in grants:
                if grant.privilege == "DEFINER" and SECURITY_DEFINER in grant.traits:
                    yield f"{'.'.join(grant.parts)} is defined by {grantee}, who is missing", ()


SECURITY_DEFINER = "security_definer"


# Data


@capability("ALL_DATA_READ", GLOBAL)
def all_data_read(case: Case) -> Iterable[Because]:
    """SELECT on *.*."""
    yield from case.globally("SELECT")


@capability("ALL_DATA_WRITE", GLOBAL)
def all_data_write(case: Case) -> Iterable[Because]:
    """INSERT, UPDATE or DELETE on *.*."""
    yield from case.globally(*WRITES)


@capability("SYSTEM_DATA_READ", MYSQL_TABLES)
def system_data_read(case: Case) -> Iterable[Because]:
    """SELECT on the grant tables of `mysql`, passwords' verifiers among them."""
    yield from case.on_mysql(("SELECT",), GRANT_TABLES)


@capability("SYSTEM_DATA_WRITE", MYSQL_TABLES)
def system_data_write(case: Case) -> Iterable[Because]:
    """INSERT, UPDATE or DELETE on the grant tables of `mysql`."""
    yield from case.on_mysql(WRITES, GRANT_TABLES)


@capability("PARTIAL_REVOKE", GLOBAL)
def partial_revoke(case: Case) -> Iterable[Because]:
    """A privilege on *.* from which at least one database is taken out."""
    for held in case.glob.values():
        if any(trait.startswith(EXCEPT) for trait in held.grant.traits):
            yield because(held), held.path


# The account itself


@capability("LOCKED", ACCOUNT)
def locked(case: Case) -> Iterable[Because]:
    """ACCOUNT LOCK. Roles of MySQL 8 are locked by nature and do not count."""
    if case.is_user and case.account.is_locked:
        yield "ACCOUNT LOCK", ()


@capability("ANONYMOUS", ACCOUNT)
def anonymous(case: Case) -> Iterable[Because]:
    """No user name: whoever gives a name that no account has is let in as this one."""
    if case.is_user and not case.user:
        yield "the user name is empty", ()


@capability("NO_PASSWORD", ACCOUNT)
def no_password(case: Case) -> Iterable[Because]:
    """Logs in with an empty password: the verifier of a password plugin is empty, and the account
    is not locked.
    """
    if case.may_log_in and "empty" in case.password_kinds:
        yield "the password is empty", ()


@capability("PASSWORD_EXPIRED", ACCOUNT)
def password_expired(case: Case) -> Iterable[Because]:
    """PASSWORD EXPIRE was set. One that ran out with time shows in `valid_until`."""
    if case.is_user and case.attributes.get("password_expired"):
        yield "PASSWORD EXPIRE", ()


@capability("PASSWORD_NEVER_EXPIRES", ("accounts", "settings"))
def password_never_expires(case: Case) -> Iterable[Because]:
    """PASSWORD EXPIRE NEVER, or the default where default_password_lifetime is 0 or unknown."""
    if not case.has_password:
        return
    days = case.attributes.get("password_lifetime")
    if days == 0:
        yield "PASSWORD EXPIRE NEVER", ()
    elif days is None and case.settings.get("default_password_lifetime", "0") == "0":
        yield "default_password_lifetime is 0", ()


@capability("OLD_PASSWORD", ACCOUNT)
def old_password(case: Case) -> Iterable[Because]:
    """A verifier from before MySQL 4.1 (16 digits), broken in seconds."""
    if case.may_log_in and "old" in case.password_kinds:
        yield "a verifier of mysql_old_password", ()


@capability("WEAK_PLUGIN", ACCOUNT)
def weak_plugin(case: Case) -> Iterable[Because]:
    """mysql_native_password (unsalted SHA-1), sha256_password (deprecated), mysql_old_password."""
    for kind in sorted(case.password_kinds & {"native", "sha256", "old"}):
        if case.may_log_in:
            yield f"the plugin {case.attributes['plugin']} keeps a {kind} verifier", ()


@capability("DUPLICATE_PASSWORD", ACCOUNT)
def duplicate_password(case: Case) -> Iterable[Because]:
    """Another account has the same unsalted verifier, hence the same password."""
    if case.is_user and case.attributes.get("password_shared"):
        yield "another account has the same verifier", ()


@capability("SECOND_PASSWORD", ACCOUNT)
def second_password(case: Case) -> Iterable[Because]:
    """The former password was retained and still works (MySQL 8.0.14+)."""
    if case.is_user and case.attributes.get("second_password"):
        yield "RETAIN CURRENT PASSWORD", ()


@capability("NO_FAILED_LOGIN_LOCK", ("accounts", "settings"))
def no_failed_login_lock(case: Case) -> Iterable[Because]:
    """Nothing stops the guessing of its password: no FAILED_LOGIN_ATTEMPTS on the account (MySQL
    8.0.19+), max_password_errors never reached (MariaDB 10.5+), or a server that has neither.
    """
    if case.has_password and not case.attributes.get("failed_login_attempts"):
        errors = case.settings.get("max_password_errors", "4294967295")
        if int(errors or 0) >= 2**32 - 1:
            yield "no limit on failed logins", ()


@capability("ANY_HOST", ACCOUNT)
def any_host(case: Case) -> Iterable[Because]:
    """May come from every host: `%`, the empty host or a netmask of zeros."""
    if case.is_user and is_any(case.host):
        yield f"host {case.host_shown}", ()


@capability("WIDE_HOST", ACCOUNT)
def wide_host(case: Case) -> Iterable[Because]:
    """May come from every host or a very wide range: fewer than two fixed labels, or a network
    wider than /16 (IPv6: /48).
    """
    if case.is_user and is_wide(case.host):
        yield f"host {case.host_shown}", ()


@capability("REMOTE_LOGIN", ACCOUNT)
def remote_login(case: Case) -> Iterable[Because]:
    """May come from another machine than the server's own."""
    if case.is_user and not is_local(case.host):
        yield f"host {case.host_shown}", ()


@capability("REMOTE_ROOT", ACCOUNT)
def remote_root(case: Case) -> Iterable[Because]:
    """The account `root` may come from another machine."""
    if case.is_user and case.user == "root" and not is_local(case.host):
        yield f"root from host {case.host_shown}", ()


@capability("NO_TLS_REQUIRED", ("accounts", "settings"))
def no_tls_required(case: Case) -> Iterable[Because]:
    """Comes from another machine and may do so in plain text: no REQUIRE on the account and
    require_secure_transport is off.
    """
    server_asks = case.settings.get("require_secure_transport", "OFF") not in ("OFF", "0")
    account_asks = case.attributes.get("tls", "none") != "none"
    if case.may_log_in and not is_local(case.host) and not server_asks and not account_asks:
        yield "REQUIRE NONE", ()


@capability("COLLECTOR", ACCOUNT)
def collector(case: Case) -> Iterable[Because]:
    """The account that WhaleFall itself reads the server with."""
    if case.account.username == case.settings.get(COLLECTOR):
        yield "WhaleFall reads with it", ()


@capability("SEVERAL_HOSTS", ACCOUNT)
def several_hosts(case: Case) -> Iterable[Because]:
    """The same user name stands with other hosts too, perhaps with other rights and passwords."""
    counts = case.observation.derived.get("mysql.users")
    if counts is None:
        counts = Counter(
            split_account(name)[0]
            for name, account in case.observation.accounts.items()
            if account.kind is Kind.USER
        )
        case.observation.derived["mysql.users"] = counts
    if case.is_user and counts[case.user] > 1:
        yield f"{counts[case.user]} accounts are called {case.user or 'nothing'}", ()
