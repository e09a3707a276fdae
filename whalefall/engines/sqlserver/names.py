"""Names in SQL Server: quoting, and how principals of a database are called on the instance."""

from __future__ import annotations

from collections.abc import Collection

SPECIAL = frozenset("@[]")


def quoted(name: str) -> str:
    """`[name]`, with `]` doubled: safe whatever the name holds."""
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    """`N'text'`, with `'` doubled."""
    return "N'" + text.replace("'", "''") + "'"


def in_database(name: str, database: str) -> str:
    """A database's own principal on the instance: `app@sales`. A part that holds `@`, `[` or `]`
    is bracketed, so that no two principals share a name: `[a@b]@sales`.
    """
    return f"{_part(name)}@{_part(database)}"


def of_server(name: str, databases: Collection[str]) -> str:
    """A login or server role. One that reads like a principal of an existing database is bracketed
    whole: the login `app@sales` is `[app@sales]` where there is a database `sales`.
    """
    bare = name.rpartition("@")[2]
    looks_bracketed = name.startswith("[") and name.endswith("]")
    if looks_bracketed or ("@" in name and (bare in databases or bare.endswith("]"))):
        return quoted(name)
    return name


def bare(login: str) -> str:
    """The login's name on the server, from what `of_server` made of it."""
    is_bracketed = login.startswith("[") and login.endswith("]")
    return login[1:-1].replace("]]", "]") if is_bracketed else login


def _part(name: str) -> str:
    return quoted(name) if SPECIAL.intersection(name) else name
