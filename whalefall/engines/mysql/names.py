"""How MySQL and MariaDB spell privileges and accounts: pure look-ups, no server needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

GRANT_OPTION = "GRANT OPTION"

PRIVILEGE_COLUMNS = {
    "Select_priv": "SELECT",
    "Insert_priv": "INSERT",
    "Update_priv": "UPDATE",
    "Delete_priv": "DELETE",
    "Create_priv": "CREATE",
    "Drop_priv": "DROP",
    "Reload_priv": "RELOAD",
    "Shutdown_priv": "SHUTDOWN",
    "Process_priv": "PROCESS",
    "File_priv": "FILE",
    "Grant_priv": GRANT_OPTION,
    "References_priv": "REFERENCES",
    "Index_priv": "INDEX",
    "Alter_priv": "ALTER",
    "Show_db_priv": "SHOW DATABASES",
    "Super_priv": "SUPER",
    "Create_tmp_table_priv": "CREATE TEMPORARY TABLES",
    "Lock_tables_priv": "LOCK TABLES",
    "Execute_priv": "EXECUTE",
    "Repl_slave_priv": "REPLICATION SLAVE",
    "Repl_client_priv": "REPLICATION CLIENT",
    "Create_view_priv": "CREATE VIEW",
    "Show_view_priv": "SHOW VIEW",
    "Create_routine_priv": "CREATE ROUTINE",
    "Alter_routine_priv": "ALTER ROUTINE",
    "Create_user_priv": "CREATE USER",
    "Event_priv": "EVENT",
    "Trigger_priv": "TRIGGER",
    "Create_tablespace_priv": "CREATE TABLESPACE",
    "Create_role_priv": "CREATE ROLE",
    "Drop_role_priv": "DROP ROLE",
    "Delete_history_priv": "DELETE HISTORY",
    "Show_create_routine_priv": "SHOW CREATE ROUTINE",
}
"""The columns of mysql.user and mysql.db; a column that a server adds later reads as its name."""

SET_VALUES = {"GRANT": GRANT_OPTION, "DELETE VERSIONING ROWS": "DELETE HISTORY"}
"""Members of the SET columns that do not read like the privilege; the rest only need capitals."""

MARIADB_BITS = (
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    GRANT_OPTION,
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "SUPER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "BINLOG MONITOR",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
    "DELETE HISTORY",
    "SET USER",
    "FEDERATED ADMIN",
    "CONNECTION ADMIN",
    "READ_ONLY ADMIN",
    "REPLICATION SLAVE ADMIN",
    "REPLICATION MASTER ADMIN",
    "BINLOG ADMIN",
    "BINLOG REPLAY",
    "SLAVE MONITOR",
    "SHOW CREATE ROUTINE",
)
"""Bits of `access` in mysql.global_priv, lowest first (MariaDB's privilege.h)."""

EVERYTHING = 2**64 - 1
"""What mariadb-install-db writes for root: ALL PRIVILEGES, whatever the server's version."""

ALL_OF_10_3, ALL_OF_10_5_2, ALL_OF_10_5_8 = 30, 38, 39
"""How many bits ALL PRIVILEGES had when these versions came out."""

MYSQL_STATIC = tuple(
    name
    for name in PRIVILEGE_COLUMNS.values()
    if name not in ("DELETE HISTORY", "SHOW CREATE ROUTINE")
)
MYSQL_STATIC_BEFORE_8 = tuple(
    name for name in MYSQL_STATIC if name not in ("CREATE ROLE", "DROP ROLE")
)

MYSQL_DYNAMIC = (
    "ALLOW_NONEXISTENT_DEFINER",
    "APPLICATION_PASSWORD_ADMIN",
    "AUDIT_ABORT_EXEMPT",
    "AUDIT_ADMIN",
    "AUTHENTICATION_POLICY_ADMIN",
    "BACKUP_ADMIN",
    "BINLOG_ADMIN",
    "BINLOG_ENCRYPTION_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "CREATE_SPATIAL_REFERENCE_SYSTEM",
    "ENCRYPTION_KEY_ADMIN",
    "FIREWALL_ADMIN",
    "FIREWALL_EXEMPT",
    "FIREWALL_USER",
    "FLUSH_OPTIMIZER_COSTS",
    "FLUSH_PRIVILEGES",
    "FLUSH_STATUS",
    "FLUSH_TABLES",
    "FLUSH_USER_RESOURCES",
    "GROUP_REPLICATION_ADMIN",
    "GROUP_REPLICATION_STREAM",
    "INNODB_REDO_LOG_ARCHIVE",
    "INNODB_REDO_LOG_ENABLE",
    "MANAGE_DATA_MASKING_POLICY",
    "MASKING_DICTIONARIES_ADMIN",
    "NDB_STORED_USER",
    "OPTIMIZE_LOCAL_TABLE",
    "PASSWORDLESS_USER_ADMIN",
    "PERSIST_RO_VARIABLES_ADMIN",
    "REPLICATION_APPLIER",
    "REPLICATION_SLAVE_ADMIN",
    "RESOURCE_GROUP_ADMIN",
    "RESOURCE_GROUP_USER",
    "ROLE_ADMIN",
    "SENSITIVE_VARIABLES_OBSERVER",
    "SERVICE_CONNECTION_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SET_ANY_DEFINER",
    "SET_USER_ID",
    "SHOW_ROUTINE",
    "SKIP_QUERY_REWRITE",
    "SYSTEM_USER",
    "SYSTEM_VARIABLES_ADMIN",
    "TABLE_ENCRYPTION_ADMIN",
    "TELEMETRY_LOG_ADMIN",
    "TP_CONNECTION_ADMIN",
    "TRANSACTION_GTID_TAG",
    "VERSION_TOKEN_ADMIN",
    "XA_RECOVER_ADMIN",
)
"""Dynamic privileges of MySQL 8.0 to 9.7; components may register others, read just the same."""

TABLE_PRIVILEGES = (
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    GRANT_OPTION,
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE VIEW",
    "SHOW VIEW",
    "TRIGGER",
    "DELETE HISTORY",
)
DATABASE_PRIVILEGES = (
    *TABLE_PRIVILEGES,
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EXECUTE",
    "EVENT",
    "SHOW CREATE ROUTINE",
)
COLUMN_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
ROUTINE_PRIVILEGES = ("EXECUTE", "ALTER ROUTINE", GRANT_OPTION, "SHOW CREATE ROUTINE")


def account_name(user: str, host: str) -> str:
    """`user@host`, the name of an account everywhere. A host holding an @ (the server takes it) is
    quoted, so that two accounts never share a name.
    """
    return f"{user}@`{host}`" if "@" in host else f"{user}@{host}"


def role_name(name: str) -> str:
    """A role of MariaDB, which has no host; quoted where it would read like an account."""
    return f"`{name}`" if "@" in name else name


def quoted(name: str) -> str:
    """A user or host name in SQL."""
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def split_account(username: str) -> tuple[str, str]:
    """User and host of a name made by `account_name`; ("name", "") for a role of MariaDB."""
    if username.endswith("`"):
        user, _, host = username[:-1].rpartition("@`")
        return user, host
    user, at, host = username.rpartition("@")
    return (user, host) if at else (username, "")


def from_columns(row: Mapping[str, Any], version: int, mariadb: bool) -> tuple[str, ...]:
    """The privileges whose `*_priv` column is Y, in the server's own words."""
    held = tuple(
        PRIVILEGE_COLUMNS.get(column, column[: -len("_priv")].replace("_", " ").upper())
        for column, value in row.items()
        if column.endswith("_priv") and value == "Y"
    )
    return tuple(_renamed(held, version, mariadb))


def from_set(value: str) -> tuple[str, ...]:
    """The privileges in a SET column such as `Select,Create View,Grant`."""
    names = (member.strip().upper() for member in value.split(",") if member.strip())
    return tuple(SET_VALUES.get(name, name) for name in names)


@lru_cache(maxsize=4096)
def from_bits(access: int, granted_by_version: int, version: int) -> tuple[str, ...]:
    """The privileges in `access` of mysql.global_priv.

    An entry keeps the version that wrote it, and the server reads older ones with what their
    privileges meant then (MariaDB 10.5.2 split SUPER; sql_acl.cc, `adjust_access`).
    """
    known = _bits_of(version)
    if access & EVERYTHING == EVERYTHING:
        return MARIADB_BITS[:known]
    if version >= 100502:
        access = _adjusted(access, granted_by_version)
    if version >= 101100 > granted_by_version and access >> _bit("SUPER") & 1:
        access |= 1 << _bit("READ_ONLY ADMIN")  # 10.11 took it out of SUPER
    held = tuple(name for bit, name in enumerate(MARIADB_BITS[:known]) if access >> bit & 1)
    return tuple(_renamed(held, version, mariadb=True))


def _adjusted(access: int, granted_by: int) -> int:
    if access >> _bits_of(max(granted_by, 100300)):
        return 0  # bits that this version did not have: the server ignores the entry
    if granted_by >= 100509:
        return access
    more: set[str] = set()
    held = {name for bit, name in enumerate(MARIADB_BITS) if access >> bit & 1}
    if granted_by >= 100502:
        if "REPLICATION SLAVE ADMIN" in held:
            more.add("SLAVE MONITOR")
    else:
        if "SUPER" in held:
            more.update(SPLIT_FROM_SUPER)
        if {"SUPER", "REPLICATION SLAVE"} <= held:
            more.add("REPLICATION MASTER ADMIN")
        if held & {"BINLOG MONITOR", "REPLICATION SLAVE"}:
            more.add("SLAVE MONITOR")
    return access | sum(1 << _bit(name) for name in more - held)


def _bit(name: str) -> int:
    return MARIADB_BITS.index(name)


SPLIT_FROM_SUPER = (
    "SET USER",
    "FEDERATED ADMIN",
    "CONNECTION ADMIN",
    "READ_ONLY ADMIN",
    "REPLICATION SLAVE ADMIN",
    "BINLOG ADMIN",
    "BINLOG REPLAY",
)
"""What SUPER covered before MariaDB 10.5.2."""


def _bits_of(version: int) -> int:
    if version >= 110301:
        return len(MARIADB_BITS)
    if version >= 100508:
        return ALL_OF_10_5_8
    return ALL_OF_10_5_2 if version >= 100502 else ALL_OF_10_3


def _renamed(held: Iterable[str], version: int, mariadb: bool) -> Iterable[str]:
    """MariaDB calls REPLICATION CLIENT by its new name from 10.5.2 on."""
    if not mariadb:
        return held
    old, new = "REPLICATION CLIENT", "BINLOG MONITOR"
    if version < 100502:
        old, new = new, old
    return (new if name == old else name for name in held)


def mended(name: str) -> str:
    """A name of mysql.procs_priv as it was meant: every version of both products stores its UTF-8
    bytes there as if they were Latin 1 (and no longer knows the grant after a restart).
    """
    try:
        return name.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return name
