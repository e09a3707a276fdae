"""What an engine saw on a server: plain frozen values, no ORM, the same for every product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Scope(StrEnum):
    """Where a privilege applies. `other` covers types, languages, parameters, large objects ..."""

    GLOBAL = "global"
    SERVER = "server"
    SYSTEM = "system"
    DATABASE = "database"
    TABLESPACE = "tablespace"
    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"
    ROUTINE = "routine"
    SEQUENCE = "sequence"
    OTHER = "other"


class Kind(StrEnum):
    """What sort of principal an account is."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"
    PUBLIC = "public"
    DATABASE_USER = "database_user"


class GrantState(StrEnum):
    GRANT = "grant"
    DENY = "deny"
    REVOKE = "revoke"


class SectionStatus(StrEnum):
    COMPLETE = "complete"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Section:
    """How the reading of one part ended. Only `complete` may be the ground for a revoke or a
    delete.

    `remedy` is the statement that mends it (a GRANT), or empty. `databases` names those that could
    not be read, with the server's message, where a section is read database by database: the
    section is then not complete, but what was read in the other databases still counts. Not
    complete and no `databases` means that nothing of the section is certain.
    """

    name: str
    status: SectionStatus = SectionStatus.COMPLETE
    message: str = ""
    remedy: str = ""
    databases: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return self.status is SectionStatus.COMPLETE


@dataclass(frozen=True, slots=True)
class ObservedAccount:
    """One principal. `username` is unique on the instance (`user@host` on MySQL).

    `attributes` are those that decide what it may do (they make the fingerprint: superuser, limits,
    plugin, TLS requirement); `details` are shown, never compared (comments, ids, counters).
    None means that the server did not tell. Passwords and their hashes never stand in either.
    """

    username: str
    kind: Kind = Kind.USER
    can_login: bool | None = True
    is_locked: bool | None = False
    valid_until: datetime | None = None
    password_changed_at: datetime | None = None
    last_login_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedGrant:
    """One privilege of one grantee on one object, as it stands in the catalog.

    `section` is the section it was read in; `source` the catalog. `object_type` refines the scope
    (`view`, `language`, `parameter`, `function` ...). `is_pattern`: `database` is a LIKE pattern
    (MySQL). Ownership is the privilege `OWNER`. `traits` are properties of the object that decide
    what the grant means (`security_definer`, `row_security`), sorted.
    """

    grantee: str
    privilege: str
    scope: Scope
    database: str | None = None
    schema: str | None = None
    object: str | None = None
    column: str | None = None
    state: GrantState = GrantState.GRANT
    grantable: bool = False
    grantor: str | None = None
    section: str = ""
    source: str = ""
    object_type: str | None = None
    is_pattern: bool = False
    traits: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The names that say on what, outermost first; empty for the whole server."""
        names = (self.database, self.schema, self.object, self.column)
        return tuple(name for name in names if name is not None)


@dataclass(frozen=True, slots=True)
class ObservedMembership:
    """`member` is in `role`. `inherit`: its rights apply at once; `set`: reachable by SET ROLE;
    `default`: active at login (MySQL, Oracle); `admin`: may give it on. `database` where roles
    live in one."""

    member: str
    role: str
    admin: bool = False
    inherit: bool = True
    set: bool = True
    default: bool = True
    database: str | None = None
    grantor: str | None = None
    section: str = "memberships"


@dataclass(frozen=True, slots=True)
class ObservedDatabase:
    """One database and its size in bytes; None with a reason where it was not measured.

    `details` may hold `index_bytes` and `free_bytes`, which are parts of `data_bytes`, and
    `limit_bytes`, which is how far its files may grow; None where the engine does not know.
    """

    name: str
    owner: str | None = None
    data_bytes: int | None = None
    log_bytes: int | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedTable:
    """One table and its sizes in bytes; `rows` is the server's estimate."""

    database: str
    schema: str | None
    name: str
    data_bytes: int | None = None
    index_bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedVolume:
    """A volume of the server that holds databases: its size and what is free, in bytes."""

    name: str
    total_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class MissingPrivilege:
    """Something the collector's login may not read: which sections suffer, and the GRANT that
    mends it.
    """

    privilege: str
    sections: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Answer of a connection test."""

    version: str
    main_version: str
    vendor: str
    login: str
    tls: bool
    missing: tuple[MissingPrivilege, ...] = ()


@dataclass(slots=True)
class Observation:
    """Everything read from one instance in one go: the input of the facts. Not tied to a
    connection.

    `derived` is where an engine's rules keep what they work out once for the whole instance.
    """

    db_type: str
    version: str = ""
    main_version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    accounts: dict[str, ObservedAccount] = field(default_factory=dict)
    memberships: list[ObservedMembership] = field(default_factory=list)
    grants: dict[str, list[ObservedGrant]] = field(default_factory=lambda: defaultdict(list))
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def add_grants(self, grants: Iterable[ObservedGrant]) -> None:
        for grant in grants:
            self.grants[grant.grantee].append(grant)

    def grants_of(self, username: str) -> Sequence[ObservedGrant]:
        return self.grants.get(username, ())
