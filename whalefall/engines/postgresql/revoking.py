"""Statements that take rights away in PostgreSQL: text for people, never run. Pure."""

from __future__ import annotations

from whalefall.engines.postgresql.names import quoted

ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
OF_SCHEMAS = {"table": "TABLE", "sequence": "SEQUENCE"}


def role(name: str, member: str, admin_only: bool = False) -> str:
    option = "ADMIN OPTION FOR " if admin_only else ""
    return f"REVOKE {option}{quoted(name)} FROM {quoted(member)};"


def privilege(
    grantee: str, name: str, scope: str, parts: tuple[str, ...], option_only: bool = False
) -> str:
    """Empty for routines (their names lack the argument types) and for other objects.

    What lies inside a database says in a comment in which one.
    """
    if scope == "global":
        known = name in ATTRIBUTES and not option_only
        return f"ALTER ROLE {quoted(grantee)} NO{name};" if known else ""
    target = _target(scope, parts)
    if not target:
        return ""
    note = f" -- in database {quoted(parts[0])}" if scope not in ("database", "tablespace") else ""
    if name == "OWNER":
        return f"ALTER {target} OWNER TO ...;{note}"
    what = f"{name} ({quoted(parts[3])})" if scope == "column" else name
    option = "GRANT OPTION FOR " if option_only else ""
    who = "PUBLIC" if grantee == "public" else quoted(grantee)
    return f"REVOKE {option}{what} ON {target} FROM {who};{note}"


def _target(scope: str, parts: tuple[str, ...]) -> str:
    names = [quoted(part) for part in parts]
    if scope in ("database", "tablespace") and len(names) == 1:
        return f"{scope.upper()} {names[0]}"
    if scope == "schema" and len(names) == 2:
        return f"SCHEMA {names[1]}"
    if scope in OF_SCHEMAS and len(names) == 3:
        return f"{OF_SCHEMAS[scope]} {names[1]}.{names[2]}"
    if scope == "column" and len(names) == 4:
        return f"TABLE {names[1]}.{names[2]}"
    return ""
