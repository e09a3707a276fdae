"""Rows of the catalog queries as observed values. Names that repeat are kept once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whalefall.engines.observed import (
    Kind,
    ObservedAccount,
    ObservedDatabase,
    ObservedGrant,
    ObservedMembership,
    Scope,
)

SERVER_WIDE = 9
"""How many columns a row of the server's own grants has; those of a database have two more."""


class Accounts:
    """Rows of `accounts.sql`. Roles with equal attributes share one mapping, for 100,000 roles."""

    def __init__(self) -> None:
        self.seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def __call__(self, row: tuple[Any, ...]) -> ObservedAccount:
        name, can_login, valid_until, *flags, settings, comment = row
        key = (*flags, *(settings or ()))
        if key not in self.seen:
            self.seen[key] = attributes(flags, settings)
        is_superuser, limit = flags[0], flags[6]
        return ObservedAccount(
            username=name,
            kind=Kind.USER if can_login else Kind.ROLE,
            can_login=can_login,
            # superusers are not held to their limit; a role that cannot log in is not locked
            is_locked=can_login and limit == 0 and not is_superuser,
            valid_until=valid_until,
            attributes=self.seen[key],
            details={"comment": comment} if comment else {},
        )


def attributes(flags: list[Any], settings: list[str] | None) -> dict[str, Any]:
    """The role attributes that decide what it may do. `password`: scram, md5, none, other; or None
    where pg_authid may not be read."""
    names = ("superuser", "inherit", "create_role", "create_db", "replication", "bypass_rls")
    found: dict[str, Any] = dict(zip(names, flags, strict=False))
    found["connection_limit"], found["password"] = flags[6], flags[7]
    if settings:
        found["settings"] = sorted(map(_without_secret, settings))
    return found


def _without_secret(setting: str) -> str:
    """`name=value`; the value of a parameter of somebody's own (it has a dot) may be a secret."""
    name, _, _ = setting.partition("=")
    return f"{name}=..." if "." in name.rpartition(": ")[2] else setting


def membership(row: tuple[Any, ...]) -> ObservedMembership:
    """A row of `memberships.sql`; several grantors are joined by commas."""
    member, role, admin, inherit, set_, grantors = row
    return ObservedMembership(
        member, role, admin=admin, inherit=inherit, set=set_, grantor=", ".join(grantors)
    )


class Grants:
    """Rows of `server_*.sql`, or of `objects_*.sql` in `database`."""

    def __init__(self, database: str | None = None) -> None:
        self.database = database
        self.names: dict[str | None, str | None] = {None: None}
        self.traits: dict[str | None, tuple[str, ...]] = {None: ()}

    def __call__(self, row: tuple[Any, ...]) -> ObservedGrant:
        if len(row) == SERVER_WIDE:
            who, what, scope, database, object_, grantable, grantor, object_type, source = row
            schema = column = traits = None
        else:
            database = self.database
            who, what, scope, schema, object_, column, grantable, *rest = row
            grantor, object_type, traits, source = rest
        once = self._once
        return ObservedGrant(
            once(who) or "", once(what) or "", Scope(scope), database, once(schema), once(object_),
            once(column), grantable=grantable, grantor=once(grantor), section=Scope(scope).value,
            source=once(source) or "", object_type=once(object_type), traits=self._traits(traits),
        )  # fmt: skip

    def _once(self, name: str | None) -> str | None:
        return self.names.setdefault(name, name)

    def _traits(self, traits: str | None) -> tuple[str, ...]:
        if traits not in self.traits:
            self.traits[traits] = tuple(sorted(traits.split())) if traits else ()
        return self.traits[traits]


def database(row: tuple[Any, ...]) -> ObservedDatabase:
    """A row of `database_sizes.sql`. The log is the cluster's, not a database's: never measured."""
    name, owner, size, allows, template, encoding, collation, tablespace = row
    reason = "" if size is not None else "needs CONNECT on the database, or pg_read_all_stats"
    details = {
        "accepts_connections": allows,
        "is_template": template,
        "encoding": encoding,
        "collation": collation,
        "tablespace": tablespace,
    }
    return ObservedDatabase(name, owner, data_bytes=size, reason=reason, details=details)
