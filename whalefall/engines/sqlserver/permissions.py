"""Which permission implies which, and what the fixed roles may do. Pure tables.

Sources: sys.fn_builtin_permissions, "Permissions (Database Engine)", "Server-level roles",
"Database-level roles" in Microsoft's documentation. What is not listed is implied by CONTROL of the
same thing only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from whalefall.engines.observed import Scope

Key = tuple[Scope, str, tuple[str, ...]]
"""A permission on something: scope, permission, the names of the thing."""

IN_SCHEMA = (Scope.TABLE, Scope.ROUTINE, Scope.SEQUENCE)

SERVER_IMPLIED_BY = {
    "VIEW ANY DATABASE": ("VIEW ANY DEFINITION",),
    "CREATE ANY DATABASE": ("ALTER ANY DATABASE",),
    "VIEW SERVER STATE": ("ALTER SERVER STATE",),
    "VIEW SERVER PERFORMANCE STATE": ("VIEW SERVER STATE",),
    "VIEW SERVER SECURITY STATE": ("VIEW SERVER STATE",),
    "VIEW ANY SECURITY DEFINITION": ("VIEW ANY DEFINITION",),
    "VIEW ANY PERFORMANCE DEFINITION": ("VIEW ANY DEFINITION",),
    "EXTERNAL ACCESS ASSEMBLY": ("UNSAFE ASSEMBLY",),
    "CREATE ENDPOINT": ("ALTER ANY ENDPOINT",),
    "CREATE SERVER ROLE": ("ALTER ANY SERVER ROLE",),
    "CREATE LOGIN": ("ALTER ANY LOGIN",),
    "CREATE AVAILABILITY GROUP": ("ALTER ANY AVAILABILITY GROUP",),
    "CREATE DDL EVENT NOTIFICATION": ("ALTER ANY EVENT NOTIFICATION",),
    "CREATE TRACE EVENT NOTIFICATION": ("ALTER ANY EVENT NOTIFICATION",),
}
DATABASE_IMPLIED_BY = {
    **dict.fromkeys(
        (
            "ALTER ANY APPLICATION ROLE", "ALTER ANY ASSEMBLY", "ALTER ANY ASYMMETRIC KEY",
            "ALTER ANY CERTIFICATE", "ALTER ANY CONTRACT", "ALTER ANY DATABASE AUDIT",
            "ALTER ANY DATABASE DDL TRIGGER", "ALTER ANY DATABASE EVENT NOTIFICATION",
            "ALTER ANY DATASPACE", "ALTER ANY FULLTEXT CATALOG", "ALTER ANY MESSAGE TYPE",
            "ALTER ANY ROLE", "ALTER ANY ROUTE", "ALTER ANY SCHEMA", "ALTER ANY SECURITY POLICY",
            "ALTER ANY SERVICE", "ALTER ANY SYMMETRIC KEY", "ALTER ANY USER", "CREATE AGGREGATE",
            "CREATE DEFAULT", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE QUEUE", "CREATE RULE",
            "CREATE SYNONYM", "CREATE TABLE", "CREATE TYPE", "CREATE VIEW",
            "CREATE XML SCHEMA COLLECTION", "CHECKPOINT",
        ),
        ("ALTER",),
    ),
    "CREATE ASSEMBLY": ("ALTER ANY ASSEMBLY",),
    "CREATE CERTIFICATE": ("ALTER ANY CERTIFICATE",),
    "CREATE ROLE": ("ALTER ANY ROLE",),
    "CREATE SCHEMA": ("ALTER ANY SCHEMA",),
    "CREATE SYMMETRIC KEY": ("ALTER ANY SYMMETRIC KEY",),
    "CREATE USER": ("ALTER ANY USER",),
    "BACKUP LOG": ("BACKUP DATABASE",),
    "VIEW DATABASE PERFORMANCE STATE": ("VIEW DATABASE STATE",),
    "VIEW DATABASE SECURITY STATE": ("VIEW DATABASE STATE",),
    "VIEW SECURITY DEFINITION": ("VIEW DEFINITION",),
}  # fmt: skip
DATABASE_IMPLIED_BY_SERVER = {
    "CONTROL": "CONTROL SERVER",
    "ALTER": "ALTER ANY DATABASE",
    "CONNECT": "CONNECT ANY DATABASE",
    "SELECT": "SELECT ALL USER SECURABLES",
    "VIEW DEFINITION": "VIEW ANY DEFINITION",
    "VIEW DATABASE STATE": "VIEW SERVER STATE",
    "VIEW SECURITY DEFINITION": "VIEW ANY SECURITY DEFINITION",
}
SCHEMA_IMPLIED_BY_DATABASE = {"ALTER": "ALTER ANY SCHEMA", "TAKE OWNERSHIP": "CONTROL"}
SAME_ABOVE = frozenset(
    (
        "CONTROL", "SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "REFERENCES",
        "VIEW DEFINITION", "ALTER", "TAKE OWNERSHIP", "VIEW CHANGE TRACKING",
    )
)  # fmt: skip
"""Permissions that, given on a schema, are given on everything in it."""
ON_DATABASE = SAME_ABOVE - {"ALTER", "TAKE OWNERSHIP", "VIEW CHANGE TRACKING"}
"""Those that, given on a database, are given on all its schemas."""


@lru_cache(maxsize=50_000)
def implied_by(scope: Scope, privilege: str, parts: tuple[str, ...]) -> tuple[Key, ...]:
    """Everything that gives (or, denied, takes) this permission: itself first, then wider ones."""
    found: dict[Key, None] = {(scope, privilege, parts): None}
    order = list(found)
    for key in order:  # grows while it is walked
        for wider in _wider(*key):
            if wider not in found:
                found[wider] = None
                order.append(wider)
    return tuple(found)


def _wider(scope: Scope, privilege: str, parts: tuple[str, ...]) -> Iterator[Key]:
    if scope is Scope.SERVER:
        if privilege != "CONTROL SERVER":
            for name in (*SERVER_IMPLIED_BY.get(privilege, ()), "CONTROL SERVER"):
                yield Scope.SERVER, name, ()
    elif scope is Scope.DATABASE:
        yield from _wider_than_on_database(privilege, parts)
    elif scope is Scope.COLUMN:
        yield Scope.TABLE, privilege, parts[:3]
    else:
        if privilege != "CONTROL":
            yield scope, "CONTROL", parts
        yield from _from_above(scope, privilege, parts)


def _wider_than_on_database(privilege: str, parts: tuple[str, ...]) -> Iterator[Key]:
    for name in DATABASE_IMPLIED_BY.get(privilege, ()):
        yield Scope.DATABASE, name, parts
    if privilege != "CONTROL":
        yield Scope.DATABASE, "CONTROL", parts
    if privilege in DATABASE_IMPLIED_BY_SERVER:
        yield Scope.SERVER, DATABASE_IMPLIED_BY_SERVER[privilege], ()


def _from_above(scope: Scope, privilege: str, parts: tuple[str, ...]) -> Iterator[Key]:
    if scope in IN_SCHEMA and len(parts) == 3:
        if privilege in SAME_ABOVE:
            yield Scope.SCHEMA, privilege, parts[:2]
    elif scope is Scope.SCHEMA:
        above = SCHEMA_IMPLIED_BY_DATABASE.get(privilege)
        if above or privilege in ON_DATABASE:
            yield Scope.DATABASE, above or privilege, parts[:1]
    elif scope is Scope.OTHER:
        yield from _over_others(privilege, parts)


def _over_others(privilege: str, parts: tuple[str, ...]) -> Iterator[Key]:
    """Types, users, keys ... of a database (two or three names); logins, endpoints (one)."""
    if len(parts) == 1:
        if privilege == "IMPERSONATE":
            yield Scope.SERVER, "IMPERSONATE ANY LOGIN", ()
        server = "VIEW ANY DEFINITION" if privilege == "VIEW DEFINITION" else "CONTROL SERVER"
        yield Scope.SERVER, server, ()
    elif privilege in ("CONTROL", "VIEW DEFINITION"):
        yield Scope.DATABASE, privilege, parts[:1]


SERVER_ROLES: dict[str, tuple[str, ...]] = {
    "sysadmin": ("CONTROL SERVER",),
    "serveradmin": (
        "ALTER ANY ENDPOINT", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS",
        "SHUTDOWN", "VIEW SERVER STATE",
    ),
    "setupadmin": ("ALTER ANY LINKED SERVER",),
    "securityadmin": ("ALTER ANY LOGIN",),
    "processadmin": ("ALTER ANY CONNECTION", "ALTER SERVER STATE"),
    "diskadmin": ("ALTER RESOURCES",),
    "dbcreator": ("CREATE ANY DATABASE",),
    "bulkadmin": ("ADMINISTER BULK OPERATIONS",),
    "##MS_LoginManager##": ("CREATE LOGIN", "ALTER ANY LOGIN"),
    "##MS_DatabaseManager##": ("CREATE ANY DATABASE", "ALTER ANY DATABASE"),
    "##MS_ServerStateManager##": ("ALTER SERVER STATE",),
    "##MS_ServerStateReader##": ("VIEW SERVER STATE",),
    "##MS_ServerPerformanceStateReader##": ("VIEW SERVER PERFORMANCE STATE",),
    "##MS_ServerSecurityStateReader##": ("VIEW SERVER SECURITY STATE",),
    "##MS_DefinitionReader##": ("VIEW ANY DATABASE", "VIEW ANY DEFINITION"),
    "##MS_PerformanceDefinitionReader##": ("VIEW ANY PERFORMANCE DEFINITION",),
    "##MS_SecurityDefinitionReader##": ("VIEW ANY SECURITY DEFINITION",),
    "##MS_DatabaseConnector##": ("CONNECT ANY DATABASE",),
}  # fmt: skip
"""Fixed server role -> what it may do on the server, without a row in sys.server_permissions."""

DATABASE_ROLES: dict[str, tuple[str, ...]] = {
    "db_owner": ("CONTROL",),
    "db_accessadmin": ("ALTER ANY USER", "CREATE SCHEMA", "CONNECT"),
    "db_securityadmin": (
        "ALTER ANY APPLICATION ROLE", "ALTER ANY ROLE", "CREATE SCHEMA", "VIEW DEFINITION",
    ),
    "db_ddladmin": (
        "ALTER ANY ASSEMBLY", "ALTER ANY ASYMMETRIC KEY", "ALTER ANY CERTIFICATE",
        "ALTER ANY CONTRACT", "ALTER ANY DATABASE DDL TRIGGER",
        "ALTER ANY DATABASE EVENT NOTIFICATION", "ALTER ANY DATASPACE",
        "ALTER ANY FULLTEXT CATALOG", "ALTER ANY MESSAGE TYPE", "ALTER ANY ROUTE",
        "ALTER ANY SCHEMA", "ALTER ANY SERVICE", "ALTER ANY SYMMETRIC KEY", "CHECKPOINT",
        "CREATE AGGREGATE", "CREATE DEFAULT", "CREATE FUNCTION", "CREATE PROCEDURE",
        "CREATE QUEUE", "CREATE RULE", "CREATE SYNONYM", "CREATE TABLE", "CREATE TYPE",
        "CREATE VIEW", "CREATE XML SCHEMA COLLECTION", "REFERENCES",
    ),
    "db_backupoperator": ("BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"),
    "db_datareader": ("SELECT",),
    "db_datawriter": ("INSERT", "UPDATE", "DELETE"),
}  # fmt: skip
DENYING_ROLES: dict[str, tuple[str, ...]] = {
    "db_denydatareader": ("SELECT",),
    "db_denydatawriter": ("INSERT", "UPDATE", "DELETE"),
}
"""Fixed database role -> what it may do (must not do) in its database."""
