"""An open MySQL or MariaDB: which statements are sent, and how each section ends."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from whalefall.engines.base import Server, Target
from whalefall.engines.errors import (
    EngineError,
    PermissionDenied,
    StatementTimeout,
    UnsupportedVersion,
)
from whalefall.engines.mysql.accounts import AccountReader, AccountRow, public_account
from whalefall.engines.mysql.connection import Connection
from whalefall.engines.mysql.grants import GrantReader, RowReader
from whalefall.engines.mysql.login import SEES_TABLES, global_privileges, may
from whalefall.engines.mysql.names import quoted, split_account
from whalefall.engines.mysql.rules import BY_DEFAULT_ROLE
from whalefall.engines.mysql.sizes import Files, TableSize, database_size, table_sizes
from whalefall.engines.observed import (
    Kind,
    MissingPrivilege,
    ObservedAccount,
    ObservedDatabase,
    ObservedGrant,
    ObservedMembership,
    ObservedTable,
    Probe,
    Section,
    SectionStatus,
)
from whalefall.engines.queries import load

SQL = Path(__file__).parent / "sql"
OLDEST = {"MySQL": 50600, "MariaDB": 100300}
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


GRANT_TABLES = {
    "database": "mysql.db",
    "table": "mysql.tables_priv",
    "column": "mysql.columns_priv",
    "routine": "mysql.procs_priv",
    "proxy": "mysql.proxies_priv",
}
"""Per section the table that is read for it."""

Needed = tuple[str, frozenset[str], tuple[str, ...]]
SEES_CODE = frozenset({"SHOW_ROUTINE", "SELECT"})

NEEDED: tuple[Needed, ...] = (
    ("SHOW DATABASES", SEES_TABLES, ("databases",)),
    ("SHOW VIEW", SEES_TABLES, ("sizes", "definer")),
    ("PROCESS", frozenset(), ("files",)),
)
"""A privilege on *.*, what else would do, and the sections that need it."""

NEEDED_FOR_CODE: Needed = ("SHOW_ROUTINE", SEES_CODE, ("definer",))

Edge = tuple[str, str, bool, bool]
"""member, role, admin, is_default."""


class MySQLServer(Server):
    """Reads MySQL 5.6 to 9.x and MariaDB 10.3 and later, with the same statements where it can."""

    db_type = "mysql"

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target)
        self.connection = connection
        self.vendor = "MySQL"
        self.number = 0
        self._rows: list[AccountRow] | None = None
        self._edges: list[Edge] | None = None

    @property
    def statements(self) -> int:
        return self.connection.statements

    @statements.setter
    def statements(self, value: int) -> None:
        """Counted by the connection."""

    @property
    def is_mariadb(self) -> bool:
        return self.vendor == "MariaDB"

    def open(self) -> None:
        """Read version and settings, and make the session harmless. Raises UnsupportedVersion."""
        self.settings = dict(self.connection.rows(self.sql("settings")))  # type: ignore[arg-type]
        self.sections["settings"] = Section("settings")
        self._set_version(self.settings.get("version") or self.connection.server_info)
        self.connection.execute(self._session_sql())
        self.grant_reader = GrantReader(
            self.number, self.is_mariadb, self.settings.get("partial_revokes") == "ON"
        )

    def sql(self, name: str) -> str:
        return load(SQL / f"{name}.sql", self.number)

    def _set_version(self, version: str) -> None:
        self.version = version
        comment = self.settings.get("version_comment", "")
        self.vendor = "MariaDB" if "mariadb" in f"{version}{comment}".lower() else "MySQL"
        self.number = server_number(version)
        self.main_version = f"{self.number // 10000}.{self.number // 100 % 100}"
        self.settings["vendor"] = self.vendor
        if self.number < OLDEST[self.vendor]:
            raise UnsupportedVersion(
                f"{self.vendor} {version} is too old.",
                "MySQL 5.6 and MariaDB 10.3 are the oldest that can be read.",
            )

    def _session_sql(self) -> str:
        """Times in UTC, no writes, and the server's own limit on how long a statement may take.

        MySQL 5.6 has no such limit: there the socket's timeout ends the connection.
        """
        seconds = self.target.statement_timeout
        if self.is_mariadb:
            limits = [f"max_statement_time = {seconds}", "tx_read_only = 1"]
        elif self.number >= 80000:
            # Without the expiry the server would cache table sizes, which is a write.
            limits = [f"max_execution_time = {seconds * 1000}", "transaction_read_only = 1"]
            limits.append("information_schema_stats_expiry = 0")
        elif self.number >= 50708:
            limits = [f"max_execution_time = {seconds * 1000}", "tx_read_only = 1"]
        else:
            limits = ["tx_read_only = 1"]
        return f"SET SESSION {', '.join(['time_zone = %s', *limits])}" % "'+00:00'"

    # Connection test

    def probe(self) -> Probe:
        """Tries every table that is read; says for each missing privilege what mends it."""
        (cipher,) = (value for _, value in self.connection.rows(self.sql("tls")))
        return Probe(
            version=self.version,
            main_version=self.main_version,
            vendor=self.vendor,
            login=self.login,
            tls=bool(cipher),
            missing=tuple(self._missing()),
        )

    def _missing(self) -> Iterator[MissingPrivilege]:
        for table, sections in self._tables_read().items():
            try:
                # Every column: a right on some of them is not enough for SELECT *.
                self.connection.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608
            except PermissionDenied:
                yield MissingPrivilege(f"SELECT on {table}", sections, self._grant(table))
        held = self._login_privileges()
        for privilege, covered_by, sections in self._privileges_needed():
            if not may(held, privilege, *covered_by):
                yield MissingPrivilege(
                    f"{privilege} on *.*", sections, self._grant_globally(privilege)
                )

    def _privileges_needed(self) -> tuple[Needed, ...]:
        return (*NEEDED, NEEDED_FOR_CODE) if self._hides_code() else NEEDED

    def _tables_read(self) -> dict[str, tuple[str, ...]]:
        tables: dict[str, tuple[str, ...]] = {self._accounts_table(): ("accounts", "global")}
        if self._has_roles():
            tables |= dict.fromkeys(self._membership_tables(), ("memberships",))
            tables[self._accounts_table()] = ("accounts", "global")
        if not self.is_mariadb and self.number >= 80000:
            tables["mysql.global_grants"] = ("global",)
        tables |= dict.fromkeys(self._code_tables(), ("definer",))
        return tables | {table: (section,) for section, table in GRANT_TABLES.items()}

    @cached_property
    def login(self) -> str:
        """The account that this login is on the server."""
        ((login,),) = self.connection.rows(self.sql("login"))
        return str(login)

    def _login_privileges(self) -> frozenset[str]:
        return global_privileges(line for (line,) in self.connection.rows(self.sql("login_grants")))

    def _grant(self, *tables: str) -> str:
        user, host = split_account(self.login)
        account = f"{quoted(user)}@{quoted(host)}"
        return " ".join(f"GRANT SELECT ON {table} TO {account};" for table in tables)

    def _grant_globally(self, privilege: str) -> str:
        user, host = split_account(self.login)
        return f"GRANT {privilege} ON *.* TO {quoted(user)}@{quoted(host)};"

    def _mended_by(self, name: str, *tables: str) -> None:
        """Asked for only now: naming the login costs a statement."""
        section = self.sections[name]
        if section.status is SectionStatus.DENIED:
            remedy = self._grant(*tables) or self._grant_globally("SHOW_ROUTINE")
            self.sections[name] = replace(section, remedy=remedy)

    # Accounts and memberships

    def observe_accounts(self) -> Iterator[ObservedAccount]:
        """Every account and role, PUBLIC last where the server has none. Raises PermissionDenied
        when mysql.user (global_priv) may not be read: its other sources show the login's own row.
        """
        found_public = False
        for row in self._account_rows():
            found_public = found_public or row.account.kind is Kind.PUBLIC
            yield row.account
        if not found_public:
            yield public_account()

    def _account_rows(self) -> list[AccountRow]:
        if self._rows is None:
            granted = frozenset(role for _, role, _, _ in self._membership_edges())
            reader = AccountReader(self.number, self.is_mariadb, self.settings)
            sql = self.sql("accounts_mariadb" if self.is_mariadb else "accounts_mysql")
            table = self._accounts_table()
            self.sections["accounts"] = Section("accounts")
            try:
                rows = (reader.read(row, granted) for row in self.connection.records(sql))
                self._rows = list(reader.with_shared_passwords(rows))
            except EngineError as exc:
                denied = isinstance(exc, PermissionDenied)
                status = SectionStatus.DENIED if denied else SectionStatus.FAILED
                exc.remedy = exc.remedy or (self._grant(table) if denied else "")
                self.sections["accounts"] = Section("accounts", status, exc.args[0], exc.remedy)
                raise
        return self._rows

    def _accounts_table(self) -> str:
        return "mysql.global_priv" if self.is_mariadb and self.number >= 100400 else "mysql.user"

    def _has_roles(self) -> bool:
        return self.is_mariadb or self.number >= 80000

    def _membership_edges(self) -> list[Edge]:
        """Read once, before the accounts: whether an account of MySQL 8 is a role shows here."""
        if self._edges is None:
            self._edges = []
            name = "memberships_mariadb" if self.is_mariadb else "memberships_mysql"
            tables = self._membership_tables()
            with self.section("memberships"):
                if self._has_roles():
                    self._edges = [self._edge(row) for row in self.connection.rows(self.sql(name))]
            self._mended_by("memberships", *tables)
        return self._edges

    def _membership_tables(self) -> tuple[str, ...]:
        if self.is_mariadb:
            return ("mysql.roles_mapping", self._accounts_table())
        return ("mysql.role_edges", "mysql.default_roles")

    def _edge(self, row: Sequence[Any]) -> Edge:
        user, host, role, role_host, admin, is_default = row
        name = self.grant_reader.name
        return name(user, host), name(role, role_host), bool(admin), bool(is_default)

    def observe_memberships(self) -> Iterator[ObservedMembership]:
        """One per member and role. `default`: the member's logins start with it. A default role
        without a grant of its own (it may be mandatory, or granted through another) has the
        grantor DEFAULT ROLE.
        """
        edges = self._membership_edges()
        granted = {(member, role) for member, role, _, is_default in edges if not is_default}
        defaults = {(member, role) for member, role, _, is_default in edges if is_default}
        for member, role, admin, is_default in edges:
            if not is_default:
                default = (member, role) in defaults
                yield ObservedMembership(member, role, admin=admin, default=default)
            elif (member, role) not in granted:
                yield ObservedMembership(member, role, grantor=BY_DEFAULT_ROLE)

    # Grants

    def observe_grants(self) -> Iterator[ObservedGrant]:
        yield from self._global_grants()
        read = self.grant_reader
        readers: tuple[RowReader, ...] = (
            read.database,
            read.table,
            read.column,
            read.routine,
            read.proxy,
        )
        for (section, table), reader in zip(GRANT_TABLES.items(), readers, strict=True):
            yield from self._section_grants(section, table, reader)
        yield from self._definers()

    def _definers(self) -> Iterator[ObservedGrant]:
        """Complete only where the login sees all code: else rows are missing without a word."""
        with self.section("definer"):
            name = "definers_mariadb" if self.is_mariadb else "definers_mysql"
            rights = set()
            for row in self.connection.rows(self.sql(name)):
                if row[0] == "right":
                    rights.add(row[4])
                else:
                    yield from self.grant_reader.definer(row)
            if self._hides_code() and rights.isdisjoint(SEES_CODE):
                raise PermissionDenied("Routines of others are hidden from this login.")
        self._mended_by("definer", *self._code_tables())

    def _hides_code(self) -> bool:
        return not self.is_mariadb and self.number >= 80000

    def _code_tables(self) -> tuple[str, ...]:
        return () if self._hides_code() else ("mysql.proc", "mysql.event")

    def _global_grants(self) -> Iterator[ObservedGrant]:
        with self.section("global"):
            for row in self._account_rows():
                yield from self.grant_reader.static(row)
            if not self.is_mariadb and self.number >= 80000:
                for dynamic in self.connection.rows(self.sql("global_grants")):
                    yield from self.grant_reader.dynamic(dynamic)
        self._mended_by("global", "mysql.global_grants")

    def _section_grants(self, name: str, table: str, read: RowReader) -> Iterator[ObservedGrant]:
        """The grants of one table; where it is denied, the login's own from information_schema."""
        with self.section(name):
            sql = self.sql(f"{name}_grants")
            rows = self.connection.records if name == "database" else self.connection.rows
            for row in rows(sql):
                yield from read(row)
        self._mended_by(name, table)
        own = getattr(self.grant_reader, f"own_{name}", None)
        if own is not None and self.sections[name].status is SectionStatus.DENIED:
            for row in self.connection.rows(self.sql(f"own_{name}_grants")):
                yield from own(row)

    # Capacity

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Every database with its size. Sections: `databases` (the names), `sizes` (statistics of
        the tables), `files` (what InnoDB's files really take; without it, the statistics count).
        """
        held = self._login_privileges()
        names: list[tuple[str, str, str]] = []
        with self.section("databases"):
            self._demand(held, "SHOW DATABASES", *SEES_TABLES)
        names = list(self.connection.rows(self.sql("databases")))  # type: ignore[arg-type]
        tables = self._table_sizes(held, "")
        files = self._files("")
        by_database: dict[str, list[TableSize]] = defaultdict(list)
        for table in tables:
            by_database[table.database].append(table)
        reason = self.sections["sizes"].message
        measured = "files" in self.sections and self.sections["files"].is_complete
        method = "files" if measured else "statistics"
        for name, charset, collation in names:
            size = None if reason else database_size(name, by_database[name], files)
            details = {"charset": charset, "collation": collation, "method": method}
            yield ObservedDatabase(name, data_bytes=size, reason=reason, details=details)

    def observe_tables(self, database: str) -> Iterator[ObservedTable]:
        """The tables of one database, views left out. Sections: `sizes` and `files`, as above."""
        tables = self._table_sizes(self._login_privileges(), database)
        if self.sections["sizes"].is_complete:
            yield from table_sizes(tables, self._files(database))

    def _table_sizes(self, held: frozenset[str], database: str) -> list[TableSize]:
        with self.section("sizes"):
            self._demand(held, "SHOW VIEW", *SEES_TABLES)
            if self.number < 80000 and self.settings.get("innodb_stats_on_metadata") == "ON":
                raise StatementTimeout(
                    "Not measured: with innodb_stats_on_metadata on, asking for sizes makes the "
                    "server analyse every table."
                )
            rows = self.connection.rows(self.sql("table_sizes"), (database, database))
            return [TableSize(*row) for row in rows]
        return []

    def _files(self, database: str) -> Files:
        files = Files()
        if self.number < 50700:
            return files  # MySQL 5.6 does not tell
        with self.section("files"):
            for row in self.connection.rows(self.sql("file_sizes"), (database, database)):
                files.add(*row)
        if self.sections["files"].status is SectionStatus.DENIED:
            remedy = self._grant_globally("PROCESS")
            self.sections["files"] = replace(self.sections["files"], remedy=remedy)
        return files

    def _demand(self, held: frozenset[str], privilege: str, *others: str) -> None:
        """information_schema leaves out what a login may not see, without a word."""
        if not may(held, privilege, *others):
            message = f"{self.login} has no {privilege} on *.*: what it may not see is missing."
            raise PermissionDenied(message, self._grant_globally(privilege))


def server_number(version: str) -> int:
    """`8.0.36` as 80036, `10.11.6-MariaDB` as 101106. Raises UnsupportedVersion."""
    match = VERSION.search(version)
    if match is None:
        raise UnsupportedVersion(f"{version} is no version of MySQL or MariaDB.")
    major, minor, patch = (int(part or 0) for part in match.groups())
    return major * 10000 + minor * 100 + patch
