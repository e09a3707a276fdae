"""PostgreSQL 10 to 18: connect, and read accounts, memberships, grants and sizes.

At most 8 statements per server and 3 per database, transactions included, however many roles and
objects there are. Rows stream: nothing is held here but the row at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from whalefall.engines import queries
from whalefall.engines.base import Engine, Server, Target
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    PermissionDenied,
    StatementTimeout,
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
    Probe,
    Section,
    SectionStatus,
)
from whalefall.engines.postgresql import databases, hba, rows, testimony
from whalefall.engines.postgresql.names import literal, quoted
from whalefall.engines.postgresql.predefined import implied_grants
from whalefall.engines.postgresql.rules import PostgreSQLRules
from whalefall.engines.postgresql.session import Session, connected
from whalefall.engines.testimony import Testimony

FOLDER = Path(__file__).parent
DENIED, FAILED = SectionStatus.DENIED, SectionStatus.FAILED
PUBLIC = ObservedAccount(username="public", kind=Kind.PUBLIC, can_login=False)
"""PUBLIC under the one name that no role can have."""
NEWEST = 18
NO_SETTINGS = """FROM (
  SELECT 0::pg_catalog.oid AS setdatabase, 0::pg_catalog.oid AS setrole, '{}'::text[] AS setconfig
) c"""


@dataclass(frozen=True, slots=True)
class Context:
    """What `server.sql` answers: the server, and what this login may read on it."""

    version: str
    login: str
    is_superuser: bool
    reads_verifiers: bool
    reads_role_settings: bool
    reads_memberships: bool
    reads_databases: bool
    reads_tablespaces: bool
    reads_parameters: bool
    reads_hba: bool
    reads_statistics: bool
    password_encryption: str
    ssl: str
    row_security: str
    is_standby: bool


class PostgreSQLServer(Server):
    """One cluster, reached through one database; the others get connections of their own."""

    db_type = "postgresql"

    session: Session  # set by `connect` before the server is handed out

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._context: Context | None = None
        self._databases: list[databases.Database] | None = None

    def count(self) -> None:
        self.statements += 1

    @property
    def context(self) -> Context:
        """Asked once, with the first statement."""
        if self._context is None:
            self._context = Context(*self.session.row(self.sql("server")))
            self.version = self._context.version
            self.main_version = str(self.session.version // 10000)
            self.settings = {
                "password_encryption": self._context.password_encryption,
                "ssl": self._context.ssl,
                "row_security": self._context.row_security,
                "standby": "on" if self._context.is_standby else "off",
            }
        return self._context

    def sql(self, name: str) -> str:
        return queries.load(FOLDER / "sql" / f"{name}.sql", self.session.version)

    @property
    def databases(self) -> list[databases.Database]:
        """Asked once: which databases there are, and why some cannot be read."""
        if self._databases is None:
            readable, login = self.context.reads_databases, self.context.login
            found = self.session.rows(self.sql("databases")) if readable else ()
            self._databases = [databases.seen(login, *row) for row in found]
        return self._databases

    def probe(self) -> Probe:
        """Leaves the transaction open: what is observed next belongs to the same snapshot."""
        context = self.context
        return Probe(
            version=context.version,
            main_version=self.main_version,
            vendor="PostgreSQL",
            login=context.login,
            tls=self.session.uses_tls,
            missing=tuple(self._missing(context)),
        )

    def _missing(self, context: Context) -> Iterator[MissingPrivilege]:
        login = quoted(context.login)
        for readable, catalog, sections in (
            (context.reads_memberships, "pg_auth_members", ("memberships",)),
            (context.reads_databases, "pg_database", ("database",)),
            (context.reads_tablespaces, "pg_tablespace", ("tablespace",)),
            (context.reads_parameters, "pg_parameter_acl", ("server",)),
            (context.reads_verifiers, "pg_authid", ("verifiers",)),
            (context.reads_role_settings, "pg_db_role_setting", ("role_settings",)),
        ):
            if not readable:
                grant = f"GRANT SELECT ON pg_catalog.{catalog} TO {login};"
                yield MissingPrivilege(f"SELECT on pg_catalog.{catalog}", sections, grant)
        if not context.reads_hba:
            yield MissingPrivilege(
                "SELECT on pg_catalog.pg_hba_file_rules", ("hba",), hba.remedy(context.login)
            )
        if not context.reads_statistics:
            grant = f"GRANT pg_read_all_stats TO {login};"
            yield MissingPrivilege("pg_read_all_stats", ("sizes",), grant)
        for database in self.databases:
            if database.remedy:
                privilege = f"CONNECT on database {database.name}"
                yield MissingPrivilege(privilege, databases.SECTIONS, database.remedy)

    def observe_accounts(self) -> Iterator[ObservedAccount]:
        yield PUBLIC
        context = self.context
        text = self.sql("accounts")
        if context.reads_verifiers:
            text = text.replace("FROM pg_catalog.pg_roles r", "FROM pg_catalog.pg_authid r")
        if not context.reads_role_settings:
            text = text.replace("FROM pg_catalog.pg_db_role_setting c", NO_SETTINGS)
        with self.section("accounts"):
            account = rows.Accounts()
            for row in self.session.rows(text):
                yield account(row)
        accounts = self.sections["accounts"]
        if not accounts.is_complete:
            raise EngineError(f"The roles cannot be read: {accounts.message}", accounts.remedy)
        # these came with the accounts, or did not
        with self._allowed("verifiers", "pg_authid", context.reads_verifiers):
            pass
        with self._allowed("role_settings", "pg_db_role_setting", context.reads_role_settings):
            pass

    def observe_memberships(self) -> Iterator[ObservedMembership]:
        allowed = self.context.reads_memberships
        with self._allowed("memberships", "pg_auth_members", allowed):
            if allowed:
                yield from map(rows.membership, self.session.rows(self.sql("memberships")))

    def observe_grants(self) -> Iterator[ObservedGrant]:
        """The server's own grants first; then, the transaction ended, those of each database."""
        yield from implied_grants(self.session.version)
        self.sections["global"] = Section("global")
        yield from self._server_grants()
        self._observe_hba()
        found = self.databases
        self.session.commit()
        if self.context.reads_databases:
            yield from databases.observe(self, found)
        else:
            unknown = self.sections["database"]
            self.sections |= {name: replace(unknown, name=name) for name in databases.SECTIONS}

    def _server_grants(self) -> Iterator[ObservedGrant]:
        context = self.context
        parts = (
            ("database", "pg_database", "server_databases", context.reads_databases),
            ("tablespace", "pg_tablespace", "server_tablespaces", context.reads_tablespaces),
            ("server", "pg_parameter_acl", "server_parameters", context.reads_parameters),
        )
        texts = []
        for section, catalog, name, readable in parts:
            with self._allowed(section, catalog, readable):
                if readable and (name != "server_parameters" or self.session.version >= 150000):
                    texts.append(self.sql(name))
        if not texts:
            return
        grant = rows.Grants()
        try:
            for row in self.session.rows("\nUNION ALL\n".join(texts)):
                yield grant(row)
        except (PermissionDenied, StatementTimeout) as exc:
            status = DENIED if isinstance(exc, PermissionDenied) else FAILED
            for name in ("database", "tablespace", "server"):
                self.sections[name] = Section(name, status, exc.args[0], exc.remedy)

    def _observe_hba(self) -> None:
        """pg_hba.conf goes to the settings: its lines are no grants, but rules ask for them."""
        with self._allowed("hba", "pg_hba_file_rules", self.context.reads_hba):
            if self.context.reads_hba:
                self._read_hba()

    def _read_hba(self) -> None:
        """The server reads the file when asked, and may not be able to: that is no reason to fail
        everything.
        """
        try:
            self.settings["hba"] = hba.as_text(self.session.rows(self.sql("hba")))
        except ConnectionLost:
            raise
        except EngineError as exc:
            self.sections["hba"] = Section("hba", FAILED, exc.args[0])

    @contextmanager
    def _allowed(self, section: str, catalog: str, readable: bool) -> Iterator[None]:
        """A section that is denied beforehand: a refused statement would end the transaction."""
        login = self.context.login
        grant = f"GRANT SELECT ON pg_catalog.{catalog} TO {quoted(login)};"
        remedy = hba.remedy(login) if section == "hba" else grant
        with self.section(section, remedy):
            yield
            if not readable:
                raise PermissionDenied(f"permission denied for {catalog} as {login}")

    @contextmanager
    def connected_to(self, database: str) -> Iterator[Session]:
        """A session on another database of the same server."""
        with connected(replace(self.target, database=database), self.count) as session:
            yield session

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Where measuring fails as a whole (many files take their time), the names come alone."""
        found: list[ObservedDatabase] = []
        self.sections["databases"] = Section("databases")
        with self.section("sizes"):
            found = list(map(rows.database, self.session.rows(self.sql("database_sizes"))))
        if not self.sections["sizes"].is_complete:
            found = self._unmeasured(self.sections["sizes"].message)
        self.session.commit()
        yield from found

    def _unmeasured(self, reason: str) -> list[ObservedDatabase]:
        with self.section("databases"):
            names = self.session.rows(self.sql("databases"))
            return [ObservedDatabase(name, reason=reason) for name, *_rest in names]
        return []

    def observe_tables(self, database: str) -> Iterator[ObservedTable]:
        with self.section("table_sizes"):
            try:
                with self.connected_to(database) as session:
                    for row in session.rows(self.sql("tables")):
                        yield ObservedTable(database, *row)
            except LoginRefused as exc:
                raise PermissionDenied(exc.args[0], exc.remedy) from exc
            except ConnectError as exc:
                raise ConnectionLost(exc.args[0], exc.remedy) from exc

    def reads_as(self) -> str:
        return self.context.login

    def testify(
        self, observation: Observation, accounts: Sequence[str], objects: int = 50
    ) -> Iterator[Testimony]:
        roles = [name for name in accounts if name != PUBLIC.username]
        yield from testimony.testify(self, self.databases, roles, objects)


class PostgreSQLEngine(Engine):
    db_type = "postgresql"
    label = "PostgreSQL"
    default_port = 5432
    default_database = "postgres"
    rules = PostgreSQLRules()
    folder = FOLDER

    @contextmanager
    def connect(self, target: Target) -> Iterator[Server]:
        target = replace(target, database=target.database or self.default_database)
        server = PostgreSQLServer(target)
        with connected(target, server.count) as session:
            server.session = session
            yield server

    def collector_grants(self, login: str = "whalefall", version: str = "") -> str:
        """`version` as the server writes it (`15.4`, `16`); unknown counts as the newest."""
        found = re.match(r"\d+", version)
        major = int(found[0]) if found else NEWEST
        text = queries.load(FOLDER / "sql" / "collector_grants.sql", major * 10000)
        return text.replace("{login}", quoted(login)).replace("{name}", literal(login)) + ";\n"


ENGINE = PostgreSQLEngine()
