"""Rows of the catalog queries as observed values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from whalefall.engines.observed import (
    GrantState,
    Kind,
    ObservedAccount,
    ObservedGrant,
    Scope,
)
from whalefall.engines.sqlserver.permissions import DATABASE_ROLES, DENYING_ROLES, SERVER_ROLES

PAGE = 8192
KINDS = {"R": Kind.ROLE, "A": Kind.ROLE, "G": Kind.GROUP, "X": Kind.GROUP}
LOGIN_TYPES = {
    "S": "sql", "U": "windows", "G": "windows group", "R": "role", "C": "certificate",
    "K": "asymmetric key", "E": "entra", "X": "entra group", "A": "application role",
}  # fmt: skip
LOGS_IN = frozenset("SUGEX")
AUTHENTICATIONS = {0: "none", 1: "login", 2: "password", 3: "windows", 4: "entra"}
OBJECTS = {
    "U": (Scope.TABLE, "table"), "V": (Scope.TABLE, "view"), "S": (Scope.TABLE, "system table"),
    "IT": (Scope.TABLE, "internal table"), "ET": (Scope.TABLE, "external table"),
    "SN": (Scope.TABLE, "synonym"), "IF": (Scope.TABLE, "inline table function"),
    "TF": (Scope.TABLE, "table function"), "FT": (Scope.TABLE, "CLR table function"),
    "P": (Scope.ROUTINE, "procedure"), "PC": (Scope.ROUTINE, "CLR procedure"),
    "X": (Scope.ROUTINE, "extended procedure"), "FN": (Scope.ROUTINE, "function"),
    "FS": (Scope.ROUTINE, "CLR function"), "AF": (Scope.ROUTINE, "aggregate"),
    "RF": (Scope.ROUTINE, "replication procedure"), "SO": (Scope.SEQUENCE, "sequence"),
    "SQ": (Scope.OTHER, "queue"),
}  # fmt: skip
CLASSES = {
    4: "user", 5: "assembly", 6: "type", 10: "xml schema collection", 15: "message type",
    16: "contract", 17: "service", 18: "remote binding", 19: "route", 23: "fulltext catalog",
    24: "symmetric key", 25: "certificate", 26: "asymmetric key", 29: "fulltext stoplist",
    31: "search property list", 101: "login", 105: "endpoint", 108: "availability group",
}  # fmt: skip
STATES = {"D": GrantState.DENY, "R": GrantState.REVOKE}


@dataclass(slots=True)
class Principals:
    """The names of the server's or a database's principals on the instance, by principal_id."""

    names: dict[int, str] = field(default_factory=dict)

    def name(self, number: int | None) -> str:
        if number is None:
            return ""
        return self.names.get(number) or f"principal {number}"


def login(row: Mapping[str, Any], name: str, minutes_east: int, machine: str) -> ObservedAccount:
    """A login or server role. Times come in the server's local time."""
    type_ = row["type"].strip()
    kind = Kind.PUBLIC if row["principal_id"] == 2 else KINDS.get(type_, Kind.USER)
    can_login = type_ in LOGS_IN
    connect_denied = row["connect_state"] == "D"
    locked_out = bool(row["locked_out"])
    disabled = bool(row["is_disabled"]) and can_login
    attributes: dict[str, Any] = {"type": LOGIN_TYPES.get(type_, type_)}
    if can_login:
        attributes |= {"disabled": disabled, "connect_denied": connect_denied}
    if type_ == "S":
        attributes |= {
            "locked_out": locked_out,
            "check_policy": _flag(row["is_policy_checked"]),
            "check_expiration": _flag(row["is_expiration_checked"]),
            "expired": _flag(row["expired"]),
            "must_change": _flag(row["must_change"]),
            "blank_password": _flag(row["blank_password"]),
            "name_password": _flag(row["name_password"]),
        }
    if bytes(row["sid"] or b"") == b"\x01":
        attributes["is_sa"] = True
    if type_ == "R":
        shipped = row["name"] == "public" or row["name"].startswith("##MS_")
        attributes["fixed"] = bool(row["is_fixed_role"]) or shipped
    if type_ == "G" and machine and row["name"].upper().startswith(f"{machine.upper()}\\"):
        attributes["local_group"] = True
    return ObservedAccount(
        name,
        kind,
        can_login=can_login,
        is_locked=can_login and (disabled or connect_denied or locked_out),
        password_changed_at=_utc(row["password_set"], minutes_east),
        attributes=attributes,
        details=_details(row),
    )


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {"principal_id": row["principal_id"], "sid": _hex(row["sid"])}
    if row["default_database_name"]:
        found["default_database"] = row["default_database_name"]
    return found


def database_principal(
    row: Mapping[str, Any], name: str, database: str, logins: Mapping[bytes, str],
    owner_sid: bytes | None,
) -> ObservedAccount:  # fmt: skip
    """A user or role of a database. `logins`: SID -> the login it belongs to."""
    type_, number = row["type"].strip(), row["principal_id"]
    sid = bytes(row["sid"] or b"")
    attributes: dict[str, Any] = {"type": LOGIN_TYPES.get(type_, type_), "database": database}
    if type_ in "RA":
        is_public = number == 0
        if type_ == "R":
            attributes["fixed"] = bool(row["is_fixed_role"]) or is_public
        kind = Kind.PUBLIC if is_public else Kind.ROLE
        return ObservedAccount(name, kind, can_login=False, attributes=attributes)
    authentication = row["authentication_type"]
    attributes["authentication"] = AUTHENTICATIONS.get(authentication, str(authentication))
    attributes["login"] = logins.get(sid) if number != 2 else None
    if number == 1 and owner_sid is not None and sid != bytes(owner_sid):
        attributes["owner_differs"] = True
    is_builtin = number in (2, 3, 4)
    attributes["orphaned"] = (
        authentication == 1 and not is_builtin and bool(sid) and sid not in logins
    )
    own_login = authentication == 2 or (authentication == 4 and sid not in logins)
    return ObservedAccount(
        name,
        Kind.PUBLIC if number == 2 else Kind.DATABASE_USER,
        can_login=own_login,
        attributes=attributes,
        details={"principal_id": number, "sid": _hex(row["sid"])},
    )


