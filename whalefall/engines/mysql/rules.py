"""What grants and memberships mean in MySQL and MariaDB. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from whalefall.engines.base import Capability, Held, Principal, Reference, Rules
from whalefall.engines.mysql import revoking
from whalefall.engines.mysql.accounts import PUBLIC
from whalefall.engines.mysql.capabilities import CAPABILITIES, SECTIONS, Because, Case
from whalefall.engines.mysql.hosts import covers, is_any
from whalefall.engines.mysql.lookup import (
    EXCEPT,
    Rows,
    as_mariadb,
    as_mysql,
    by_bytes,
    effective,
    narrowest,
    only_name,
    rows_of,
)
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
        is_mariadb = observation.settings.get("vendor") == "MariaDB"
        everything = observation.settings.get("activate_all_roles_on_login") == "ON"
        always = everything or observation.settings.get("activate_mandatory_roles") == "ON"
        mandatory = self._mandatory(observation)
        seen = set()
        yield from _of_namesakes(observation)
        for membership in observation.memberships:
            # MariaDB keeps the default role of an account from which the role was taken away.
            if membership.grantor == BY_DEFAULT_ROLE and membership.role not in mandatory:
                continue
            if not is_mariadb and membership.member[:1] == "@":
                continue  # an anonymous user of MySQL has no roles, mandatory ones neither
            member = observation.accounts.get(membership.member)
            is_role = member is not None and member.kind is not Kind.USER
            default = membership.default or everything or is_role
            default = default or (always and membership.role in mandatory)
            seen.add((membership.member, membership.role))
            yield replace(membership, default=default)
            yield from self._through_user(membership, default, observation)
        for role in mandatory:
            for account in observation.accounts.values():
                is_member = account.kind is not Kind.ROLE and account.username[:1] != "@"
                if is_member and (account.username, role) not in seen:
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
        """Adds the grants of the same user name for wider hosts, leaves out rows that another one
        hides, and marks privileges with the databases that are taken out of them.
        """
        is_mariadb = observation.settings.get("vendor") == "MariaDB"
        rank = as_mariadb if is_mariadb else as_mysql
        wider = list(self._of_wider_hosts(account, observation))
        every = [*held, *wider]
        if wider:
            own = [one for one in every if _is_looked_up(one, account, observation)]
            lost = set(map(id, own)).difference(map(id, narrowest(own, rank)))
            every = [one for one in every if id(one) not in lost]
        restrictions = _restrictions(every)
        kept = [
            _with_exceptions(one, restrictions)
            for one in every
            if one.grant.state is GrantState.GRANT
        ]
        rows = self._rows(kept, account, observation, is_mariadb)
        return effective(kept, rows, lambda: _databases_named(observation))

    def _rows(
        self,
        kept: Sequence[Held],
        account: ObservedAccount,
        observation: Observation,
        is_mariadb: bool,
    ) -> list[Rows]:
        """MariaDB looks at the account's rows, and then at those that its role has with the roles
        inside it. MySQL with active roles throws all rows together.
        """
        is_user = account.kind is Kind.USER
        if not is_mariadb and (not is_user or account.username in self._with_roles(observation)):
            return [rows_of(kept, by_bytes, merged=True)]
        rank = as_mariadb if is_mariadb else as_mysql
        own = [one for one in kept if is_user and _is_looked_up(one, account, observation)]
        mine = set(map(id, own))
        roles = [one for one in kept if id(one) not in mine]
        everybodys = _everybodys(observation) if is_user and account.username[:1] != "@" else []
        return [rows_of([*own, *everybodys], rank), rows_of(roles, rank, merged=True)]

    def _of_wider_hosts(self, account: ObservedAccount, observation: Observation) -> Iterator[Held]:
        """The server looks rows of mysql.db, tables_priv, columns_priv and procs_priv up by user
        name and *client* host: what `app@%` was granted there, `app@10.0.0.5` has as well. The
        privileges on *.* and the roles are the account's own (seen on MySQL 5.6, 9.7, MariaDB).
        MySQL with an active role looks at the account's own rows only.
        """
        if account.kind is not Kind.USER or account.username in self._with_roles(observation):
            return
        user, host = split_account(account.username)
        namesakes = _namesakes(observation)
        for other in (*namesakes.get(user, ()), *(namesakes.get("", ()) if user else ())):
            name, wider = split_account(other)
            if other == account.username or not covers(wider, host):
                continue
            if user and not name and is_any(wider):
                continue  # everybody's: these rows stand on PUBLIC
            for grant in observation.grants_of(other):
                scopes = BELOW_GLOBAL if name == user else {Scope.DATABASE}
                if grant.scope in scopes and grant.section not in ("global", "definer"):
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
                yield Reference(Scope.DATABASE, name, parts[:1], pattern=True, unless=(EXCEPT,))
                yield Reference(Scope.GLOBAL, name, unless=(EXCEPT + "".join(parts[:1]),))
        if privilege == "PROXY" and parts != ("@",):
            yield Reference(scope, "PROXY", ("@",))

    def sections_for_scope(self, scope: Scope) -> tuple[str, ...]:
        section = "proxy" if scope is Scope.OTHER else scope.value
        return (section, "memberships")

    def sections_for_capability(self, name: str) -> tuple[str, ...]:
        return SECTIONS.get(name, ("accounts", "global", "memberships"))


def _of_namesakes(observation: Observation) -> Iterator[ObservedMembership]:
    """MariaDB asks whether a role was granted to the user name for the client's host: an account
    may set, and have as its default, the roles of its namesakes for wider hosts.
    """
    if observation.settings.get("vendor") != "MariaDB":
        return
    granted: dict[str, list[ObservedMembership]] = {}
    chosen: set[tuple[str, str]] = set()
    for each in observation.memberships:
        if each.grantor == BY_DEFAULT_ROLE:
            chosen.add((each.member, each.role))
        elif (member := observation.accounts.get(each.member)) and member.kind is Kind.USER:
            granted.setdefault(split_account(each.member)[0], []).append(each)
    for account in observation.accounts.values() if granted else ():
        user, host = split_account(account.username)
        for each in granted.get(user, ()) if account.kind is Kind.USER else ():
            is_other = each.member != account.username
            if is_other and covers(split_account(each.member)[1], host):
                default = (account.username, each.role) in chosen
                yield ObservedMembership(
                    account.username, each.role, default=default, grantor=each.member
                )


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


def _databases_named(observation: Observation) -> frozenset[str]:
    """The databases that some grant names."""
    found: frozenset[str] | None = observation.derived.get("mysql.databases")
    if found is None:
        named = {
            only_name(grant.database) if grant.is_pattern else grant.database
            for grants in observation.grants.values()
            for grant in grants
            if grant.database
        }
        found = observation.derived["mysql.databases"] = frozenset(filter(None, named))
    return found


def _everybodys(observation: Observation) -> list[Held]:
    """The rows without user name for any host: they stand on PUBLIC, but can hide an account's."""
    found: list[Held] | None = observation.derived.get("mysql.everybodys")
    if found is None:
        found = observation.derived["mysql.everybodys"] = [
            Held(grant)
            for name in _namesakes(observation).get("", ())
            if is_any(split_account(name)[1])
            for grant in observation.grants_of(name)
        ]
    return found


def _is_looked_up(held: Held, account: ObservedAccount, observation: Observation) -> bool:
    """Whether the server finds it by the user name and the client's host: the account's own, and
    those of wider hosts, but not what came through a role.
    """
    grantee = held.grant.grantee
    if held.path not in ((), (grantee,)):
        return False
    known = observation.accounts.get(grantee)
    is_user = known is None or known.kind is Kind.USER
    return is_user and split_account(grantee)[0] in (split_account(account.username)[0], "")


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
