"""Statements that take rights away in Oracle: text for people, never run. Pure.

Oracle takes neither the ADMIN OPTION nor the GRANT OPTION alone: the right is revoked and granted
again without it. What was given through somebody's GRANT OPTION goes with a REVOKE of his.
"""

from __future__ import annotations

import re

from whalefall.engines.oracle.names import EVERYWHERE, quoted

A_PRIVILEGE = re.compile(r"[A-Z][A-Z ]*")
LINK = re.compile(r"[A-Z][A-Z0-9_$#.@]*")
OBJECTS = ("table", "routine", "sequence")
LENGTHS = {"system": 0, "server": 0, "schema": 1, "table": 2, "routine": 2, "sequence": 2,
           "column": 3, "tablespace": 1, "other": 1}  # fmt: skip
"""Parts of a name without the container that stands before it in a reading from the root."""


def role(name: str, member: str, admin_only: bool = False) -> str:
    """A local role and its member bear their container: `TEAM@SALESPDB`."""
    shared = _container_of(name) or _container_of(member)
    who, what = _bare(member, shared), _bare(name, shared)
    note = f" -- in container {shared}" if shared else ""
    return _taken(what, "", who, admin_only, note)


def privilege(
    grantee: str, name: str, scope: str, parts: tuple[str, ...], option_only: bool = False
) -> str:
    """Empty where the name does not say enough: Java permissions, private links, schema owners."""
    length = LENGTHS.get(scope, -1)
    if not A_PRIVILEGE.fullmatch(name) or not length <= len(parts) <= length + 1 or length < 0:
        return ""
    container = parts[0] if len(parts) > length else ""
    who = _bare(grantee, container)
    place = _target(scope, name, parts[-length:] if length else ())
    if name == "PROXY" and scope == "other":
        client = _bare(parts[-1], container)
        return f"ALTER USER {client} REVOKE CONNECT THROUGH {who};{_note(container)}"
    if name == "QUOTA":
        return f"ALTER USER {who} QUOTA 0 ON {quoted(parts[-1])};{_note(container)}"
    if name == "DATABASE LINK":
        is_public = grantee == "PUBLIC" and LINK.fullmatch(parts[-1])
        return f"DROP PUBLIC DATABASE LINK {parts[-1]};{_note(container)}" if is_public else ""
    if place is None:
        return ""
    note = _note(container)
    if scope == "column":
        note = note or " -- Oracle takes it from all columns; grant the others again"
    return _taken(name, place, who, option_only, note)


def _taken(what: str, place: str, who: str, option_only: bool, note: str) -> str:
    on = f" ON {place}" if place else ""
    text = f"REVOKE {what}{on} FROM {who};"
    return f"{text} GRANT {what}{on} TO {who};{note}" if option_only else f"{text}{note}"


def _target(scope: str, name: str, names: tuple[str, ...]) -> str | None:
    """What stands after ON; "" where there is nothing to name, None where it cannot be named."""
    if scope in ("system", "server"):
        return ""
    if scope in OBJECTS or scope == "column":
        return ".".join(map(quoted, names[:2]))
    if scope == "schema":
        return None if name == "OWNER" else f"SCHEMA {quoted(names[0])}"
    if name in ("READ", "WRITE", "EXECUTE"):
        return f"DIRECTORY {quoted(names[0])}"
    return f"USER {quoted(names[0])}" if name.startswith("INHERIT") else None


def _note(container: str) -> str:
    if container == EVERYWHERE:
        return " -- add CONTAINER = ALL, in the root"
    return f" -- in container {container}" if container else ""


def _container_of(name: str) -> str:
    return name.rpartition("@")[2] if "@" in name else ""


def _bare(name: str, container: str) -> str:
    return quoted(name.removesuffix(f"@{container}") if container else name)