def implied_on_server(roles: Mapping[str, str]) -> Iterator[ObservedGrant]:
    """What the fixed server roles that are there (catalog name -> name) may do by themselves."""
    for role, name in roles.items():
        for privilege in SERVER_ROLES.get(role, ()):
            yield ObservedGrant(
                name, privilege, Scope.SERVER, section="server", source="fixed server role",
                grantable=role == "sysadmin",
            )  # fmt: skip


def implied_in_database(database: str, roles: Mapping[str, str]) -> Iterator[ObservedGrant]:
    for tables, state in ((DATABASE_ROLES, GrantState.GRANT), (DENYING_ROLES, GrantState.DENY)):
        for role, name in roles.items():
            for privilege in tables.get(role, ()):
                yield ObservedGrant(
                    name, privilege, Scope.DATABASE, database, state=state,
                    section="database", source="fixed database role",
                    grantable=role == "db_owner",
                )  # fmt: skip


def server_permission(row: Mapping[str, Any], server: Principals) -> ObservedGrant:
    on_server = row["class"] == 100
    kind = None if on_server else CLASSES.get(row["class"], f"class {row['class']}")
    if row["class"] == 101 and (row["target_type"] or "").strip() == "R":
        kind = "server role"
    scope = Scope.SERVER if on_server else Scope.OTHER
    return ObservedGrant(
        server.name(row["grantee_principal_id"]),
        row["permission_name"],
        scope,
        object=None if on_server else row["target_name"] or "?",
        state=STATES.get(row["state"], GrantState.GRANT),
        grantable=row["state"] == "W",
        grantor=server.name(row["grantor_principal_id"]),
        section="server",
        source="sys.server_permissions",
        object_type=kind,
    )


def database_permission(
    row: Mapping[str, Any], database: str, principals: Principals, traits: tuple[str, ...]
) -> ObservedGrant:
    """One row of `database_permissions.sql`. `traits` are the database's own."""
    scope, kind = _place(row)
    own = [*traits] if scope is Scope.DATABASE else []
    if row["executes_as"]:
        own.append("execute_as")
    if row["permission_set_desc"] not in (None, "SAFE_ACCESS"):
        own.append("unsafe_assembly")
    has_target = scope not in (Scope.DATABASE, Scope.SCHEMA)
    return ObservedGrant(
        principals.name(row["grantee_principal_id"]),
        row["permission_name"],
        scope,
        database,
        None if scope is Scope.DATABASE else row["schema_name"],
        (row["target_name"] or "?") if has_target else None,
        row["column_name"] if scope is Scope.COLUMN else None,
        state=STATES.get(row["state"], GrantState.GRANT),
        grantable=row["state"] == "W",
        grantor=principals.name(row["grantor_principal_id"]),
        section=scope.value,
        source="sys.database_permissions",
        object_type=kind,
        traits=tuple(sorted(own)),
    )


def _place(row: Mapping[str, Any]) -> tuple[Scope, str | None]:
    number, type_ = row["class"], (row["target_type"] or "").strip()
    if number == 0:
        return Scope.DATABASE, None
    if number == 3:
        return Scope.SCHEMA, None
    if number == 1:
        scope, kind = OBJECTS.get(type_, (Scope.OTHER, "object"))
        return (Scope.COLUMN if row["column_name"] is not None else scope), kind
    if number == 4 and type_ in ("R", "A"):
        return Scope.OTHER, "role"
    return Scope.OTHER, CLASSES.get(number, f"class {number}")


def owner(row: Mapping[str, Any], database: str, principals: Principals) -> ObservedGrant:
    """One row of `database_owners.sql`."""
    scope, kind = Scope.SCHEMA, None
    if row["kind"] == "object":
        scope, kind = OBJECTS.get((row["target_type"] or "").strip(), (Scope.OTHER, "object"))
    elif row["kind"] == "assembly":
        scope, kind = Scope.OTHER, "assembly"
    unsafe = row["permission_set"] not in (None, "SAFE_ACCESS")
    return ObservedGrant(
        principals.name(row["principal_id"]),
        "OWNER",
        scope,
        database,
        row["schema_name"],
        row["target_name"],
        grantable=True,
        section=scope.value,
        source={"schema": "sys.schemas", "object": "sys.all_objects"}.get(
            row["kind"], "sys.assemblies"
        ),
        object_type=kind,
        traits=("unsafe_assembly",) if unsafe else (),
    )


def linked_login(row: Mapping[str, Any], server: Principals) -> ObservedGrant:
    """Who may use a linked server as somebody fixed; `remote_name` is whom."""
    number = row["local_principal_id"]
    return ObservedGrant(
        "public" if number == 0 else server.name(number),
        "LINKED LOGIN",
        Scope.OTHER,
        object=row["name"],
        section="server",
        source="sys.linked_logins",
        object_type="linked server",
        traits=(f"as {row['remote_name']}",),
    )


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _hex(sid: Any) -> str:
    return f"0x{bytes(sid).hex()}" if sid else ""


def _utc(value: Any, minutes_east: int) -> datetime | None:
    """None for 1900-01-01, which stands for no password of its own."""
    if value is None or value.year < 1901:
        return None
    naive: datetime = value.replace(tzinfo=UTC)
    return naive - timedelta(minutes=minutes_east)
