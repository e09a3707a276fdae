"""What a login may do, worked out from the rows of the catalog by the documented rules: what
HAS_PERMS_BY_NAME answers here, and what the engine's facts are compared with. It shares nothing
with the engine: it asks for one permission at a time, walking up from it.

Source: "Summary of the Permission Check Algorithm", sys.fn_builtin_permissions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.fakes.tds.catalog import DatabaseCatalog, Login, Permission, SqlServerCatalog, Thing

# class, permission, what implies it in the class, what implies it in the class above
BUILTIN = {
    line.split(":")[0].strip(): [part.strip() for part in line.split(":")[1:]]
    for line in """
    SERVER VIEW ANY DATABASE : VIEW ANY DEFINITION :
    SERVER VIEW SERVER STATE : ALTER SERVER STATE :
    SERVER CREATE ANY DATABASE : ALTER ANY DATABASE :
    SERVER EXTERNAL ACCESS ASSEMBLY : UNSAFE ASSEMBLY :
    SERVER CREATE LOGIN : ALTER ANY LOGIN :
    DATABASE CONTROL : : CONTROL SERVER
    DATABASE ALTER : CONTROL : ALTER ANY DATABASE
    DATABASE CONNECT : CONTROL : CONNECT ANY DATABASE
    DATABASE SELECT : CONTROL : SELECT ALL USER SECURABLES
    DATABASE VIEW DEFINITION : CONTROL : VIEW ANY DEFINITION
    DATABASE VIEW DATABASE STATE : CONTROL : VIEW SERVER STATE
    DATABASE ALTER ANY USER : ALTER :
    DATABASE ALTER ANY ROLE : ALTER :
    DATABASE ALTER ANY SCHEMA : ALTER :
    DATABASE CREATE TABLE : ALTER :
    SCHEMA CONTROL : : CONTROL
    SCHEMA ALTER : CONTROL : ALTER ANY SCHEMA
    SCHEMA SELECT : CONTROL : SELECT
    SCHEMA INSERT : CONTROL : INSERT
    SCHEMA UPDATE : CONTROL : UPDATE
    SCHEMA DELETE : CONTROL : DELETE
    SCHEMA EXECUTE : CONTROL : EXECUTE
    SCHEMA REFERENCES : CONTROL : REFERENCES
    SCHEMA VIEW DEFINITION : CONTROL : VIEW DEFINITION
    OBJECT CONTROL : : CONTROL
    OBJECT ALTER : CONTROL : ALTER
    OBJECT SELECT : CONTROL : SELECT
    OBJECT INSERT : CONTROL : INSERT
    OBJECT UPDATE : CONTROL : UPDATE
    OBJECT DELETE : CONTROL : DELETE
    OBJECT EXECUTE : CONTROL : EXECUTE
    OBJECT REFERENCES : CONTROL : REFERENCES
    OBJECT VIEW DEFINITION : CONTROL : VIEW DEFINITION
    """.strip().splitlines()
}
FIXED_SERVER = {
    "securityadmin": "ALTER ANY LOGIN", "setupadmin": "ALTER ANY LINKED SERVER",
    "serveradmin": "ALTER ANY ENDPOINT,ALTER RESOURCES,ALTER SERVER STATE,ALTER SETTINGS,SHUTDOWN",
    "processadmin": "ALTER ANY CONNECTION,ALTER SERVER STATE", "diskadmin": "ALTER RESOURCES",
    "dbcreator": "CREATE ANY DATABASE", "bulkadmin": "ADMINISTER BULK OPERATIONS",
    "##MS_DatabaseConnector##": "CONNECT ANY DATABASE",
    "##MS_DefinitionReader##": "VIEW ANY DEFINITION",
    "##MS_ServerStateManager##": "ALTER SERVER STATE",
    "##MS_LoginManager##": "ALTER ANY LOGIN", "##MS_DatabaseManager##": "ALTER ANY DATABASE",
}  # fmt: skip
FIXED_DATABASE = {
    "db_owner": "CONTROL", "db_datareader": "SELECT", "db_datawriter": "INSERT,UPDATE,DELETE",
    "db_denydatareader": "-SELECT", "db_denydatawriter": "-INSERT,-UPDATE,-DELETE",
    "db_accessadmin": "ALTER ANY USER,CREATE SCHEMA,CONNECT",
    "db_securityadmin": "ALTER ANY ROLE,CREATE SCHEMA,VIEW DEFINITION",
    "db_backupoperator": "BACKUP DATABASE,BACKUP LOG",
    "db_ddladmin": "ALTER ANY SCHEMA,CREATE TABLE,CREATE PROCEDURE,REFERENCES",
}  # fmt: skip
SERVER_PERMISSIONS = (
    "ADMINISTER BULK OPERATIONS", "ALTER ANY CONNECTION", "ALTER ANY CREDENTIAL",
    "ALTER ANY DATABASE", "ALTER ANY ENDPOINT", "ALTER ANY EVENT NOTIFICATION",
    "ALTER ANY LINKED SERVER", "ALTER ANY LOGIN", "ALTER ANY SERVER AUDIT",
    "ALTER ANY SERVER ROLE", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS",
    "ALTER TRACE", "AUTHENTICATE SERVER", "CONNECT ANY DATABASE", "CONNECT SQL",
    "CONTROL SERVER", "CREATE ANY DATABASE", "CREATE ENDPOINT", "CREATE SERVER ROLE",
    "EXTERNAL ACCESS ASSEMBLY", "IMPERSONATE ANY LOGIN", "SELECT ALL USER SECURABLES",
    "SHUTDOWN", "UNSAFE ASSEMBLY", "VIEW ANY DATABASE", "VIEW ANY DEFINITION",
    "VIEW SERVER STATE",
)  # fmt: skip
"""sys.fn_builtin_permissions(N'SERVER') of 2014 to 2019."""
ABOVE = {"OBJECT": "SCHEMA", "SCHEMA": "DATABASE", "DATABASE": "SERVER"}
NUMBERS = {"OBJECT": 1, "SCHEMA": 3, "DATABASE": 0, "SERVER": 100}


@dataclass(frozen=True, slots=True)
class Place:
    """What a permission is asked on. `column`: 0 for the whole thing."""

    database: DatabaseCatalog | None = None
    schema: int = 0
    thing: Thing | None = None
    column: int = 0

    def at(self, class_: str) -> int:
        if class_ == "OBJECT":
            assert self.thing is not None
            return self.thing.id
        return self.schema if class_ == "SCHEMA" else 0


def closure(start: set[int], edges: list[tuple[int, int]]) -> set[int]:
    found = set(start)
    while more := {role for member, role in edges if member in found} - found:
        found |= more
    return found


class Checker:
    """The permissions of one login; with `public` off, those that it has not like everybody: what
    is denied to public still counts.
    """

    def __init__(self, server: SqlServerCatalog, login: str, public: bool = True) -> None:
        self.public = public
        self.server = server
        self.login: Login = server.logins[login]
        self.ids = closure({self.login.id}, server.members) | {2}
        names = {each.id: each.name for each in server.logins.values()}
        self.roles = {names[number] for number in self.ids}
        self.is_sysadmin = "sysadmin" in self.roles

    # Entering a database

    def user_in(self, database: DatabaseCatalog) -> int | None:
        """The principal_id that the login has inside: dbo, its user by SID, guest, or none of its
        own (0); None where it may not enter.
        """
        if self.is_sysadmin or database.owner_sid == self.login.sid:
            return 1
        for user in database.users.values():
            if user.sid == self.login.sid and user.type in "SUG":
                return user.id if self._may(database, user.id, "CONNECT") else None
        if self._may(database, 0, "CONNECT"):  # by a right on the server
            return 0
        guest = database.users["guest"].id
        return guest if self._may(database, guest, "CONNECT") else None

    def can_enter(self, database: DatabaseCatalog) -> bool:
        return database.state == "ONLINE" and self.user_in(database) is not None

    # Permissions

    def on_server(self, permission: str) -> bool:
        return self.is_sysadmin or self._decide("SERVER", permission, Place(), set())

    def may_impersonate(self, name: str) -> bool:
        """EXECUTE AS LOGIN: IMPERSONATE on that login, or on any."""
        if self.is_sysadmin or self.on_server("IMPERSONATE ANY LOGIN"):
            return True
        other = self.server.logins[name].id
        said = {
            row.state for row in self.server.permissions
            if row.class_ == 101 and row.major == other and row.name in ("IMPERSONATE", "CONTROL")
            and row.grantee in self.ids
        }  # fmt: skip
        return bool(said & {"G", "W"}) and "D" not in said

    def on_database(self, database: DatabaseCatalog, permission: str) -> bool:
        return self._inside("DATABASE", permission, Place(database))

    def on_schema(self, database: DatabaseCatalog, schema: str, permission: str) -> bool:
        return self._inside("SCHEMA", permission, Place(database, database.schemas[schema][0]))

    def on_object(
        self, database: DatabaseCatalog, thing: Thing, permission: str, column: str = ""
    ) -> bool:
        number = thing.columns.index(column) + 1 if column else 0
        return self._inside("OBJECT", permission, Place(database, thing.schema, thing, number))

    def _inside(self, class_: str, permission: str, place: Place) -> bool:
        assert place.database is not None
        if self.is_sysadmin:
            return True
        user = self.user_in(place.database)
        if user is None:
            return False
        if user == 1:
            return True
        ids = closure({user}, place.database.members) | {0}
        if self._owns(place, ids):
            return True
        return self._decide(class_, permission, place, ids)

    def _may(self, database: DatabaseCatalog, user: int, permission: str) -> bool:
        ids = closure({user}, database.members) | {0}
        return self._decide("DATABASE", permission, Place(database), ids)

    def _owns(self, place: Place, ids: set[int]) -> bool:
        assert place.database is not None
        if place.thing is not None and place.thing.owner is not None:
            return place.thing.owner in ids
        owners = dict(place.database.schemas.values())
        return place.schema in owners and owners[place.schema] in ids

    def _decide(self, class_: str, permission: str, place: Place, ids: set[int]) -> bool:
        granted = denied = False
        column_granted = table_denied = False
        for at, name in self._covering(class_, permission):
            for said, column in self._said(at, name, place, ids):
                if said == "D":
                    if at == "OBJECT" and name == permission and place.column and not column:
                        table_denied = True
                    else:
                        denied = True
                else:
                    granted = True
                    column_granted |= at == "OBJECT" and bool(column)
        if table_denied:
            strict = self.server.settings["common criteria compliance enabled"]
            denied |= not column_granted or bool(strict)
        return granted and not denied

    def _covering(self, class_: str, permission: str) -> Iterator[tuple[str, str]]:
        """The permission and all that imply it, as (class, permission)."""
        todo, seen = [(class_, permission)], set()
        while todo:
            at, name = todo.pop()
            if (at, name) in seen:
                continue
            seen.add((at, name))
            yield at, name
            same, above = BUILTIN.get(f"{at} {name}", ["", ""])
            if not same and name not in ("CONTROL", "CONTROL SERVER"):
                same = "CONTROL SERVER" if at == "SERVER" else "CONTROL"
            if same:
                todo.append((at, same))
            if at == "SERVER" and name != "CONTROL SERVER":
                todo.append((at, "CONTROL SERVER"))
            if above:
                todo.append((ABOVE[at], above))

    def _said(self, at: str, name: str, place: Place, ids: set[int]) -> Iterator[tuple[str, int]]:
        """(state, column) of every row about it, and what fixed roles say."""
        if at == "SERVER":
            rows: list[Permission] = self.server.permissions
            for role in self.roles:
                if name in FIXED_SERVER.get(role, "").split(","):
                    yield "G", 0
            ids = self.ids
        else:
            assert place.database is not None
            rows = place.database.permissions
            if at == "DATABASE":
                yield from self._fixed(name, place.database, ids)
        for row in rows:
            if row.class_ != NUMBERS[at] or row.name != name or row.grantee not in ids:
                continue
            is_here = row.major == place.at(at) and row.minor in (0, place.column)
            is_public = row.grantee == (2 if at == "SERVER" else 0)
            if is_public and row.state != "D" and not self.public:
                continue
            if is_here and row.state != "R":
                yield row.state, row.minor

    def _fixed(
        self, name: str, database: DatabaseCatalog, ids: set[int]
    ) -> Iterator[tuple[str, int]]:
        for role, said in FIXED_DATABASE.items():
            if database.users[role].id in ids:
                if name in said.split(","):
                    yield "G", 0
                if f"-{name}" in said.split(","):
                    yield "D", 0
