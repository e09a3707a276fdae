"""Rows of the privilege views as grants. Pure. Names that repeat are kept once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from whalefall.engines.observed import ObservedGrant, ObservedMembership, Scope
from whalefall.engines.oracle.accounts import ROOT_ID, Names
from whalefall.engines.oracle.names import PUBLIC, scope_of

LOCAL_USERS = "database_accounts"
"""The section of the users that containers have to themselves: one that is not read keeps its."""
COMMON = "common"
"""Trait of a right given in all containers (CONTAINER=ALL) to an account of one's own."""
HIERARCHY = "hierarchy"
UNLIMITED = "unlimited"
ADMINISTRATIVE = ("SYSDBA", "SYSOPER", "SYSASM", "SYSBACKUP", "SYSDG", "SYSKM")
"""Columns of V$PWFILE_USERS, in order."""

RowReader = Callable[[tuple[Any, ...]], Iterator[ObservedGrant]]


class GrantReader:
    """`maintained`: the accounts that came with the product; theirs are common by nature."""

    def __init__(self, names: Names, maintained: frozenset[str]) -> None:
        self.names = names
        self.maintained = maintained
        self._strings: dict[str | None, str | None] = {None: None}

    def _once(self, text: str | None) -> str | None:
        return self._strings.setdefault(text, text)

    def _traits(self, grantee: str, common: str, *more: str) -> tuple[str, ...]:
        if common == "YES" and grantee != PUBLIC and grantee not in self.maintained:
            return tuple(sorted((COMMON, *more)))
        return more

    def system(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, grantee, privilege, admin, common = row
        name = self.names.of(con_id, grantee)
        yield ObservedGrant(
            grantee=name,
            privilege=self._once(privilege) or "",
            scope=Scope.SYSTEM,
            database=self.names.container(con_id, common),
            grantable=admin == "YES",
            section="system",
            source="DBA_SYS_PRIVS",
            traits=self._traits(name, common),
        )

    def schema(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, grantee, privilege, schema, admin, common = row
        name = self.names.of(con_id, grantee)
        yield ObservedGrant(
            grantee=name,
            privilege=self._once(privilege) or "",
            scope=Scope.SCHEMA,
            database=self.names.container(con_id, common),
            schema=self._once(schema),
            grantable=admin == "YES",
            section="schema",
            source="DBA_SCHEMA_PRIVS",
            traits=self._traits(name, common),
        )

    def object(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, grantee, privilege, owner, object_, kind, grantable, hierarchy, *rest = row
        grantor, common = rest
        name = self.names.of(con_id, grantee)
        scope, object_type = scope_of(kind, privilege)
        is_owned = object_type not in ("directory", "user", "edition")
        more = (HIERARCHY,) if hierarchy == "YES" else ()
        yield ObservedGrant(
            grantee=name,
            privilege=self._once(privilege) or "",
            scope=scope,
            database=self.names.container(con_id, common),
            # SYS is named as the owner of what has none: directories, users, editions.
            schema=self._once(owner) if is_owned else None,
            object=self._once(object_),
            grantable=grantable == "YES",
            grantor=self._once(grantor),
            section=scope.value,
            source="DBA_TAB_PRIVS",
            object_type=self._once(object_type),
            traits=self._traits(name, common, *more),
        )

    def column(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, grantee, privilege, owner, table, column, grantable, grantor, common = row
        name = self.names.of(con_id, grantee)
        yield ObservedGrant(
            grantee=name,
            privilege=self._once(privilege) or "",
            scope=Scope.COLUMN,
            database=self.names.container(con_id, common),
            schema=self._once(owner),
            object=self._once(table),
            column=self._once(column),
            grantable=grantable == "YES",
            grantor=self._once(grantor),
            section="column",
            source="DBA_COL_PRIVS",
            traits=self._traits(name, common),
        )

    def quota(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, user, tablespace, limit = row
        if limit:
            yield ObservedGrant(
                grantee=self.names.of(con_id, user),
                privilege="QUOTA",
                scope=Scope.TABLESPACE,
                database=self.names.container(con_id),
                object=self._once(tablespace),
                section="tablespace",
                source="DBA_TS_QUOTAS",
                traits=(UNLIMITED,) if limit < 0 else (),
            )

    def password_file(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, user, *flags = row
        for privilege, flag in zip(ADMINISTRATIVE, flags, strict=True):
            if flag == "TRUE":
                yield ObservedGrant(
                    grantee=self.names.of(con_id, user),
                    privilege=privilege,
                    scope=Scope.SERVER,
                    database=self.names.container(con_id, "YES" if con_id <= ROOT_ID else "NO"),
                    section="password_file",
                    source="V$PWFILE_USERS",
                )

    def proxy(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        """PROXY on a user: may log in as that one. With `no roles` only the user's direct rights
        come along.
        """
        con_id, proxy, client, authentication, constraint, _role = row
        traits = ["authenticated"] if authentication == "YES" else []
        if constraint == "NO CLIENT ROLES MAY BE ACTIVATED":
            traits.append("no roles")
        yield ObservedGrant(
            grantee=self.names.of(con_id, proxy),
            privilege="PROXY",
            scope=Scope.OTHER,
            database=self.names.container(con_id),
            object=self.names.of(con_id, client),
            object_type="account",
            section="proxy",
            source="DBA_PROXIES",
            traits=tuple(sorted(traits)),
        )

    def link(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        """A database link is its owner's; a public one is for everybody. What an upgrade left
        behind is noted on PUBLIC."""
        con_id, owner, name, remote_user, what = row
        leftover = what == "leftover"
        yield ObservedGrant(
            grantee=self.names.of(con_id, PUBLIC if leftover else owner),
            privilege="LEFT BEHIND" if leftover else "DATABASE LINK",
            scope=Scope.OTHER,
            database=self.names.container(con_id),
            schema=owner if leftover else None,
            object=name,
            object_type="table" if leftover else "database link",
            section="links",
            source="DBA_TABLES" if leftover else "DBA_DB_LINKS",
            traits=("fixed user",) if remote_user and not leftover else (),
        )

    def java(self, row: tuple[Any, ...]) -> Iterator[ObservedGrant]:
        con_id, grantee, type_name, target, action, kind = row
        if kind != "GRANT":
            return
        yield ObservedGrant(
            grantee=self.names.of(con_id, grantee),
            privilege="JAVA PERMISSION",
            scope=Scope.OTHER,
            database=self.names.container(con_id),
            object=f"{type_name} {target}{f' {action}' if action else ''}",
            object_type="java permission",
            section="java",
            source="DBA_JAVA_POLICY",
        )

    def ownership(self, user: str, name: str, container: str | None) -> ObservedGrant:
        """Every user owns the schema of its name."""
        return ObservedGrant(
            grantee=user,
            privilege="OWNER",
            scope=Scope.SCHEMA,
            database=container,
            schema=name,
            section="accounts" if name == user else LOCAL_USERS,
            source="DBA_USERS",
        )


class MembershipReader:
    """Rows of `memberships.sql`. A role granted in all containers and again in one is one each."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.delegates: list[ObservedGrant] = []
        self._seen: set[tuple[str, str, str | None]] = set()

    def __call__(self, row: tuple[Any, ...]) -> Iterator[ObservedMembership]:
        con_id, grantee, role, admin, delegate, default, common = row
        member, granted = self.names.of(con_id, grantee), self.names.of(con_id, role)
        container = self.names.container(con_id, common)
        if (member, granted, container) in self._seen:
            return
        self._seen.add((member, granted, container))
        if delegate == "YES":
            self.delegates.append(
                ObservedGrant(member, "DELEGATE", Scope.OTHER, database=container, object=granted,
                              section="memberships", source="DBA_ROLE_PRIVS", object_type="role")
            )  # fmt: skip
        yield ObservedMembership(
            member, granted, admin=admin == "YES", default=default == "YES", database=container
        )
