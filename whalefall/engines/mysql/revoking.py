"""Statements that take rights away in MySQL and MariaDB: text for people, never run. Pure."""

from __future__ import annotations

import re

from whalefall.engines.mysql.names import GRANT_OPTION, quoted, split_account

A_PRIVILEGE = re.compile(r"[A-Z][A-Z_ ]*")
PLACES = {"database": 1, "database.pattern": 1, "table": 2, "column": 3}


def role(name: str, member: str, admin_only: bool = False) -> str:
    """MySQL, whose roles have a host, takes the ADMIN OPTION only with the role."""
    who, what = _account(member), _account(name)
    if admin_only and split_account(name)[1]:
        return f"REVOKE {what} FROM {who}; GRANT {what} TO {who};"
    return f"REVOKE {'ADMIN OPTION FOR ' if admin_only else ''}{what} FROM {who};"


def privilege(
    grantee: str, name: str, scope: str, parts: tuple[str, ...], option_only: bool = False
) -> str:
    """Empty for routines: a name does not say whether function or procedure.

    Either product takes the right to give on for a whole place, never for one privilege.
    """
    if not A_PRIVILEGE.fullmatch(name):
        return ""
    what = GRANT_OPTION if option_only else name
    if scope == "other" and name == "PROXY" and len(parts) == 1 and not option_only:
        return f"REVOKE PROXY ON {_account(parts[0])} FROM {_account(grantee)};"
    if scope == "global":
        return f"REVOKE {what} ON *.* FROM {_account(grantee)};"
    if PLACES.get(scope) != len(parts):
        return ""
    if scope == "column" and not option_only:
        what = f"{what} ({_quoted(parts[2])})"
    place = ".".join(_quoted(part) for part in parts[:2]) if len(parts) > 1 else _database(parts)
    return f"REVOKE {what} ON {place} FROM {_account(grantee)};"


def _database(parts: tuple[str, ...]) -> str:
    return f"{_quoted(parts[0])}.*"


def _account(username: str) -> str:
    user, host = split_account(username)
    return f"{quoted(user)}@{quoted(host)}" if host else quoted(user.strip("`"))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
