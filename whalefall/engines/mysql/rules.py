"""What grants and memberships mean in MySQL and MariaDB. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from whalefall.engines.base import Capability, Held, Principal, Reference, Rules
from whalefall.engines.mysql import revoking
from whalefall.engines.mysql.accounts import PUBLIC
from whalefall.engines.mysql.capabilities import CAPABILITIES, EXCEPT, SECTIONS, Because, Case
from whalefall.engines.mysql.hosts import covers, like
from whalefall.engines.mysql.names import (
    COLUMN_PRIVILEGES,
    DATABASE_PRIVILEGES,
    MARIADB_BITS,
    MYSQL_DYNAMIC,
    MYSQL_STATIC,
    ROUTINE_PRIVILEGES,
    TABLE_PRIVILEGES,
    account_name,
    split_account,
)
from whalefall.engines.observed import (
    GrantState,
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
)

BY_DEFAULT_ROLE = "DEFAULT ROLE"
"""Grantor of a membership that stands among the default roles only."""
BY_MANDATORY_ROLES = "mandatory_roles"
"""Grantor of a membership that the setting of this name gives to every account."""

ALIASES = {
    "REPLICATION CLIENT": "BINLOG MONITOR",
    "BINLOG MONITOR": "REPLICATION CLIENT",
    "SET_USER_ID": "SET_ANY_DEFINER",
    "SET_ANY_DEFINER": "SET_USER_ID",
}
"""The same right under the name of another version."""

WITHIN_DATABASE = {Scope.TABLE, Scope.COLUMN, Scope.ROUTINE}
BELOW_GLOBAL = {Scope.DATABASE, *WITHIN_DATABASE}

ROLE = re.compile(
    r"""\s*(?P<user>`(?:[^`]|``)*`|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s@,]+)"""
    r"""(?:@(?P<host>`(?:[^`]|``)*`|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s,]+))?\s*(?:,|$)"""
)


class MySQLRules(Rules):
    """The rules of both products; which of them is told by the observation's settings."""

    privileges = {
        Scope.GLOBAL: tuple(dict.fromkeys((*MYSQL_STATIC, *MARIADB_BITS, *MYSQL_DYNAMIC))),
        Scope.DATABASE: DATABASE_PRIVILEGES,
        Scope.TABLE: TABLE_PRIVILEGES,
        Scope.COLUMN: COLUMN_PRIVILEGES,
        Scope.ROUTINE: ROUTINE_PRIVILEGES,
        Scope.OTHER: ("PROXY",),
    }
    name_parts = {
        Scope.GLOBAL: 0,
        Scope.DATABASE: 1,
        Scope.TABLE: 2,
        Scope.COLUMN: 3,
        Scope.ROUTINE: 2,
    }
    capabilities_known = tuple(CAPABILITIES)
    accounts_have_host = True

    def memberships(self, observation: Observation) -> Iterator[ObservedMembership]:
        """What a login starts with: the default roles, or all with activate_all_roles_on_login.
        Roles inside an active role are active. mandatory_roles are everybody's, PUBLIC's too; they
        are active where activate_mandatory_roles (MySQL 9) says so.
        """
        everything = observation.settings.get("activate_all_roles_on_login") == "ON"
        always = everything or observation.settings.get("activate_mandatory_roles") == "ON"
        mandatory = self._mandatory(observation)
        seen = set()
        for membership in observation.memberships:
            # MariaDB keeps the default role of an account from which the role was taken away.
            if membership.grantor == BY_DEFAULT_ROLE and membership.role not in mandatory:
                continue
            member = observation.accounts.get(membership.member)
            is_role = member is not None and member.kind is not Kind.USER
            default = membership.default or everything or is_role
            default = default or (always and membership.role in mandatory)
            seen.add((membership.member, membership.role))
            yield replace(membership, default=default)
            yield from self._through_user(membership, default, observation)
        for role in mandatory:
            for account in observation.accounts.values():
                if account.kind is not Kind.ROLE and (account.username, role) not in seen:
                    yield ObservedMembership(
                        account.username, role, default=always, grantor=BY_MANDATORY_ROLES
                    )

    def _through_user(
        self, membership: ObservedMembership, default: bool, observation: Observation
    ) -> Iterator[ObservedMembership]:
        """A user granted as a role brings all of its roles along, its default ones or not: they
        come as memberships of their own, since its own logins start with the default ones only.
        """
        role = observation.accounts.get(membership.role)
        if role is None or role.kind is not Kind.USER:
            return
        for inner in sorted(_reached(membership.role, observation)):
            yield ObservedMembership(
                membership.member, inner, default=default, grantor=membership.role
            )

    def _mandatory(self, observation: Observation) -> tuple[str, ...]:
        return tuple(
            role
            for role in parse_roles(observation.settings.get("mandatory_roles", ""))
            if role in observation.accounts
        )

    def resolve(
        self, account: ObservedAccount, held: Sequence[Held], observation: Observation
    ) -> list[Held]:
        """Adds the grants of the same user name for wider hosts, leaves out database rows that a
        more specific one hides, and marks privileges on *.* with the databases taken out of them.
        """
        every = [*held, *self._of_wider_hosts(account, observation)]
        restrictions = _restrictions(every)
        kept = [
            _with_exceptions(one, restrictions)
            for one in every
            if one.grant.state is GrantState.GRANT
        ]
        return _without_hidden(kept, account)

    def _of_wider_hosts(self, account: ObservedAccount, observation: Observation) -> Iterator[Held]:
        """The server looks rows of mysql.db, tables_priv, columns_priv and procs_priv up by user
        name and *client* host: what `app@%` was granted there, `app@10.0.0.5` has as well. The
        privileges on *.* and the roles are the account's own (seen on MySQL 5.6, 9.7, MariaDB).
        MySQL with an active role looks at the account's own rows only.
        """
        if account.kind is not Kind.USER or account.username in self._with_roles(observation):
            return
        user, host = split_account(account.username)
        for other in _namesakes(observation).get(user, ()):
            if other == account.username or not covers(split_account(other)[1], host):
                continue
            for grant in observation.grants_of(other):
                if grant.scope in BELOW_GLOBAL and grant.section not in ("global", "definer"):
                    yield Held(grant, (other,))

    def _with_roles(self, observation: Observation) -> frozenset[str]:
        """The accounts of MySQL that have an active role at login; none in MariaDB."""
        found: frozenset[str] | None = observation.derived.get("mysql.with_roles")
        if found is None:
            members: Iterable[str] = ()
            if observation.settings.get("vendor") != "MariaDB":
                memberships = self.memberships(observation)
                members = (one.member for one in memberships if self.applies(one))
            found = observation.derived["mysql.with_roles"] = frozenset(members)
        return found

    def capabilities(self, principal: Principal, observation: Observation) -> Iterator[Capability]:
        """One of each that holds, with the ground of the shortest path."""
        case = Case(principal, observation)
        for name, question in CAPABILITIES.items():
            shortest = min(question(case), key=_length_of_path, default=None)
            if shortest is not None:
                reason, path = shortest
                yield Capability(name, reason, tuple(path))

    def revoke_role(self, role: str, member: str, admin_only: bool = False) -> str:
        return revoking.role(role, member, admin_only)

    def revoke(
        self,
        grantee: str,
        privilege: str,
        scope: str,
        parts: tuple[str, ...],
        option_only: bool = False,
    ) -> str:
        return revoking.privilege(grantee, privilege, scope, parts, option_only)

    def covering(self, privilege: str, scope: Scope, parts: tuple[str, ...]) -> Iterator[Reference]:
        """The object itself, the table round a column, the database by name and by pattern, *.*.

        SUPER is not among them: it gives no access to data in either product.
        """
        for name in dict.fromkeys((privilege, ALIASES.get(privilege, privilege))):
            yield Reference(scope, name, parts)
            if scope is Scope.COLUMN:
                yield Reference(Scope.TABLE, name, parts[:2])
            if scope in WITHIN_DATABASE:
                yield Reference(Scope.DATABASE, name, parts[:1])
            if scope in BELOW_GLOBAL:
                yield Reference(Scope.DATABASE, name, parts[:1], pattern=True)
                yield Reference(Scope.GLOBAL, name, unless=(EXCEPT + "".join(parts[:1]),))
        if privilege == "PROXY" and parts != ("@",):
            yield Reference(scope, "PROXY", ("@",))

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        section = "proxy" if scope is Scope.OTHER else scope.value
        return (section, "memberships")

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        return SECTIONS.get(name, ("accounts", "global", "memberships"))


