"""Statements that take rights away in MySQL and MariaDB: text for people, never run. Pure."""

from __future__ import annotations

import re

from whalefall.engines.mysql.names import GRANT_OPTION, quoted, split_account

A_PRIVILEGE = re.compile(r"[A-Z][A-Z_ ]*")
PLACES = {"database": 1, "database.pattern": 1, "table": 2, "column": 3}


def role(name: str, member: str) -> str:
    return f"REVOKE {_account(name)} FROM {_account(member)};"


def privilege(
    grantee: str, name: str, scope: str, parts: tuple[str, ...], option_only: bool = False
) -> str:
    """Empty for routines (a name does not say whether function or procedure) and for PROXY.

    Either product takes the right to give on for a whole place, never for one privilege.
    """
    if not A_PRIVILEGE.fullmatch(name):
        return ""
    what = GRANT_OPTION if option_only else name
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
