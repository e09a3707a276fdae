"""An open MySQL or MariaDB: which statements are sent, and how each section ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from whalefall.engines.base import Server, Target
from whalefall.engines.errors import EngineError, PermissionDenied, UnsupportedVersion
from whalefall.engines.mysql.accounts import PUBLIC, AccountReader, AccountRow, public_account
from whalefall.engines.mysql.connection import Connection
from whalefall.engines.mysql.grants import GrantReader
from whalefall.engines.mysql.rules import BY_DEFAULT_ROLE
from whalefall.engines.observed import (
    Kind,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Section,
    SectionStatus,
)
from whalefall.engines.queries import load

SQL = Path(__file__).parent / "sql"
OLDEST = {"MySQL": 50600, "MariaDB": 100300}
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


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
        match = VERSION.search(version)
        if match is None:
            raise UnsupportedVersion(f"{version} is no version of MySQL or MariaDB.")
        major, minor, patch = (int(part or 0) for part in match.groups())
        self.number = major * 10000 + minor * 100 + patch
        self.main_version = f"{major}.{minor}"
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
            with self.section("memberships", self._grant(*tables)):
                if self._has_roles():
                    self._edges = [self._edge(row) for row in self.connection.rows(self.sql(name))]
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
        yield from self._section_grants("database", "mysql.db", self.grant_reader.database)
        yield from self._section_grants("table", "mysql.tables_priv", self.grant_reader.table)
        yield from self._section_grants("column", "mysql.columns_priv", self.grant_reader.column)
        yield from self._section_grants("routine", "mysql.procs_priv", self.grant_reader.routine)
        yield from self._section_grants("proxy", "mysql.proxies_priv", self.grant_reader.proxy)

    def _global_grants(self) -> Iterator[ObservedGrant]:
        with self.section("global", self._grant("mysql.global_grants")):
            for row in self._account_rows():
                yield from self.grant_reader.static(row)
            if not self.is_mariadb and self.number >= 80000:
                for dynamic in self.connection.rows(self.sql("global_grants")):
                    yield from self.grant_reader.dynamic(dynamic)

    def _section_grants(
        self, name: str, table: str, read: Callable[[Any], Iterator[ObservedGrant]]
    ) -> Iterator[ObservedGrant]:
        """The grants of one table; where it is denied, the login's own from information_schema."""
        with self.section(name, self._grant(table)):
            sql = self.sql(f"{name}_grants")
            rows = self.connection.records if name == "database" else self.connection.rows
            for row in rows(sql):
                yield from read(row)
        own = getattr(self.grant_reader, f"own_{name}", None)
        if own is not None and self.sections[name].status is SectionStatus.DENIED:
            for row in self.connection.rows(self.sql(f"own_{name}_grants")):
                yield from own(row)

    def _grant(self, *tables: str) -> str:
        login = self.target.username
        return " ".join(f"GRANT SELECT ON {table} TO {_quoted(login)};" for table in tables)


def _quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


__all__ = ["PUBLIC", "MySQLServer"]