def _length_of_path(ground: Because) -> int:
    return len(ground[1])


def parse_roles(text: str) -> list[str]:
    """The names in mandatory_roles: "`a`@`%`,b,'c'@localhost" -> a@%, b@%, c@localhost."""
    return [
        account_name(_unquoted(match["user"]), _unquoted(match["host"] or "%"))
        for match in ROLE.finditer(text)
    ]


def _unquoted(name: str) -> str:
    quote = name[:1]
    return name[1:-1].replace(quote * 2, quote) if quote in ("`", "'", '"') else name


def _reached(member: str, observation: Observation) -> set[str]:
    """Every role that was granted to `member`, directly or through others; circles end."""
    edges = observation.derived.get("mysql.edges")
    if edges is None:
        edges = observation.derived["mysql.edges"] = {}
        for membership in observation.memberships:
            if membership.grantor != BY_DEFAULT_ROLE:
                edges.setdefault(membership.member, []).append(membership.role)
    found: set[str] = set()
    waiting = [member]
    while waiting:
        for role in edges.get(waiting.pop(), ()):
            if role not in found:
                found.add(role)
                waiting.append(role)
    return found


def _namesakes(observation: Observation) -> dict[str, list[str]]:
    """Per user name the grantees that have grants below *.*, in the observation or not."""
    found = observation.derived.get("mysql.namesakes")
    if found is None:
        found = {}
        for grantee in observation.grants:
            if "@" in grantee and grantee != PUBLIC:
                found.setdefault(split_account(grantee)[0], []).append(grantee)
        observation.derived["mysql.namesakes"] = found
    return found


