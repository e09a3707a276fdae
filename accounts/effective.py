"""Who is in which role, through whom: closures over memberships, with the shortest path to each.

A path is a tuple of role names, nearest first, and ends with the role it leads to. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from whalefall.engines.base import Path_ as Path
from whalefall.engines.base import Rules
from whalefall.engines.observed import ObservedMembership

Edges = dict[str, Sequence[str]]
Closure = dict[str, Path]
"""Role -> shortest path, in order of distance, then of name."""

# Path elements of closures kept for reuse: most accounts share their direct roles with others.
REMEMBERED = 1_000_000


def closure(
    first: Iterable[str], edges: Mapping[str, Sequence[str]], without: str | None = None
) -> Closure:
    """Everything that is reached from the roles `first`. Circles end where they began."""
    paths: Closure = {role: (role,) for role in first if role != without}
    order = list(paths)
    for role in order:  # grows while it is walked
        for further in edges.get(role, ()):
            if further not in paths and further != without:
                paths[further] = (*paths[role], further)
                order.append(further)
    return paths


class Graph:
    """The memberships of one instance under its engine's rules."""

    def __init__(self, memberships: Iterable[ObservedMembership], rules: Rules) -> None:
        has: Edges = {}
        reach: Edges = {}
        admin: Edges = {}
        self._roles: set[str] = set()
        for edge in memberships:
            self._roles.add(edge.role)
            if rules.applies(edge):
                _add(has, edge)
            if rules.reachable(edge):
                _add(reach, edge)
            if edge.admin:
                _add(admin, edge)
        shared: dict[Sequence[str], tuple[str, ...]] = {}
        self._has, self._reach, self._admin = (
            _sorted(edges, shared) for edges in (has, reach, admin)
        )
        self._known: dict[tuple[int, str | None, tuple[str, ...]], Closure] = {}
        self._weight = 0

    def direct(self, name: str) -> tuple[str, ...]:
        """Its own roles that take effect at login, sorted."""
        return self._has.get(name, ())

    def directly_reachable(self, name: str) -> tuple[str, ...]:
        return self._reach.get(name, ())

    def has(self, name: str) -> Closure:
        """The roles whose rights take effect at login."""
        return self._closure(name, self._has)

    def reach(self, name: str) -> Closure:
        """The roles it may take on by an explicit step, at once or one after the other."""
        return self._closure(name, self._reach)

    def admin_of(self, name: str) -> dict[str, Path]:
        """Roles it may give on, with the path to the role that holds that option; own ones: ()."""
        found: dict[str, Path] = dict.fromkeys(self._admin.get(name, ()), ())
        roles = self.has(name)
        for holder in roles if self._admin.keys() & roles.keys() else ():
            for role in self._admin.get(holder, ()):
                found.setdefault(role, roles[holder])
        return found

    def _closure(self, name: str, edges: dict[str, tuple[str, ...]]) -> Closure:
        # Only who is a role itself can stand in a circle, and is not to be in itself.
        without = name if name in self._roles else None
        key = (id(edges), without, edges.get(name, ()))
        if key not in self._known:
            if self._weight > REMEMBERED:
                self._known.clear()
                self._weight = 0
            self._known[key] = found = closure(key[2], edges, without)
            self._weight += sum(map(len, found.values()))
        return self._known[key]


def _add(edges: Edges, edge: ObservedMembership) -> None:
    """A list only for who has several roles: of 100,000 accounts most have one."""
    known = edges.get(edge.member)
    if isinstance(known, list):
        known.append(edge.role)
    else:
        edges[edge.member] = [known[0], edge.role] if known else (edge.role,)


def _sorted(
    edges: Edges, shared: dict[Sequence[str], tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Equal sets of roles become one tuple: few accounts have one of their own."""
    found: dict[str, tuple[str, ...]] = {}
    while edges:
        name, roles = edges.popitem()
        key = tuple(sorted(set(roles)))
        found[name] = shared.setdefault(key, key)
    return found
