"""Which rows of the grant tables the server finds: of several that match, only one counts. Pure.

`mysql.db`: rows are sorted by host, then by name, the narrower first, and the first one that
matches the client and the database is the one that is used; the others give nothing there. A row
for `sales` thus takes all out of what `sal%` gives, and rows without user name count only where no
other matches. `tables_priv` (with its columns) and `procs_priv`: the row of the narrowest host.
Seen on MySQL 5.6, 9.7 and MariaDB 10.11. MySQL 8+ with active roles puts the rows for the same name
together, the account's own and those of the roles, and again uses the first that matches: a row for
exactly that database, or else the pattern that comes first by its bytes (`f%` before `fz_a`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from whalefall.engines.base import Held
from whalefall.engines.mysql.hosts import like, may_both_match
from whalefall.engines.mysql.names import split_account
from whalefall.engines.observed import ObservedGrant, Scope

EXCEPT = "except:"
"""A trait `except:sales` of a privilege: on that database (a pattern of names where the privilege
is on one itself) it is not given after all.
"""

LONGEST_DATABASE, LONGEST_HOST = 64, 60
Rank = tuple[int, ...]
Ranking = Callable[[str, str], Rank]
"""Of a host or a name ("host", "database"): what sorts first is found first."""


def as_mysql(kind: str, text: str) -> Rank:
    """MySQL looks at how much stands before the first wildcard; addresses before networks."""
    signs = 0
    for at, sign in enumerate(text):
        if sign in "%_" and text[at - 1 : at] != "\\":
            return (1, -min(at + 1, 127))
        signs += 1
    is_network = kind == "host" and "/" in text
    return (0, int(is_network)) if signs else (2, 0)


def as_mariadb(kind: str, text: str) -> Rank:
    """MariaDB estimates how many names match (`get_magic_sort`)."""
    longest = LONGEST_DATABASE if kind == "database" else LONGEST_HOST
    fixed, many, ones, before = _signs(text)
    many, ones = min(many, 31), min(ones, 31)
    open_ = longest - fixed - ones if many else 0
    if open_ > ones:
        return (open_ * 2 + 1, many, ones, before)
    return (ones * 2, open_, many, before)


def by_bytes(kind: str, text: str) -> Rank:
    """MySQL 8+ with active roles."""
    return (1, *text.encode()) if any(sign in "%_\\" for sign in text) else (0,)


def _signs(text: str) -> tuple[int, int, int, int]:
    """Signs (bytes) that stand for themselves, runs of %, _, and signs before the first of them."""
    raw = text.encode()
    fixed = many = ones = before = at = 0
    while at < len(raw):
        sign = raw[at : at + 1]
        if sign in (b"%", b"_"):
            if not many and not ones:
                before = fixed
            if sign == b"_":
                ones += 1
            else:
                many += 1
                while raw[at + 1 : at + 2] == b"%":
                    at += 1
        else:
            at += sign == b"\\" and at + 1 < len(raw)
            fixed += 1
        at += 1
    return fixed, many, ones, before


@dataclass(slots=True)
class Row:
    """A row of mysql.db: what is given on `database` (a pattern, perhaps)."""

    database: str
    is_pattern: bool
    rank: Rank
    held: list[Held] = field(default_factory=list)
    privileges: set[str] = field(default_factory=set)

    def matches(self, database: str) -> bool:
        return like(self.database, database) if self.is_pattern else self.database == database

    @property
    def pattern(self) -> str:
        return self.database if self.is_pattern else _escaped(self.database)


@dataclass(slots=True)
class Rows:
    """Rows of which one is found, in the order in which they are looked at."""

    rows: list[Row]

    def giving(self, database: str) -> list[Row]:
        """The rows that count for a database. Of equals it is not known which one does: all."""
        found = [row for row in self.rows if row.matches(database)]
        return [row for row in found if row.rank == found[0].rank]

    def before(self, row: Row) -> list[Row]:
        """Those that can be found instead of `row`."""
        return [other for other in self.rows if other.rank < row.rank]


def effective(
    held: Sequence[Held], sets: Iterable[Rows], names: Callable[[], Iterable[str]] = tuple
) -> list[Held]:
    """What remains of `held` by what the server finds in mysql.db, given as `sets` of rows.
    `names`: databases there are, as far as known; asked for where patterns alone cannot tell.
    """
    sets = list(sets)
    if all(len(each.rows) < 2 for each in sets):
        return list(held)
    gone = {id(one) for each in sets for one in _hidden(each)}
    exceptions = _exceptions(sets, names)
    return [
        _marked(one, exceptions.get(one.grant.privilege, ())) for one in held if id(one) not in gone
    ]


def _hidden(found: Rows) -> Iterable[Held]:
    """Of rows for exactly one database those that another one hides."""
    for row in found.rows:
        if not row.is_pattern and not any(row is one for one in found.giving(row.database)):
            yield from row.held


def _exceptions(
    sets: Sequence[Rows], names: Callable[[], Iterable[str]]
) -> Mapping[str, Sequence[str]]:
    """Privilege -> patterns of databases for which no pattern gives it, though one matches."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in sets:
        for row in (one for one in each.rows if one.is_pattern):
            for other in each.before(row):
                if may_both_match(other.pattern, row.pattern):
                    for privilege in row.privileges - other.privileges:
                        if not _may_have(sets, privilege, other):
                            found[privilege].add(other.pattern)
                        elif other.is_pattern:
                            found[privilege].update(_without(sets, privilege, row, other, names()))
    return {privilege: sorted(patterns) for privilege, patterns in found.items()}