def _restrictions(every: Iterable[Held]) -> dict[str, frozenset[str]]:
    """Per privilege the databases that are taken out of it whichever way it comes: a way without
    the restriction, or a grant on the database itself, makes it void.
    """
    taken: dict[tuple[str, str], set[str]] = {}
    ways: dict[str, list[str]] = {}
    given: dict[str, set[str]] = {}
    for held in every:
        grant = held.grant
        if grant.state is GrantState.REVOKE:
            taken.setdefault((grant.grantee, grant.privilege), set()).add(grant.database or "")
        elif grant.scope is Scope.GLOBAL:
            ways.setdefault(grant.privilege, []).append(grant.grantee)
        elif grant.scope is Scope.DATABASE:
            given.setdefault(grant.privilege, set()).add(grant.database or "")
    found = {}
    for privilege, grantees in ways.items():
        common = set.intersection(*(taken.get((name, privilege), set()) for name in grantees))
        common -= given.get(privilege, set())
        if common:
            found[privilege] = frozenset(common)
    return found


def _with_exceptions(held: Held, restrictions: dict[str, frozenset[str]]) -> Held:
    databases = restrictions.get(held.grant.privilege)
    if held.grant.scope is not Scope.GLOBAL or not databases:
        return held
    traits = tuple(sorted({*held.grant.traits, *(EXCEPT + name for name in databases)}))
    return Held(replace(held.grant, traits=traits), held.path)


def _without_hidden(kept: list[Held], account: ObservedAccount) -> list[Held]:
    """Of one account's rows in mysql.db only the first that matches a database counts: the more
    specific host, then the more specific name. A row for exactly one database that another one
    hides therefore gives nothing. (A pattern hidden for some databases only is kept.)
    """
    own = [held for held in kept if _is_own_row(held.grant, account)]
    if len({held.grant.grantee for held in own}) < 2:
        return kept
    rows = {(held.grant.grantee, held.grant.database): held.grant for held in own}
    hidden = {key for key, grant in rows.items() if _is_hidden(grant, rows.values())}
    if not hidden:
        return kept
    return [
        held
        for held in kept
        if not (
            _is_own_row(held.grant, account) and (held.grant.grantee, held.grant.database) in hidden
        )
    ]


def _is_own_row(grant: ObservedGrant, account: ObservedAccount) -> bool:
    if grant.scope is not Scope.DATABASE or account.kind is not Kind.USER:
        return False
    return split_account(grant.grantee)[0] == split_account(account.username)[0]


def _is_hidden(grant: ObservedGrant, rows: Iterable[ObservedGrant]) -> bool:
    if grant.is_pattern:
        return False
    return any(
        row.grantee != grant.grantee
        and covers(split_account(grant.grantee)[1], split_account(row.grantee)[1])
        and _matches(row, grant.database or "")
        for row in rows
    )


def _matches(row: ObservedGrant, database: str) -> bool:
    if row.is_pattern:
        return like(row.database or "", database)
    return row.database == database
