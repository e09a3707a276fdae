"""Sizes of databases and tables: what is asked, and what is said where it may not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from whalefall.engines.errors import PermissionDenied, StatementTimeout
from whalefall.engines.mysql.login import SEES_TABLES, may
from whalefall.engines.mysql.session import Session
from whalefall.engines.mysql.sizes import Files, TableSize, database_size, parts, table_sizes
from whalefall.engines.observed import ObservedDatabase, ObservedTable, SectionStatus


class Capacity(Session):
    """The part of a server that measures."""

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Every database with its size. Sections: `databases` (the names), `sizes` (statistics of
        the tables), `files` (what InnoDB's files really take; without it, the statistics count).
        """
        held = self._login_privileges()
        # The names last: a database that is dropped meanwhile is gone, and not of size 0.
        tables = self._table_sizes(held, "")
        files = self._files("")
        with self.section("databases"):
            self._demand(held, "SHOW DATABASES", *SEES_TABLES)
        names = list(self.connection.rows(self.sql("databases")))
        by_database: dict[str, list[TableSize]] = defaultdict(list)
        for table in tables:
            by_database[table.database].append(table)
        reason = self.sections["sizes"].message
        measured = "files" in self.sections and self.sections["files"].is_complete
        method = "files" if measured else "statistics"
        for name, charset, collation in names:
            size = None if reason else database_size(name, by_database[name], files)
            details: dict[str, Any] = {
                "charset": charset,
                "collation": collation,
                "method": method,
            }
            if size is not None:
                details |= parts(by_database[name], files)
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
