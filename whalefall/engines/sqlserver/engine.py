"""SQL Server 2012 to 2022 and Azure SQL: connect, and read accounts, memberships, grants and sizes.

Ten statements per instance, however many logins, databases and objects there are: what lies in
databases is read in one batch of three-part names for all of them. Rows stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from whalefall.engines import queries
from whalefall.engines.base import Engine, Server, Target
from whalefall.engines.errors import (
    ConnectionLost,
    EngineError,
    PermissionDenied,
    UnsupportedVersion,
)
from whalefall.engines.observed import (
    Kind,
    MissingPrivilege,
    Observation,
    ObservedAccount,
    ObservedDatabase,
    ObservedGrant,
    ObservedMembership,
    ObservedTable,
    ObservedVolume,
    Probe,
    Section,
    SectionStatus,
)
from whalefall.engines.sqlserver import capacity, rows, testimony
from whalefall.engines.sqlserver.connection import Connection, Record, connect
from whalefall.engines.sqlserver.databases import Database, Reading, database, filled
from whalefall.engines.sqlserver.names import in_database, literal, of_server, quoted
from whalefall.engines.sqlserver.rules import SqlServerRules
from whalefall.engines.testimony import Testimony, Unasked

FOLDER = Path(__file__).parent
OLDEST = 11
NEWEST = 16
AZURE_DATABASE = 5
RELEASES = {11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}
OF_DATABASES = ("database", "schema", "table", "column", "routine", "sequence", "other")
OF_SERVER = ("accounts", "memberships", "server")


class SqlServer(Server):
    """One instance. The principals' names are kept once read: everything else goes by number."""

    db_type = "sqlserver"

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target)
        self.connection = connection
        self.login = target.username
        self.number = 0
        self.is_azure_database = False
        self._context: Record = {}
        self._databases: list[Database] | None = None
        self._server = rows.Principals()
        self._fixed: dict[str, str] = {}
        self._logins: dict[bytes, str] = {}
        self._inside: dict[str, rows.Principals] = {}
        self._fixed_inside: dict[str, dict[str, str]] = {}
        self._mapped: list[ObservedMembership] = []
        self._reading: Reading | None = None

    @property
    def statements(self) -> int:
        return self.connection.statements

    @statements.setter
    def statements(self, value: int) -> None:
        """Counted by the connection."""

    def open(self) -> None:
        """Ask what the server is and what we may. Raises UnsupportedVersion."""
        context = self._context = self.connection.record(self.sql("server"))
        self.version = context["product_version"]
        self.number = int(self.version.split(".")[0])
        self.login = context["login_name"]
        self.is_azure_database = context["engine_edition"] == AZURE_DATABASE
        self.main_version = RELEASES.get(self.number, str(self.number))
        if self.is_azure_database:
            self.main_version = "Azure SQL"
        elif self.number < OLDEST:
            raise UnsupportedVersion(
                f"SQL Server {self.version} is older than 2012, the oldest that can be read."
            )
        self.settings = {
            "authentication": "windows" if context["windows_only"] == 1 else "mixed",
            "edition": context["edition"] or "",
        }

    def sql(self, name: str) -> str:
        if self.is_azure_database and (FOLDER / "sql" / f"{name}_azure.sql").exists():
            name = f"{name}_azure"
        return queries.load(FOLDER / "sql" / f"{name}.sql", self.number)

    @property
    def databases(self) -> list[Database]:
        """Asked once: which databases there are, and whether they can be entered."""
        if self._databases is None:
            found = self.connection.records(self.sql("databases"))
            self._databases = [database(record) for record in found]
        return self._databases

    # Connection test

    def probe(self) -> Probe:
        return Probe(
            version=self.version,
            main_version=self.main_version,
            vendor="SQL Server",
            login=self.login,
            tls=self.target.tls_mode != "off",
            missing=tuple(self._missing()),
        )

    def _missing(self) -> Iterator[MissingPrivilege]:
        me = quoted(self.login)
        if self.is_azure_database:
            return
        for privilege, held, sections in (
            ("VIEW ANY DEFINITION", "views_definition", (*OF_SERVER, *OF_DATABASES, "sizes")),
            ("VIEW SERVER STATE", "views_state", ("table_sizes", "free")),
            ("VIEW ANY DATABASE", "lists_databases", ("databases",)),
        ):
            if self._context[held] != 1:
                yield MissingPrivilege(privilege, sections, f"GRANT {privilege} TO {me};")
        for each in self.databases:
            trouble = each.trouble(self.login, self.number)
            if trouble and trouble.remedy:
                privilege = f"entering the database {each.name}"
                yield MissingPrivilege(privilege, OF_DATABASES, trouble.remedy)

    # Accounts

    def observe_accounts(self) -> Iterator[ObservedAccount]:
        """Logins and server roles; then the users and roles of every database that can be read."""
        if self.is_azure_database:
            self.sections["accounts"] = Section("accounts")
            yield ObservedAccount("public", Kind.PUBLIC, can_login=False)
        else:
            yield from self._server_accounts()
            self._read_settings()
        yield from self._database_accounts()

    def _server_accounts(self) -> Iterator[ObservedAccount]:
        names = {each.name for each in self.databases}
        complete, hashes_hidden = False, False
        with self.section("accounts", self._remedy()):
            for record in self._logins_once():
                complete = record["views_definition"] == 1
                name = of_server(record["name"], names)
                self._know_login(record, name)
                hidden = record["type"].strip() == "S" and record["blank_password"] is None
                hashes_hidden |= hidden and not record["is_disabled"]
                yield rows.login(
                    record, name, self._context["minutes_east"], self._context["machine"] or ""
                )
            if not complete:
                raise PermissionDenied(
                    f"{self.login} has no VIEW ANY DEFINITION: the server shows it a part only"
                )
        self._passwords(hashes_hidden)
        accounts = self.sections["accounts"]
        if not accounts.is_complete:
            raise EngineError(
                f"The logins cannot be read in full: {accounts.message}.", accounts.remedy
            )

    def _logins_once(self) -> Iterator[Record]:
        """Where CONNECT SQL was granted by several, a denial counts."""
        last: Record | None = None
        for record in self.connection.records(self.sql("accounts")):
            if last is not None and last["principal_id"] == record["principal_id"]:
                if record["connect_state"] == "D":
                    last["connect_state"] = "D"
                continue
            if last is not None:
                yield last
            last = record
        if last is not None:
            yield last

    def _know_login(self, record: Record, name: str) -> None:
        number, type_ = record["principal_id"], record["type"].strip()
        self._server.names[number] = name
        if type_ == "R":
            self._fixed[record["name"]] = name
        elif record["sid"]:
            self._logins[bytes(record["sid"])] = name

    def _passwords(self, hidden: bool) -> None:
        """Blank passwords are found by comparing hashes on the server, where it lets us."""
        self.sections["passwords"] = Section("passwords")
        if hidden:
            self.sections["passwords"] = Section(
                "passwords",
                SectionStatus.DENIED,
                f"{self.login} may not see password hashes, which takes CONTROL SERVER",
            )

    def _read_settings(self) -> None:
        with self.section("settings"):
            for record in self.connection.records(self.sql("settings")):
                self.settings[record["name"]] = str(record["setting"])

    def _database_accounts(self) -> Iterator[ObservedAccount]:
        reading = self._new_reading()
        statements = (self.sql("database_principals"),)
        names: dict[str, rows.Principals] = self._inside
        for each, _, record in reading.rows(self.sql("database_rights"), statements):
            inside = names.setdefault(each.name, rows.Principals())
            name = in_database(record["name"], each.name)
            inside.names[record["principal_id"]] = name
            if record["type"].strip() == "R":
                self._fixed_inside.setdefault(each.name, {})[record["name"]] = name
            account = rows.database_principal(record, name, each.name, self._logins, each.owner_sid)
            self._map(account, each)
            yield account
        self.sections["database_accounts"] = reading.section("database_accounts")
        self._reading = reading

    def _map(self, account: ObservedAccount, each: Database) -> None:
        """A login is its users, one per database, by SID."""
        login = account.attributes.get("login")
        if login and account.kind is Kind.DATABASE_USER:
            self._mapped.append(
                ObservedMembership(
                    login,
                    account.username,
                    set=False,
                    database=each.name,
                    section="database_memberships",
                )
            )

    def _new_reading(self) -> Reading:
        return Reading(self.connection, self.databases, self.login, self.number)

    def _require_accounts(self) -> None:
        """Memberships and grants name principals by number."""
        if self._reading is None:
            for _ in self.observe_accounts():
                pass

    def _remedy(self) -> str:
        return f"GRANT VIEW ANY DEFINITION TO {quoted(self.login)};"

    # Memberships

    def observe_memberships(self) -> Iterator[ObservedMembership]:
        self._require_accounts()
        with self.section("memberships", self._remedy()):
            if not self.is_azure_database:
                for record in self.connection.records(self.sql("memberships")):
                    yield self._membership(record, self._server)
        yield from self._mapped
        reading = self._new_reading()
        statements = (self.sql("database_memberships"),)
        for each, _, record in reading.rows(self.sql("database_rights"), statements):
            inside = self._inside.get(each.name, rows.Principals())
            yield replace(
                self._membership(record, inside),
                database=each.name,
                section="database_memberships",
            )
        self.sections["database_memberships"] = reading.section("database_memberships")

    def _membership(self, record: Record, principals: rows.Principals) -> ObservedMembership:
        member, role = record["member_principal_id"], record["role_principal_id"]
        return ObservedMembership(principals.name(member), principals.name(role), set=False)

    # Grants

    def observe_grants(self) -> Iterator[ObservedGrant]:
        self._require_accounts()
        if not self.is_azure_database:
            yield from self._server_grants()
        yield from self._database_owners()
        yield from self._database_grants()

    def _server_grants(self) -> Iterator[ObservedGrant]:
        with self.section("server", self._remedy()):
            yield from rows.implied_on_server(self._fixed)
            for record in self.connection.records(self.sql("server_permissions")):
                yield rows.server_permission(record, self._server)
        with self.section("linked_servers", self._remedy()):
            for record in self.connection.records(self.sql("linked_servers")):
                yield rows.linked_login(record, self._server)

    def _database_owners(self) -> Iterator[ObservedGrant]:
        """The owner is a login, and is dbo inside; both own the database."""
        for each in self.databases:
            owners = []
            if each.owner_sid in self._logins:
                owners.append(self._logins[each.owner_sid])
            if dbo := self._inside.get(each.name, rows.Principals()).names.get(1):
                owners.append(dbo)
            for name in owners:
                yield ObservedGrant(
                    name, "OWNER", rows.Scope.DATABASE, each.name, grantable=True,
                    section="database", source="sys.databases", traits=each.traits,
                )  # fmt: skip

    def _database_grants(self) -> Iterator[ObservedGrant]:
        for name, roles in self._fixed_inside.items():
            yield from rows.implied_in_database(name, roles)
        reading = self._new_reading()
        statements = (self.sql("database_permissions"), self.sql("database_owners"))
        for each, number, record in reading.rows(self.sql("database_rights"), statements):
            inside = self._inside.get(each.name, rows.Principals())
            if number == 0:
                yield rows.database_permission(record, each.name, inside, each.traits)
            else:
                yield rows.owner(record, each.name, inside)
        for name in OF_DATABASES:
            self.sections[name] = reading.section(name)

    # Sizes

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Sections: `databases` (the names), `sizes` (their files), `free` (what is not allocated
        in them; without it `free_bytes` is None).
        """
        known = self.databases
        with self.section("databases", f"GRANT VIEW ANY DATABASE TO {quoted(self.login)};"):
            if not self.is_azure_database and self._context["lists_databases"] != 1:
                raise PermissionDenied(
                    f"{self.login} has no VIEW ANY DATABASE: databases that it may not enter are "
                    "missing"
                )
        files: dict[str, Record] = {}
        with self.section("sizes", self._remedy()):
            if not self.is_azure_database and self._context["views_definition"] != 1:
                raise PermissionDenied(
                    f"{self.login} has no VIEW ANY DEFINITION: the files of databases are hidden"
                )
            files = {
                record["name"]: record for record in self.connection.records(self.sql("sizes"))
            }
        free = self._free()
        unseen = self.sections["sizes"].message
        for each in known:
            measured = capacity.measured(each, files.get(each.name), unseen)
            yield capacity.with_free(measured, free)

    def _free(self) -> dict[str, int]:
        """Database -> pages of its data files that are not allocated; fills the section `free`."""
        free: dict[str, int] = {}
        remedy = f"GRANT VIEW SERVER STATE TO {quoted(self.login)};"
        with self.section("free", remedy):
            if not self.is_azure_database and self._context["views_state"] != 1:
                raise PermissionDenied(f"{self.login} has no VIEW SERVER STATE")
            reading = self._new_reading()
            statements = (self.sql("space"),)
            for each, _, record in reading.rows(self.sql("database_rights"), statements):
                if record["free_pages"] is not None:
                    free[each.name] = int(record["free_pages"])
            self.sections["free"] = reading.section("free")
        return free

    def observe_volumes(self) -> Iterator[ObservedVolume]:
        """Section: `volumes`; none on Azure, where nobody has a disk."""
        if self.is_azure_database:
            return
        with self.section("volumes", f"GRANT VIEW SERVER STATE TO {quoted(self.login)};"):
            if self._context["views_state"] != 1:
                raise PermissionDenied(f"{self.login} has no VIEW SERVER STATE")
            for record in self.connection.records(self.sql("volumes")):
                yield ObservedVolume(
                    record["volume_mount_point"],
                    int(record["total_bytes"]),
                    int(record["available_bytes"]),
                )

    def observe_tables(self, database: str) -> Iterator[ObservedTable]:
        known = {each.name: each for each in self.databases}
        state = "VIEW DATABASE STATE" if self.is_azure_database else "VIEW SERVER STATE"
        with self.section("table_sizes", f"GRANT {state} TO {quoted(self.login)};"):
            if database not in known:
                raise PermissionDenied(f"There is no database {database}, or it cannot be seen.")
            if trouble := known[database].trouble(self.login, self.number):
                raise PermissionDenied(trouble.reason, trouble.remedy)
            for record in self.connection.records(filled(self.sql("tables"), database)):
                yield ObservedTable(
                    database,
                    record["schema_name"],
                    record["table_name"],
                    data_bytes=int(record["data_pages"]) * rows.PAGE,
                    index_bytes=int(record["index_pages"]) * rows.PAGE,
                    rows=int(record["row_total"]),
                )

    def reads_as(self) -> str:
        return of_server(self.login, {each.name for each in self.databases})

    # The server's own words

    def testify(
        self, observation: Observation, accounts: Sequence[str], objects: int = 50
    ) -> Iterator[Testimony]:
        if self.is_azure_database:
            reason = "Azure SQL Database has no logins to ask about"
            yield Unasked("", reason)
            return
        yield from testimony.testify(self, observation, accounts, objects)


class SqlServerEngine(Engine):
    db_type = "sqlserver"
    label = "SQL Server"
    default_port = 1433
    default_database = "master"
    rules = SqlServerRules()
    folder = FOLDER

    @contextmanager
    def connect(self, target: Target) -> Iterator[Server]:
        target = replace(target, database=target.database or self.default_database)
        connection = connect(target)
        try:
            server = SqlServer(target, connection)
            server.open()
            yield server
        finally:
            connection.close()

    def collector_grants(self, login: str = "whalefall", version: str = "") -> str:
        """`version` as the server writes it (`15.0.4123`), as people say it (`2019`), or `azure`;
        unknown counts as the newest.
        """
        name = "collector_grants_azure" if "azure" in version.lower() else "collector_grants"
        text = queries.load(FOLDER / "sql" / f"{name}.sql", _major(version))
        inner = literal(login).replace("'", "''")
        return (
            text.replace("{login_inner}", quoted(login).replace("'", "''"))
            .replace("{inner}", inner)
            .replace("{login}", quoted(login))
            .replace("{name}", literal(login))
            + "\n"
        )


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    number = int(found[0]) if found else NEWEST
    by_release = {release: major for major, release in RELEASES.items()}
    return by_release.get(str(number), number)


ENGINE = SqlServerEngine()
__all__ = ["ENGINE", "ConnectionLost"]
