"""Statements that take rights away in SQL Server: text for people, never run. Pure.

REVOKE takes one grant (or one denial) away and leaves what comes by other ways; DENY stops all of
them, though not for sysadmin and owners. What a fixed role gives goes with the membership only.
"""

from __future__ import annotations

import re

from whalefall.engines.sqlserver.names import bare, in_database, quoted
from whalefall.engines.sqlserver.permissions import DATABASE_ROLES, SERVER_ROLES

A_PERMISSION = re.compile(r"[A-Z][A-Z ]*")
ON_OBJECTS = ("table", "routine", "sequence")
INSIDE = re.compile(
    r"(?P<name>\[(?:[^\]]|\]\])*\]|[^@\[\]]*)@(?P<database>\[(?:[^\]]|\]\])*\]|[^@\[\]]*)"
)
WITH_OPTION = " -- add CASCADE where it was given WITH GRANT OPTION"
UNBOUND = ("sysadmin", "db_owner")


def role(name: str, member: str) -> str:
    """Empty between a login and its own user in a database: that is no membership to take away."""
    inner, database = _split(name)
    user, home = _split(member)
    note = "" if inner in UNBOUND else " -- or leave it in, and DENY the one permission"
    if database and database == home:
        return (
            f"USE {quoted(database)}; ALTER ROLE {quoted(inner)} DROP MEMBER {quoted(user)};{note}"
        )
    if database and not home:
        return ""
    return f"ALTER SERVER ROLE {quoted(bare(name))} DROP MEMBER {quoted(bare(member))};{note}"


def privilege(
    grantee: str, name: str, scope: str, parts: tuple[str, ...], option_only: bool = False
) -> str:
    """Empty for what a fixed role may do by itself, and where the name does not tell the kind."""
    on_server = scope == "server" or (scope == "other" and len(parts) == 1)
    if not A_PERMISSION.fullmatch(name) or not (on_server or parts):
        return ""
    database = "" if on_server else parts[0]
    who = _principal(grantee, database)
    if who in (DATABASE_ROLES if database else SERVER_ROLES):
        return ""
    use = f"USE {quoted(database)}; " if database else ""
    if name == "LINKED LOGIN":
        return _linked(parts[-1], who)
    place = _target(scope, name, parts)
    if place is None:
        return ""
    if name == "OWNER":
        return f"{use if scope != 'database' else ''}ALTER AUTHORIZATION{place} TO ...;"
    if option_only:
        return f"{use}REVOKE GRANT OPTION FOR {name}{place} FROM {quoted(who)} CASCADE;"
    return f"{use}REVOKE {name}{place} FROM {quoted(who)};{WITH_OPTION}"


def _target(scope: str, name: str, parts: tuple[str, ...]) -> str | None:
    """What stands after the permission; None where it cannot be named."""
    names = [quoted(part) for part in parts]
    if scope == "server":
        return ""
    if scope == "database":
        return f" ON DATABASE::{names[0]}" if name == "OWNER" else ""
    if scope == "schema" and len(names) == 2:
        return f" ON SCHEMA::{names[1]}"
    if scope in ON_OBJECTS and len(names) == 3:
        return f" ON OBJECT::{names[1]}.{names[2]}"
    if scope == "column" and len(names) == 4:
        return f" ON OBJECT::{names[1]}.{names[2]} ({names[3]})"
    if scope == "other" and name == "IMPERSONATE" and len(names) <= 2:
        return f" ON {'LOGIN' if len(names) == 1 else 'USER'}::{names[-1]}"
    return None


def _linked(server: str, who: str) -> str:
    local = "NULL" if who == "public" else _text(who)
    return f"EXEC sp_droplinkedsrvlogin {_text(server)}, {local};"


def _text(name: str) -> str:
    return "N'" + name.replace("'", "''") + "'"


def _principal(grantee: str, database: str) -> str:
    """The grantee's own name: of a user of this database, or of a login."""
    name, home = _split(grantee)
    is_inside = bool(database) and in_database(name, home or "") == grantee and home == database
    return name if is_inside else bare(grantee)


def _split(name: str) -> tuple[str, str]:
    """(user, database) of a name made by `in_database`; (name, "") of one that is none."""
    found = INSIDE.fullmatch(name)
    if found is None:
        return name, ""
    return _unbracketed(found["name"]), _unbracketed(found["database"])


def _unbracketed(part: str) -> str:
    return part[1:-1].replace("]]", "]") if part.startswith("[") else part
