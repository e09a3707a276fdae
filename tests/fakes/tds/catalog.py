"""A SQL Server's catalog, built from statements of intent. Every row that the product would write
is derived here: principal ids, SIDs, type codes, classes, the grants that come with a login or a
user, fixed roles, what public has from the start.

    server = SqlServerCatalog()
    server.login("app", policy=False)
    sales = server.database("sales", owner="sa", trustworthy=True)
    sales.user("app", login="app")
    sales.table("hr.salaries", "id", "amount")
    sales.deny("SELECT", "hr.salaries", to="app")

Sources: the catalog views' pages in Microsoft's documentation. No real server was at hand.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

SA, PUBLIC = 1, 2
SERVER_ROLES = (
    "public", "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin",
    "diskadmin", "dbcreator", "bulkadmin",
)  # fmt: skip
ROLES_2022 = (
    "##MS_ServerStateReader##", "##MS_ServerStateManager##", "##MS_DefinitionReader##",
    "##MS_DatabaseConnector##", "##MS_DatabaseManager##", "##MS_LoginManager##",
    "##MS_SecurityDefinitionReader##", "##MS_PerformanceDefinitionReader##",
    "##MS_ServerSecurityStateReader##", "##MS_ServerPerformanceStateReader##",
)  # fmt: skip
DATABASE_ROLES = {
    "db_owner": 16384, "db_accessadmin": 16385, "db_securityadmin": 16386, "db_ddladmin": 16387,
    "db_backupoperator": 16389, "db_datareader": 16390, "db_datawriter": 16391,
    "db_denydatareader": 16392, "db_denydatawriter": 16393,
}  # fmt: skip
SYSTEM_SCHEMAS = {"dbo": 1, "guest": 2, "INFORMATION_SCHEMA": 3, "sys": 4}
CODES = {
    "CONNECT SQL": "COSQ", "VIEW ANY DATABASE": "VWDB", "CONNECT": "CO", "SELECT": "SL",
    "INSERT": "IN", "UPDATE": "UP", "DELETE": "DL", "EXECUTE": "EX", "CONTROL": "CL",
    "ALTER": "AL", "VIEW DEFINITION": "VW", "IMPERSONATE": "IM", "CONTROL SERVER": "CL",
}  # fmt: skip
SYSTEM_OBJECTS = (("sys", "xp_cmdshell", "X"), ("sys", "xp_regread", "X"), ("sys", "objects", "V"))
LOGIN_OF_TYPE = {"S": 16, "U": 28, "G": 28, "C": 20}


def sid_of(name: str, type_: str = "S") -> bytes:
    """A SID that stays the same for a name; Windows' begin with S-1-5."""
    digest = hashlib.sha256(f"{type_}:{name}".encode()).digest()
    if type_ in "UG":
        return bytes.fromhex("010500000000000515000000") + digest[:16]
    return digest[: LOGIN_OF_TYPE.get(type_, 16)]


@dataclass(slots=True)
class Login:
    """A row of sys.server_principals, with what sys.sql_logins and LOGINPROPERTY say."""

    id: int
    name: str
    type: str
    sid: bytes
    disabled: bool = False
    fixed: bool = False
    policy: bool = True
    expiration: bool = False
    locked_out: bool = False
    expired: bool = False
    must_change: bool = False
    password: str = "Str0ng!"
    password_set: str = "2024-03-01 10:00:00"


@dataclass(slots=True)
class User:
    """A row of sys.database_principals."""

    id: int
    name: str
    type: str
    sid: bytes | None
    authentication: int = 0
    fixed: bool = False
    owner: int | None = None


@dataclass(slots=True)
class Thing:
    """A row of sys.objects, with its columns and sizes."""

    id: int
    schema: int
    name: str
    type: str
    columns: tuple[str, ...] = ()
    owner: int | None = None
    execute_as: int | None = None
    data_pages: int = 0
    index_pages: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Permission:
    """A row of sys.server_permissions or sys.database_permissions."""

    class_: int
    major: int
    minor: int
    grantee: int
    grantor: int
    name: str
    state: str

    @property
    def code(self) -> str:
        return CODES.get(self.name) or "".join(word[0] for word in self.name.split())[:4]


