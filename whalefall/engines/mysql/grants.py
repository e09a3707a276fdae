"""Rows of the other grant tables as grants. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from whalefall.engines.mysql.accounts import PUBLIC, AccountRow
from whalefall.engines.mysql.hosts import is_any
from whalefall.engines.mysql.names import (
    GRANT_OPTION,
    account_name,
    from_columns,
    from_set,
    mended,
    role_name,
)
from whalefall.engines.observed import GrantState, ObservedGrant, Scope

CODE_SCOPES = {"view": Scope.TABLE, "event": Scope.OTHER}
"""Where code that is no routine stands."""


class GrantReader:
    """Turns rows into grants. `literal_patterns`: % and _ in database names mean themselves (MySQL
    with partial_revokes on).
    """

    def __init__(self, version: int, mariadb: bool, literal_patterns: bool) -> None:
        self.version = version
        self.mariadb = mariadb
        self.literal_patterns = literal_patterns

    def name(self, user: str, host: str) -> str:
        """MariaDB's roles are the entries without a host (a user's empty host is stored as %)."""
        return role_name(user) if self.mariadb and not host else account_name(user, host)

    def static(self, row: AccountRow) -> Iterator[ObservedGrant]:
        """The privileges of mysql.user, and the databases that were taken out of them."""
        grantable = GRANT_OPTION in row.privileges
        source = "mysql.global_priv" if self.mariadb else "mysql.user"
        for privilege in row.privileges:
            yield ObservedGrant(
                grantee=row.account.username,
                privilege=privilege,
                scope=Scope.GLOBAL,
                grantable=grantable,
                section="global",
                source=source,
            )
        for database, privileges in row.restrictions.items():
            for privilege in privileges:
                yield ObservedGrant(
                    grantee=row.account.username,
                    privilege=privilege,
                    scope=Scope.DATABASE,
                    database=database,
                    state=GrantState.REVOKE,
                    section="global",
                    source="mysql.user.User_attributes",
                )

    def dynamic(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        user, host, privilege, grantable = row
        yield ObservedGrant(
            grantee=self.name(user, host),
            privilege=privilege,
            scope=Scope.GLOBAL,
            grantable=bool(grantable),
            section="global",
            source="mysql.global_grants",
        )

    def database(self, row: Mapping[str, Any]) -> Iterator[ObservedGrant]:
        """Rows without a user name count for everybody who comes from that host: those of any host
        stand on PUBLIC as well.
        """
        privileges = from_columns(row, self.version, self.mariadb)
        grantees = [self.name(row["User"], row["Host"])]
        if not row["User"] and is_any(row["Host"]):
            grantees.append(PUBLIC)
        for grantee in grantees:
            for privilege in privileges:
                yield self._database_grant(
                    grantee, row["Db"], privilege, GRANT_OPTION in privileges, "mysql.db"
                )

    def table(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        user, host, database, table, grantor, members = row
        privileges = from_set(members)
        for privilege in privileges:
            yield ObservedGrant(
                grantee=self.name(user, host),
                privilege=privilege,
                scope=Scope.TABLE,
                database=database,
                object=table,
                grantable=GRANT_OPTION in privileges,
                grantor=grantor or None,
                section="table",
                source="mysql.tables_priv",
            )

    def column(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        user, host, database, table, column, members = row
        for privilege in from_set(members):
            yield ObservedGrant(
                grantee=self.name(user, host),
                privilege=privilege,
                scope=Scope.COLUMN,
                database=database,
                object=table,
                column=column,
                section="column",
                source="mysql.columns_priv",
            )

    def routine(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        *names, kind, grantor, members = row
        user, host, database, routine = map(mended, names)
        privileges = from_set(members)
        for privilege in privileges:
            yield ObservedGrant(
                grantee=self.name(user, host),
                privilege=privilege,
                scope=Scope.ROUTINE,
                database=database,
                object=routine,
                object_type=kind.lower(),
                grantable=GRANT_OPTION in privileges,
                grantor=grantor or None,
                section="routine",
                source="mysql.procs_priv",
            )

    def proxy(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        """PROXY on ''@'' is the right to be anybody; `object` is then `@`."""
        user, host, proxied_user, proxied_host, grantable, grantor = row
        yield ObservedGrant(
            grantee=self.name(user, host),
            privilege="PROXY",
            scope=Scope.OTHER,
            object=account_name(proxied_user, proxied_host),
            object_type="account",
            grantable=bool(grantable),
            grantor=grantor or None,
            section="proxy",
            source="mysql.proxies_priv",
        )

    def definer(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        """Whose code it is: the privilege DEFINER, with the trait `security_definer` where it runs
        with that account's rights, whoever calls it.
        """
        kind, database, name, definer, security = row
        user, _, host = definer.rpartition("@")
        yield ObservedGrant(
            grantee=self.name(user, host),
            privilege="DEFINER",
            scope=CODE_SCOPES.get(kind, Scope.ROUTINE),
            database=database,
            object=name,
            object_type=kind,
            section="definer",
            source="information_schema",
            traits=("security_definer",) if security == "DEFINER" else (),
        )

    def own_database(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        grantee, database, privilege, grantable = row
        if privilege != "USAGE":
            yield self._database_grant(
                self.unquoted(grantee),
                database,
                privilege,
                bool(grantable),
                "information_schema.SCHEMA_PRIVILEGES",
            )

    def own_table(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        yield from self._own_object(row[:3], None, row[3:], Scope.TABLE)

    def own_column(self, row: Sequence[Any]) -> Iterator[ObservedGrant]:
        yield from self._own_object(row[:3], row[3], row[4:], Scope.COLUMN)

    def unquoted(self, grantee: str) -> str:
        """`'user'@'host'` of information_schema, where nothing is escaped."""
        user, _, host = grantee[1:-1].rpartition("'@'")
        return self.name(user, host)

    def _own_object(
        self, names: Sequence[str], column: str | None, right: Sequence[Any], scope: Scope
    ) -> Iterator[ObservedGrant]:
        grantee, database, table = names
        privilege, grantable = right
        if privilege == "USAGE":
            return
        yield ObservedGrant(
            grantee=self.unquoted(grantee),
            privilege=privilege,
            scope=scope,
            database=database,
            object=table,
            column=column,
            grantable=bool(grantable),
            section=scope.value,
            source=f"information_schema.{scope.value.upper()}_PRIVILEGES",
        )

    def _database_grant(
        self, grantee: str, database: str, privilege: str, grantable: bool, source: str
    ) -> ObservedGrant:
        is_pattern = not self.literal_patterns and any(mark in database for mark in "%_\\")
        return ObservedGrant(
            grantee=grantee,
            privilege=privilege,
            scope=Scope.DATABASE,
            database=database,
            grantable=grantable,
            section="database",
            source=source,
            is_pattern=is_pattern,
        )


RowReader = Callable[[Any], Iterator[ObservedGrant]]
