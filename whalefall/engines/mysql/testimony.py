"""What MySQL and MariaDB say by SHOW GRANTS, one statement per account (two where roles are
active). The login's own it may always ask for; the others take SELECT on the schema mysql.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from whalefall.engines.errors import EngineError, PermissionDenied
from whalefall.engines.mysql import said
from whalefall.engines.mysql.capacity import Capacity
from whalefall.engines.mysql.names import (
    EVERYTHING,
    MYSQL_STATIC,
    MYSQL_STATIC_BEFORE_8,
    from_bits,
    quoted,
    split_account,
)
from whalefall.engines.mysql.rules import BY_DEFAULT_ROLE, MySQLRules
from whalefall.engines.observed import Kind, Observation, Scope
from whalefall.engines.testimony import Entry, Listing, Testimony, Unasked

SCOPES = (Scope.GLOBAL, Scope.DATABASE, Scope.TABLE, Scope.COLUMN, Scope.ROUTINE)
RULES = MySQLRules()


class Witness(Capacity):
    """The part of a server that is asked for its own words."""

    def testify(
        self, observation: Observation, accounts: Sequence[str], objects: int = 50
    ) -> Iterator[Testimony]:
        """The login itself first, which may always ask. `objects` does not matter: SHOW GRANTS says
        everything about an account at once.
        """
        mine = [self.login] if self.login in observation.accounts else []
        for name in dict.fromkeys((*mine, *accounts)):
            if observation.accounts[name].kind is Kind.PUBLIC and not self._has_public():
                continue
            try:
                yield from self._says(name, observation)
            except PermissionDenied as exc:
                remedy = f"GRANT SELECT ON mysql.* TO {self._account_sql(self.login)};"
                yield Unasked(name, exc.args[0], remedy)
            except said.NotUnderstood as exc:
                yield Unasked(name, f"a line of SHOW GRANTS is not understood: {exc} ...")
            except EngineError as exc:
                yield Unasked(name, exc.args[0], exc.remedy)

    def _says(self, name: str, observation: Observation) -> Iterator[Listing]:
        account = self._account_sql(name)
        own = self._read(f"SHOW GRANTS FOR {account}", name if self.is_mariadb else "")
        entries = {_as_stored(each, name, observation) for each in own.entries}
        entries |= self._unsaid(entries, [name], observation)
        # A mandatory role that was made a default one is not granted, and so not named.
        own.roles |= {
            each.role
            for each in observation.memberships
            if each.member == name and each.grantor == BY_DEFAULT_ROLE
        }
        yield Listing(
            name, "SHOW GRANTS", (*SCOPES, Scope.OTHER), frozenset(entries),
            frozenset(own.roles), granted=True, without=("DEFINER",),
        )  # fmt: skip
        active = [
            self._account_sql(each.role)
            for each in RULES.memberships(observation)
            if each.member == name and each.default
        ]
        if active and not self.is_mariadb and observation.accounts[name].kind is Kind.USER:
            all_ = self._read(f"SHOW GRANTS FOR {account} USING {', '.join(active)}", "")
            kept = {
                each
                for each in all_.entries
                if each[0] in SCOPES and not each[1].startswith(said.REVOKED)
            }
            kept |= self._unsaid(kept, _active(name, observation), observation)
            yield Listing(
                name, "SHOW GRANTS ... USING", SCOPES, frozenset(kept), without=("DEFINER",)
            )

    def _unsaid(
        self, said_: Collection[Entry], names: Iterable[str], observation: Observation
    ) -> set[Entry]:
        """Where ALL PRIVILEGES on a table are told, those on its columns are not."""
        every = self._everything()[Scope.TABLE]
        tables = {place for scope, _, place in said_ if scope is Scope.TABLE}
        whole = {
            place for place in tables if all((Scope.TABLE, each, place) in said_ for each in every)
        }
        return {
            (grant.scope, grant.privilege, grant.parts)
            for name in (names if whole else ())
            for grant in observation.grants_of(name)
            if grant.scope is Scope.COLUMN and grant.parts[:2] in whole
        }

    def _read(self, sql: str, grantee: str) -> said.Said:
        lines = [str(line) for (line,) in self.connection.rows(sql)]
        return said.read(lines, self._everything(), grantee)

    def _everything(self) -> dict[Scope, tuple[str, ...]]:
        """What ALL PRIVILEGES means on this server; GRANT OPTION is said apart."""
        static = MYSQL_STATIC if self.number >= 80000 else MYSQL_STATIC_BEFORE_8
        if self.is_mariadb:
            static = from_bits(EVERYTHING, self.number, self.number)
        found = {Scope.GLOBAL: tuple(name for name in static if name != said.GRANT_OPTION)}
        return found | {
            scope: said.all_of(scope, static)
            for scope in (Scope.DATABASE, Scope.TABLE, Scope.ROUTINE)
        }

    def _has_public(self) -> bool:
        return self.is_mariadb and self.number >= 101100

    def _account_sql(self, name: str) -> str:
        if name == "PUBLIC":
            return name
        user, host = split_account(name)
        if not host and self.is_mariadb and "@" not in name:
            return quoted(name)
        return f"{quoted(user)}@{quoted(host)}"


def _active(name: str, observation: Observation) -> list[str]:
    """The account and the roles that are active at its login."""
    memberships = [each for each in RULES.memberships(observation) if each.default]
    found = [name]
    for member in found:
        found += [each.role for each in memberships if each.member == member
                  and each.role not in found]  # fmt: skip
    return found


def _as_stored(entry: Entry, name: str, observation: Observation) -> Entry:
    """MariaDB shows PROXY on ''@'' (the right to be anybody) as on ''@'%'."""
    stored = (Scope.OTHER, "PROXY", ("@",))
    if entry == (Scope.OTHER, "PROXY", ("@%",)) and any(
        (grant.scope, grant.privilege, grant.parts) == stored
        for grant in observation.grants_of(name)
    ):
        return stored
    return entry