@dataclass(slots=True)
class DatabaseCatalog:
    """One database. Principals by name: `dbo`, `guest`, `public`, the fixed roles are there."""

    server: SqlServerCatalog
    id: int
    name: str
    owner_sid: bytes
    state: str = "ONLINE"
    access: str = "MULTI_USER"
    trustworthy: bool = False
    chaining: bool = False
    containment: int = 0
    data_pages: int = 1024
    log_pages: int = 256
    max_pages: int = -1
    free_pages: int = 64
    users: dict[str, User] = field(default_factory=dict)
    members: list[tuple[int, int]] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    schemas: dict[str, tuple[int, int]] = field(default_factory=dict)
    things: dict[tuple[str, str], Thing] = field(default_factory=dict)
    assemblies: list[tuple[int, str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._add_user("public", "R", 0, None, fixed=False, owner=1)
        self._add_user("dbo", "S", 1, self.owner_sid, authentication=1)
        self._add_user("guest", "S", 2, b"\x00", authentication=0)
        self._add_user("INFORMATION_SCHEMA", "S", 3, None)
        self._add_user("sys", "S", 4, None)
        for role, number in DATABASE_ROLES.items():
            self._add_user(role, "R", number, None, fixed=True, owner=1)
        self.members.append((1, DATABASE_ROLES["db_owner"]))
        self.schemas = {name: (number, number) for name, number in SYSTEM_SCHEMAS.items()}
        self.schemas |= {role: (number, number) for role, number in DATABASE_ROLES.items()}
        self._permit(0, 0, 0, 1, "CONNECT", "G")
        for at, (schema, name, type_) in enumerate(SYSTEM_OBJECTS):
            thing = Thing(-(at + 100), SYSTEM_SCHEMAS[schema], name, type_)
            self.things[schema, name] = thing
            if name != "xp_cmdshell":
                self._permit(1, thing.id, 0, 0, "EXECUTE" if type_ == "X" else "SELECT", "G")

    # Principals

    def user(self, name: str, login: str = "", sid: bytes | None = None) -> User:
        """CREATE USER name FOR LOGIN login; a `sid` that no login has makes it orphaned."""
        of = self.server.logins[login] if login else None
        windows = of is not None and of.type in "UG"
        user = self._add_user(
            name, of.type if of else "S", self._next_user(), of.sid if of else sid or sid_of(name),
            authentication=3 if windows else 1,
        )  # fmt: skip
        self._permit(0, 0, 0, user.id, "CONNECT", "G")
        return user

    def orphan(self, name: str) -> User:
        """A user whose login was dropped, or that came with a restored backup."""
        return self.user(name, sid=sid_of(f"lost {name}"))

    def contained_user(self, name: str) -> User:
        """CREATE USER name WITH PASSWORD in a contained database."""
        self.containment = 1
        user = self._add_user(name, "S", self._next_user(), sid_of(f"own {name}"), authentication=2)
        self._permit(0, 0, 0, user.id, "CONNECT", "G")
        return user

    def user_without_login(self, name: str) -> User:
        user = self._add_user(name, "S", self._next_user(), sid_of(f"none {name}"))
        self._permit(0, 0, 0, user.id, "CONNECT", "G")
        return user

    def role(self, name: str, *members: str, owner: str = "dbo") -> User:
        owned_by = self.users[owner].id
        role = self._add_user(name, "R", self._next_user(), sid_of(name, "R"), owner=owned_by)
        self.add(name, *members)
        return role

    def application_role(self, name: str) -> User:
        return self._add_user(name, "A", self._next_user(), sid_of(name, "A"), owner=1)

    def add(self, role: str, *members: str) -> None:
        """ALTER ROLE role ADD MEMBER member"""
        for member in members:
            self.members.append((self.users[member].id, self.users[role].id))

    def _add_user(self, name: str, type_: str, number: int, sid: bytes | None, **more: Any) -> User:
        self.users[name] = User(number, name, type_, sid, **more)
        return self.users[name]

    def _next_user(self) -> int:
        return max(5, *(u.id + 1 for u in self.users.values() if u.id < 16384))

    # Things

    def schema(self, name: str, owner: str = "dbo") -> None:
        self.schemas[name] = (
            max(n for n, _ in self.schemas.values() if n < 16384) + 1,
            self.users[owner].id,
        )

    def table(self, name: str, *columns: str, type_: str = "U", **more: Any) -> Thing:
        """`hr.salaries`; the schema is made where it is missing. A name with dots: `("s", "n")`."""
        schema, _, bare = name.partition(".")
        return self.thing(schema, bare, *columns, type_=type_, **more)

    def thing(self, schema: str, name: str, *columns: str, type_: str = "U", **more: Any) -> Thing:
        if schema not in self.schemas:
            self.schema(schema)
        if owner := more.pop("owner", None):
            more["owner"] = self.users[owner].id
        number = 1000 + len(self.things)
        made = Thing(number, self.schemas[schema][0], name, type_, columns or ("id",), **more)
        self.things[schema, name] = made
        return made

    def procedure(self, name: str, **more: Any) -> Thing:
        return self.table(name, type_="P", **more)

    def assembly(self, name: str, owner: str = "dbo", level: str = "SAFE_ACCESS") -> None:
        number = 65536 + len(self.assemblies)
        self.assemblies.append((number, name, self.users[owner].id, level))

    # Permissions

    def grant(self, privilege: str, on: Any = "", to: str = "public", **more: Any) -> None:
        """GRANT privilege ON on TO to. `on`: "" the database, "schema:hr", "user:boss",
        "assembly:x", "hr.salaries", ("hr", "odd.name"). More: `column`, `option`, `state`."""
        class_, major = self._place(on)
        minor = 0
        if column := more.get("column"):
            thing = next(t for t in self.things.values() if t.id == major)
            minor = thing.columns.index(column) + 1
        state = more.get("state") or ("W" if more.get("option") else "G")
        self._permit(class_, major, minor, self.users[to].id, privilege, state)

    def deny(self, privilege: str, on: Any = "", to: str = "public", **more: Any) -> None:
        self.grant(privilege, on, to, state="D", **more)

    def revoke(self, privilege: str, on: Any = "", of: str = "public") -> None:
        """REVOKE, of a grant or a denial."""
        place, grantee = self._place(on), self.users[of].id
        self.permissions = [
            p for p in self.permissions
            if (p.class_, p.major, p.name, p.grantee) != (*place, privilege, grantee)
        ]  # fmt: skip

    def guest_connect(self) -> None:
        self.grant("CONNECT", to="guest")

    def _place(self, on: Any) -> tuple[int, int]:
        if on == "":
            return 0, 0
        if isinstance(on, tuple):
            return 1, self.things[on].id
        kind, colon, name = on.partition(":")
        if not colon:
            schema, _, bare = on.partition(".")
            return 1, self.things[schema, bare].id
        if kind == "schema":
            return 3, self.schemas[name][0]
        if kind == "user":
            return 4, self.users[name].id
        assert kind == "assembly", kind
        return 5, next(number for number, known, *_ in self.assemblies if known == name)

    def _permit(
        self, class_: int, major: int, minor: int, grantee: int, name: str, state: str
    ) -> None:
        _replace(self.permissions, Permission(class_, major, minor, grantee, 1, name, state))


class SqlServerCatalog:
    """An instance as it is after set-up: sa, fixed roles, the four system databases."""

    def __init__(self, major: int = 15, machine: str = "SQLBOX") -> None:
        self.major, self.machine = major, machine
        self.edition, self.engine_edition = "Standard Edition (64-bit)", 2
        self.windows_only = False
        self.minutes_east = 120
        self.logins: dict[str, Login] = {}
        self.members: list[tuple[int, int]] = []
        self.permissions: list[Permission] = []
        self.databases: dict[str, DatabaseCatalog] = {}
        self.linked: list[tuple[str, int, str]] = []
        self.volumes = [("C:\\", 100 * 2**30, 40 * 2**30), ("D:\\", 500 * 2**30, 60 * 2**30)]
        self.settings = dict.fromkeys(
            (
                "xp_cmdshell", "clr enabled", "Ole Automation Procedures",
                "cross db ownership chaining", "common criteria compliance enabled",
                "contained database authentication", "remote access", "scan for startup procs",
                "Ad Hoc Distributed Queries", "Database Mail XPs",
            ),
            0,
        )  # fmt: skip
        self._set_up()

    def _set_up(self) -> None:
        self.logins["sa"] = Login(SA, "sa", "S", b"\x01", password="Sa-Pass-1")
        roles = SERVER_ROLES + (ROLES_2022 if self.major >= 16 else ())
        for number, role in enumerate(roles, PUBLIC):
            fixed = role != "public"
            self.logins[role] = Login(number, role, "R", bytes([number]), fixed=fixed)
        self.add("sysadmin", "sa")
        self.permit(100, 0, "sa", "CONNECT SQL")
        self.permit(100, 0, "public", "VIEW ANY DATABASE")
        for endpoint in (2, 3, 4, 5):
            self.permit(105, endpoint, "public", "CONNECT")
        policy = self.login("##MS_PolicyEventProcessingLogin##")
        policy.disabled = True
        for name in ("master", "tempdb", "model", "msdb"):
            made = self.database(name)
            if name != "model":
                made.guest_connect()

    def login(
        self, name: str, type_: str = "S", *, roles: tuple[str, ...] = (), **more: Any
    ) -> Login:
        """CREATE LOGIN; `type_` U or G for Windows users and groups. More: `disabled`, `policy`,
        `expiration`, `locked_out`, `expired`, `must_change`, `password`."""
        number = max(256, *(each.id + 1 for each in self.logins.values()))
        self.logins[name] = made = Login(number, name, type_, sid_of(name, type_), **more)
        self.permit(100, 0, name, "CONNECT SQL")
        for role in roles:
            self.add(role, name)
        return made

    def drop_login(self, name: str) -> None:
        """DROP LOGIN: its users stay, orphaned."""
        gone = self.logins.pop(name)
        self.members = [edge for edge in self.members if gone.id not in edge]
        self.permissions = [each for each in self.permissions if each.grantee != gone.id]

    def role(self, name: str, *members: str) -> Login:
        """CREATE SERVER ROLE (2012+)"""
        number = max(256, *(each.id + 1 for each in self.logins.values()))
        self.logins[name] = Login(number, name, "R", sid_of(name, "R"))
        self.add(name, *members)
        return self.logins[name]

    def add(self, role: str, *members: str) -> None:
        for member in members:
            self.members.append((self.logins[member].id, self.logins[role].id))

    def grant(self, privilege: str, to: str, *, on: str = "", **more: Any) -> None:
        """GRANT privilege TO to, or ON LOGIN::on. More: `option`, `state`."""
        state = more.get("state") or ("W" if more.get("option") else "G")
        if on:
            self.permit(101, self.logins[on].id, to, privilege, state)
        else:
            self.permit(100, 0, to, privilege, state)

    def deny(self, privilege: str, to: str, *, on: str = "") -> None:
        self.grant(privilege, to, on=on, state="D")

    def permit(self, class_: int, major: int, to: str, name: str, state: str = "G") -> None:
        grantee = self.logins[to].id
        _replace(self.permissions, Permission(class_, major, 0, grantee, SA, name, state))

    def database(self, name: str, owner: str = "sa", **more: Any) -> DatabaseCatalog:
        number = len(self.databases) + 1
        made = DatabaseCatalog(self, number, name, self.logins[owner].sid, **more)
        self.databases[name] = made
        return made

    def linked_server(self, name: str, remote_login: str, local: str = "") -> None:
        """sp_addlinkedsrvlogin; without `local`, for everybody."""
        self.linked.append((name, self.logins[local].id if local else 0, remote_login))


def _replace(permissions: list[Permission], new: Permission) -> None:
    """GRANT after DENY, and DENY after GRANT, leave one row: the last."""
    key = (new.class_, new.major, new.minor, new.grantee, new.name)
    permissions[:] = [
        p for p in permissions if (p.class_, p.major, p.minor, p.grantee, p.name) != key
    ]
    permissions.append(new)
