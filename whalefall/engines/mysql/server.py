"""An open MySQL or MariaDB: which statements are sent for accounts, and how each section ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from whalefall.engines.base import Target
from whalefall.engines.errors import EngineError, PermissionDenied
from whalefall.engines.mysql.accounts import AccountReader, AccountRow, public_account
from whalefall.engines.mysql.connection import Connection
from whalefall.engines.mysql.grants import RowReader
from whalefall.engines.mysql.login import SEES_TABLES
from whalefall.engines.mysql.rules import BY_DEFAULT_ROLE
from whalefall.engines.mysql.session import GRANT_TABLES, SEES_CODE
from whalefall.engines.mysql.testimony import Witness
from whalefall.engines.observed import (
    Kind,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Section,
    SectionStatus,
)

Edge = tuple[str, str, bool, bool]
"""member, role, admin, is_default."""


class MySQLServer(Witness):
    """Reads MySQL 5.6 to 9.x and MariaDB 10.3 and later, with the same statements where it can."""

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target, connection)
        self._rows: list[AccountRow] | None = None
        self._edges: list[Edge] | None = None

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
                rows = (reader.read(row, granted) for row in self._noting_us(sql))
                self._rows = list(reader.with_shared_passwords(rows))
            except EngineError as exc:
                denied = isinstance(exc, PermissionDenied)
                status = SectionStatus.DENIED if denied else SectionStatus.FAILED
                exc.remedy = exc.remedy or (self._grant(table) if denied else "")
                self.sections["accounts"] = Section("accounts", status, exc.args[0], exc.remedy)
                raise
        return self._rows

    def _noting_us(self, sql: str) -> Iterator[dict[str, Any]]:
        """The rows of the accounts, each of which also says who asks: it saves a statement."""
        for row in self.connection.records(sql):
            self.__dict__.setdefault("login", str(row.pop("reads_as")))
            yield row

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
            if rights.isdisjoint({"SHOW VIEW", *SEES_TABLES}) or self._is_restricted("SHOW VIEW"):
                remedy = self._grant_globally("SHOW VIEW")
                raise PermissionDenied("Views of others are hidden from this login.", remedy)
        self._mended_by("definer", *self._code_tables())

    def _is_restricted(self, privilege: str) -> bool:
        """Whether some database was taken out of this login's privilege (a partial revoke)."""
        return any(
            privilege in privileges
            for row in self._account_rows()
            if row.account.username == self.login
            for privileges in row.restrictions.values()
        )

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
