"""A session on MySQL or MariaDB: its product and version, what it reads, and by what right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from whalefall.engines.base import Server, Target
from whalefall.engines.errors import PermissionDenied, UnsupportedVersion
from whalefall.engines.mysql.connection import Connection
from whalefall.engines.mysql.grants import GrantReader
from whalefall.engines.mysql.login import SEES_TABLES, global_privileges, may
from whalefall.engines.mysql.names import quoted, split_account
from whalefall.engines.observed import MissingPrivilege, Probe, Section, SectionStatus
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


class Session(Server):
    """Connected, set up to be harmless; `number` is the version as an integer."""

    db_type = "mysql"

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target)
        self.connection = connection
        self.vendor = "MySQL"
        self.number = 0

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

    def reads_as(self) -> str:
        return self.login

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
            own = section.remedy or self._grant(*tables)
            remedy = own or self._grant_globally("SHOW_ROUTINE")
            self.sections[name] = replace(section, remedy=remedy)

    # What there is to read in this version

    def _accounts_table(self) -> str:
        return "mysql.global_priv" if self.is_mariadb and self.number >= 100400 else "mysql.user"

    def _has_roles(self) -> bool:
        return self.is_mariadb or self.number >= 80000

    def _membership_tables(self) -> tuple[str, ...]:
        if self.is_mariadb:
            return ("mysql.roles_mapping", self._accounts_table())
        return ("mysql.role_edges", "mysql.default_roles")

    def _hides_code(self) -> bool:
        return not self.is_mariadb and self.number >= 80000

    def _code_tables(self) -> tuple[str, ...]:
        return () if self._hides_code() else ("mysql.proc", "mysql.event")


def server_number(version: str) -> int:
    """`8.0.36` as 80036, `10.11.6-MariaDB` as 101106. Raises UnsupportedVersion."""
    match = VERSION.search(version)
    if match is None:
        raise UnsupportedVersion(f"{version} is no version of MySQL or MariaDB.")
    major, minor, patch = (int(part or 0) for part in match.groups())
    return major * 10000 + minor * 100 + patch
