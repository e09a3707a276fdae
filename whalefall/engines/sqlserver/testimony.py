"""What SQL Server says by fn_my_permissions and HAS_PERMS_BY_NAME, which answer for whoever asks.

About the login itself they always answer. About others they are asked under EXECUTE AS LOGIN, which
takes IMPERSONATE on the login (or IMPERSONATE ANY LOGIN, 2014+; sysadmins may anyway). It changes
nothing on the server; an audit of the server records it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from whalefall.engines.errors import ConnectionLost, EngineError, PermissionDenied
from whalefall.engines.observed import Kind, Observation, ObservedAccount, Scope
from whalefall.engines.sqlserver.connection import Connection
from whalefall.engines.sqlserver.databases import Database, filled
from whalefall.engines.sqlserver.names import bare, in_database, literal, quoted
from whalefall.engines.testimony import Answer, Testimony, Unasked

ON_SERVER = (
    "CONTROL SERVER", "ALTER ANY LOGIN", "ALTER ANY SERVER ROLE", "ALTER ANY CREDENTIAL",
    "ALTER ANY LINKED SERVER", "ALTER ANY DATABASE", "ALTER ANY CONNECTION", "ALTER SERVER STATE",
    "VIEW SERVER STATE", "VIEW ANY DEFINITION", "CREATE ANY DATABASE",
    "ADMINISTER BULK OPERATIONS", "AUTHENTICATE SERVER", "EXTERNAL ACCESS ASSEMBLY",
    "UNSAFE ASSEMBLY", "ALTER SETTINGS", "ALTER TRACE", "SHUTDOWN",
)  # fmt: skip
ON_DATABASE = (
    "CONTROL", "SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER ANY USER",
    "ALTER ANY ROLE", "VIEW DEFINITION", "CREATE TABLE",
)  # fmt: skip
ON_SCHEMA = ("CONTROL", "SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER")
ON_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "CONTROL", "ALTER")
HAS_PERMS = "HAS_PERMS_BY_NAME"
MY_PERMISSIONS = "fn_my_permissions"
Place = tuple[Scope, str, str, tuple[str, ...]]
"""Scope, class, name as HAS_PERMS_BY_NAME takes it, parts."""
ASKED: dict[Scope, tuple[str, ...]] = {
    Scope.DATABASE: ON_DATABASE,
    Scope.SCHEMA: ON_SCHEMA,
    Scope.TABLE: ON_TABLE,
}


class Reader(Protocol):
    connection: Connection
    login: str

    @property
    def databases(self) -> list[Database]: ...

    def sql(self, name: str) -> str: ...


def testify(
    server: Reader, observation: Observation, accounts: Sequence[str], objects: int
) -> Iterator[Testimony]:
    """The login itself first, which may always ask. Three statements per login, and one per
    database for what there is to ask about.
    """
    places = {each.name: list(_places(server, each.name, objects)) for each in _entered(server)}
    mine = [server.login] if server.login in observation.accounts else []
    logins = [observation.accounts[name] for name in dict.fromkeys((*mine, *accounts))]
    for account in logins:
        if account.kind is Kind.USER and account.attributes.get("type") != "group":
            try:
                yield from _says(server, account, observation, places)
            except ConnectionLost:
                raise
            except EngineError as exc:
                yield _refused(server, account.username, exc)


def _entered(server: Reader) -> list[Database]:
    return [each for each in server.databases if each.state == "ONLINE" and each.may_enter]


def _refused(server: Reader, name: str, exc: EngineError) -> Unasked:
    remedy = f"GRANT IMPERSONATE ANY LOGIN TO {quoted(server.login)};"
    return Unasked(name, exc.args[0], remedy if isinstance(exc, PermissionDenied) else exc.remedy)


def _places(server: Reader, database: str, objects: int) -> Iterator[Place]:
    """The database, its schemas and tables."""
    yield Scope.DATABASE, "DATABASE", quoted(database), (database,)
    text = filled(server.sql("said_objects"), database).replace("{objects}", str(objects))
    seen: set[str] = set()
    for record in server.connection.records(text):
        schema, name = record["schema_name"], record["object_name"]
        place = f"{quoted(database)}.{quoted(schema)}"
        if schema not in seen:
            seen.add(schema)
            yield Scope.SCHEMA, "SCHEMA", place, (database, schema)
        yield Scope.TABLE, "OBJECT", f"{place}.{quoted(name)}", (database, schema, name)


def _says(
    server: Reader,
    account: ObservedAccount,
    observation: Observation,
    places: dict[str, list[Place]],
) -> Iterator[Answer]:
    name = account.username
    is_me = name == server.login
    if not is_me:
        server.connection.run(f"EXECUTE AS LOGIN = {literal(bare(name))};")
    try:
        yield from _on_server(server, name)
        yield from _inside(server, name, _homes(name, observation), places)
    finally:
        if not is_me:
            server.connection.run("REVERT;")


def _homes(login: str, observation: Observation) -> set[str]:
    """The databases in which the login is somebody: elsewhere it enters as guest."""
    return {m.database for m in observation.memberships if m.member == login and m.database}


def _on_server(server: Reader, name: str) -> Iterator[Answer]:
    found = {row["permission_name"] for row in server.connection.records(server.sql("said_server"))}
    for privilege in ON_SERVER:
        holds = privilege in found
        yield Answer(name, holds, MY_PERMISSIONS, privilege, Scope.SERVER, publics=("public",))


def _inside(
    server: Reader, name: str, homes: set[str], places: dict[str, list[Place]]
) -> Iterator[Answer]:
    """Questions of all databases in one batch. Where the login may not enter there is no answer."""
    asked = [
        (place, privilege) for found in places.values() for place in found
        for privilege in ASKED[place[0]]
    ]  # fmt: skip
    if not asked:
        return
    texts = [
        f"SELECT {number} AS number, HAS_DBACCESS({literal(place[3][0])}) AS may_enter, "
        f"HAS_PERMS_BY_NAME({literal(place[2])}, N'{place[1]}', N'{privilege}') AS holds"
        for number, (place, privilege) in enumerate(asked)
    ]
    for start in range(0, len(texts), AT_ONCE):
        text = "\nUNION ALL\n".join(texts[start : start + AT_ONCE])
        for row in server.connection.records(text):
            (scope, _, _, parts), privilege = asked[row["number"]]
            if row["may_enter"] == 1:
                publics = ["public", in_database("public", parts[0])]
                if parts[0] not in homes:
                    publics.append(in_database("guest", parts[0]))
                yield Answer(
                    name, row["holds"] == 1, HAS_PERMS, privilege, scope, parts,
                    publics=tuple(publics),
                )  # fmt: skip


AT_ONCE = 200
"""Questions in one statement: far below what a server takes."""
