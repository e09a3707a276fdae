"""The views of the dictionary: their columns by version, and the rows of one container."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.oracle.dictionary import ADMINISTRATIVE, CHANGED, CREATED, Dictionary

Row = tuple[Any, ...]
Columns = dict[str, str | tuple[str, int]]
TEXT, NUMBER, DATE, TIMESTAMP = "varchar2", "number", "date", "timestamp"
SINCE_12, SINCE_122, SINCE_18, SINCE_23 = 120100, 120200, 180000, 230000


def yes(flag: bool) -> str:
    return "YES" if flag else "NO"


def users(d: Dictionary) -> Iterator[Row]:
    for number, user in enumerate(d.users.values(), 100):
        changed = CHANGED if user.versions else None
        yield (
            user.name, number, user.status, user.locked_at, user.expires, CREATED, user.profile,
            user.authentication, user.tablespace, user.versions, yes(user.common),
            "Y" if user.maintained else "N", user.last_login, changed,
        )  # fmt: skip


def roles(d: Dictionary) -> Iterator[Row]:
    for role in d.roles.values():
        required = {"NONE": "NO", "PASSWORD": "YES"}.get(role.authentication, role.authentication)
        yield (role.name, required, role.authentication, yes(role.common),
               "Y" if role.maintained else "N")  # fmt: skip


def role_privs(d: Dictionary) -> Iterator[Row]:
    for (grantee, role, common), options in d.role_grants.items():
        yield (grantee, role, yes(options.admin), yes(options.delegate),
               yes(d.is_default(grantee, role)), yes(common),
               yes(common and d.con_id > 1))  # fmt: skip


def sys_privs(d: Dictionary) -> Iterator[Row]:
    for (grantee, privilege, common), options in d.system_grants.items():
        yield grantee, privilege, yes(options.admin), yes(common), yes(common and d.con_id > 1)


def schema_privs(d: Dictionary) -> Iterator[Row]:
    for (grantee, privilege, schema, common), options in d.schema_grants.items():
        yield grantee, privilege, schema, yes(options.admin), yes(common), "NO"


def tab_privs(d: Dictionary) -> Iterator[Row]:
    for (grantee, right, owner, name, grantor, common), options in d.object_grants.items():
        yield (grantee, owner, name, grantor, right, yes(options.admin), yes(options.hierarchy),
               yes(common), d.objects[owner, name], yes(common and d.con_id > 1))  # fmt: skip


def col_privs(d: Dictionary) -> Iterator[Row]:
    for (grantee, right, owner, name, column, grantor, common), options in d.column_grants.items():
        yield (grantee, owner, name, column, grantor, right, yes(options.admin), yes(common),
               yes(common and d.con_id > 1))  # fmt: skip


def profiles(d: Dictionary) -> Iterator[Row]:
    for name, limits in d.profiles.items():
        for resource, limit in limits.items():
            kind = "PASSWORD" if resource not in ("SESSIONS_PER_USER", "IDLE_TIME") else "KERNEL"
            yield name, resource, kind, limit


def proxies(d: Dictionary) -> Iterator[Row]:
    for (proxy, client), constraint in d.proxies.items():
        yield proxy, client, "NO", constraint, None, "DATABASE"


def password_file(d: Dictionary) -> Iterator[Row]:
    for user, held in d.password_file.items():
        yield (user, *("TRUE" if name in held else "FALSE" for name in ADMINISTRATIVE), d.con_id)


def data_files(d: Dictionary) -> Iterator[Row]:
    yield from _files(d, temporary=False)


def temp_files(d: Dictionary) -> Iterator[Row]:
    yield from _files(d, temporary=True)


def _files(d: Dictionary, temporary: bool) -> Iterator[Row]:
    for name, space in d.tablespaces.items():
        if (space["contents"] == "TEMPORARY") is temporary and space["bytes"] is not None:
            yield name, space["bytes"] // 2, "YES", space["max"] // 2
            yield name, space["bytes"] - space["bytes"] // 2, "NO", 0


def tables(d: Dictionary) -> Iterator[Row]:
    for (owner, name), kind in d.objects.items():
        if kind == "TABLE":
            yield owner, name, d.row_counts.get((owner, name))


def registry(d: Dictionary) -> Iterator[Row]:
    yield ("CATALOG",)
    if d.has_java:
        yield ("JAVAVM",)


VIEWS: dict[str, tuple[Columns, Callable[[Dictionary], Iterator[Row]]]] = {
    "DBA_USERS": (
        {"USERNAME": TEXT, "USER_ID": NUMBER, "ACCOUNT_STATUS": TEXT, "LOCK_DATE": DATE,
         "EXPIRY_DATE": DATE, "CREATED": DATE, "PROFILE": TEXT, "AUTHENTICATION_TYPE": TEXT,
         "DEFAULT_TABLESPACE": TEXT, "PASSWORD_VERSIONS": TEXT, "COMMON": (TEXT, SINCE_12),
         "ORACLE_MAINTAINED": (TEXT, SINCE_12), "LAST_LOGIN": (TIMESTAMP, SINCE_12),
         "PASSWORD_CHANGE_DATE": (DATE, SINCE_122)},
        users,
    ),
    "DBA_ROLES": (
        {"ROLE": TEXT, "PASSWORD_REQUIRED": TEXT, "AUTHENTICATION_TYPE": TEXT,
         "COMMON": (TEXT, SINCE_12), "ORACLE_MAINTAINED": (TEXT, SINCE_12)},
        roles,
    ),
    "DBA_ROLE_PRIVS": (
        {"GRANTEE": TEXT, "GRANTED_ROLE": TEXT, "ADMIN_OPTION": TEXT,
         "DELEGATE_OPTION": (TEXT, SINCE_12), "DEFAULT_ROLE": TEXT, "COMMON": (TEXT, SINCE_12),
         "INHERITED": (TEXT, SINCE_122)},
        role_privs,
    ),
    "DBA_SYS_PRIVS": (
        {"GRANTEE": TEXT, "PRIVILEGE": TEXT, "ADMIN_OPTION": TEXT, "COMMON": (TEXT, SINCE_12),
         "INHERITED": (TEXT, SINCE_122)},
        sys_privs,
    ),
    "DBA_SCHEMA_PRIVS": (
        {"GRANTEE": (TEXT, SINCE_23), "PRIVILEGE": (TEXT, SINCE_23), "SCHEMA": (TEXT, SINCE_23),
         "ADMIN_OPTION": (TEXT, SINCE_23), "COMMON": (TEXT, SINCE_23),
         "INHERITED": (TEXT, SINCE_23)},
        schema_privs,
    ),
    "DBA_TAB_PRIVS": (
        {"GRANTEE": TEXT, "OWNER": TEXT, "TABLE_NAME": TEXT, "GRANTOR": TEXT, "PRIVILEGE": TEXT,
         "GRANTABLE": TEXT, "HIERARCHY": TEXT, "COMMON": (TEXT, SINCE_12),
         "TYPE": (TEXT, SINCE_12), "INHERITED": (TEXT, SINCE_122)},
        tab_privs,
    ),
    "DBA_COL_PRIVS": (
        {"GRANTEE": TEXT, "OWNER": TEXT, "TABLE_NAME": TEXT, "COLUMN_NAME": TEXT, "GRANTOR": TEXT,
         "PRIVILEGE": TEXT, "GRANTABLE": TEXT, "COMMON": (TEXT, SINCE_12),
         "INHERITED": (TEXT, SINCE_122)},
        col_privs,
    ),
    "DBA_TS_QUOTAS": (
        {"TABLESPACE_NAME": TEXT, "USERNAME": TEXT, "MAX_BYTES": NUMBER},
        lambda d: ((space, user, size) for (user, space), size in d.quotas.items()),
    ),
    "DBA_PROFILES": (
        {"PROFILE": TEXT, "RESOURCE_NAME": TEXT, "RESOURCE_TYPE": TEXT, "LIMIT": TEXT}, profiles,
    ),
    "DBA_PROXIES": (
        {"PROXY": TEXT, "CLIENT": TEXT, "AUTHENTICATION": TEXT, "AUTHORIZATION_CONSTRAINT": TEXT,
         "ROLE": TEXT, "PROXY_AUTHORITY": TEXT},
        proxies,
    ),
    "DBA_USERS_WITH_DEFPWD": (
        {"USERNAME": TEXT},
        lambda d: ((user.name,) for user in d.users.values() if user.default_password),
    ),
    "DBA_DB_LINKS": (
        {"OWNER": TEXT, "DB_LINK": TEXT, "USERNAME": TEXT}, lambda d: iter(d.links),
    ),
    "DBA_TABLES": ({"OWNER": TEXT, "TABLE_NAME": TEXT, "NUM_ROWS": NUMBER}, tables),
    "DBA_REGISTRY": ({"COMP_ID": TEXT}, registry),
    "DBA_JAVA_POLICY": (
        {"GRANTEE": TEXT, "TYPE_NAME": TEXT, "NAME": TEXT, "ACTION": TEXT, "KIND": TEXT,
         "ENABLED": TEXT},
        lambda d: ((*row, "GRANT", "ENABLED") for row in d.java),
    ),
    "DBA_TABLESPACES": (
        {"TABLESPACE_NAME": TEXT, "CONTENTS": TEXT, "STATUS": TEXT},
        lambda d: ((n, s["contents"], s["status"]) for n, s in d.tablespaces.items()),
    ),
    "DBA_DATA_FILES": (
        {"TABLESPACE_NAME": TEXT, "BYTES": NUMBER, "AUTOEXTENSIBLE": TEXT, "MAXBYTES": NUMBER},
        data_files,
    ),
    "DBA_TEMP_FILES": (
        {"TABLESPACE_NAME": TEXT, "BYTES": NUMBER, "AUTOEXTENSIBLE": TEXT, "MAXBYTES": NUMBER},
        temp_files,
    ),
    "DBA_FREE_SPACE": (
        {"TABLESPACE_NAME": TEXT, "BYTES": NUMBER},
        lambda d: ((n, s["free"]) for n, s in d.tablespaces.items() if s["free"] is not None),
    ),
    "DBA_SEGMENTS": (
        {"OWNER": TEXT, "SEGMENT_NAME": TEXT, "SEGMENT_TYPE": TEXT, "TABLESPACE_NAME": TEXT,
         "BYTES": NUMBER},
        lambda d: iter(d.segments),
    ),
    "DBA_INDEXES": (
        {"OWNER": TEXT, "INDEX_NAME": TEXT, "TABLE_OWNER": TEXT, "TABLE_NAME": TEXT},
        lambda d: iter(d.indexes),
    ),
    "DBA_LOBS": (
        {"OWNER": TEXT, "TABLE_NAME": TEXT, "SEGMENT_NAME": TEXT}, lambda d: iter(d.lobs),
    ),
    "V_$PWFILE_USERS": (
        {"USERNAME": TEXT, "SYSDBA": TEXT, "SYSOPER": TEXT, "SYSASM": TEXT,
         "SYSBACKUP": (TEXT, SINCE_12), "SYSDG": (TEXT, SINCE_12), "SYSKM": (TEXT, SINCE_12),
         "CON_ID": (NUMBER, SINCE_12)},
        password_file,
    ),
    "V_$SYSTEM_PARAMETER": ({"NAME": TEXT, "VALUE": TEXT}, lambda d: iter(d.parameters.items())),
}  # fmt: skip
"""Name -> columns with their types (and since which version), and the rows of a container."""


def columns_at(columns: Columns, version: int) -> dict[str, tuple[int, str]]:
    """The columns that a version has: name -> place in the row, type."""
    found = {}
    for at, (name, kind) in enumerate(columns.items()):
        type_, since = kind if isinstance(kind, tuple) else (kind, 0)
        if version >= since:
            found[name] = (at, type_)
    return found