def _without(
    sets: Sequence[Rows], privilege: str, row: Row, other: Row, names: Iterable[str]
) -> Iterable[str]:
    """The databases that both rows match and that have not got the privilege, as patterns."""
    for name in names:
        if row.matches(name) and other.matches(name):
            giving = (one for each in sets for one in each.giving(name))
            if not any(privilege in one.privileges for one in giving):
                yield _escaped(name)


def _escaped(name: str) -> str:
    return "".join(f"\\{sign}" if sign in "%_\\" else sign for sign in name)


def _may_have(sets: Sequence[Rows], privilege: str, where: Row) -> bool:
    """Whether some database that `where` matches has the privilege after all. It is for certain
    for one name; for a pattern rather yes than no.
    """
    name = only_name(where.pattern)
    if name is not None:
        return any(privilege in row.privileges for each in sets for row in each.giving(name))
    return any(
        privilege in row.privileges
        and row.is_pattern
        and (where not in each.before(row))
        and may_both_match(row.pattern, where.pattern)
        for each in sets
        for row in each.rows
    )


def only_name(pattern: str) -> str | None:
    """The one name that a pattern without wildcards matches (`sales\\_eu`); None with some."""
    name, signs = "", iter(pattern)
    for sign in signs:
        if sign in "%_":
            return None
        name += next(signs, sign) if sign == "\\" else sign
    return name


def _marked(held: Held, exceptions: Sequence[str]) -> Held:
    grant = held.grant
    if grant.scope is not Scope.DATABASE or not grant.is_pattern or not exceptions:
        return held
    mine = [each for each in exceptions if may_both_match(each, grant.database or "")]
    traits = tuple(sorted({*grant.traits, *(EXCEPT + _shown(each) for each in mine)}))
    return Held(replace(grant, traits=traits), held.path) if mine else held


def _shown(pattern: str) -> str:
    """Quoted where it would be taken for a quoted one."""
    return '"' + pattern.replace('"', '""') + '"' if pattern.startswith('"') else pattern


def rows_of(held: Iterable[Held], rank: Ranking, merged: bool = False) -> Rows:
    """The rows of mysql.db among `held`. `merged`: those of several grantees for the same name are
    one.
    """
    rows: dict[tuple[str, str], Row] = {}
    for one in held:
        grant = one.grant
        if grant.scope is Scope.DATABASE and grant.section != "definer":
            user, host = split_account(grant.grantee)
            name = grant.database or ""
            key = ("" if merged else grant.grantee, name)
            if key not in rows:
                ranks = (() if merged else rank("host", host), rank("database", name), (not user,))
                rows[key] = Row(name, grant.is_pattern, sum(map(tuple, ranks), ()))
            rows[key].held.append(one)
            rows[key].privileges.add(grant.privilege)
    return Rows(sorted(rows.values(), key=lambda row: row.rank))


def narrowest(held: Iterable[Held], rank: Ranking) -> list[Held]:
    """Of grants on tables, columns and routines of one user name those of the narrowest host, thing
    by thing; the others as they are.
    """
    best: dict[tuple[object, ...], Rank] = {}
    every = [(one, _thing(one.grant), rank("host", split_account(one.grant.grantee)[1]))
             for one in held]  # fmt: skip
    for _, thing, rank_ in every:
        if thing:
            best[thing] = min(best.get(thing, rank_), rank_)
    return [one for one, thing, rank_ in every if not thing or rank_ == best[thing]]


def _thing(grant: ObservedGrant) -> tuple[object, ...]:
    """What a row of tables_priv or procs_priv is about; () for the other tables."""
    if grant.scope in (Scope.TABLE, Scope.COLUMN):
        return ("table", grant.database, grant.object)
    if grant.scope is Scope.ROUTINE:
        return (grant.object_type, grant.database, grant.object)
    return ()
