"""What each role may do by the engine's observation and rules, to be held against the server."""

from __future__ import annotations

from functools import cache, cached_property

from whalefall.engines.base import Capability, Held, Path_, Principal, Rules
from whalefall.engines.observed import Observation, ObservedMembership, Scope

Key = tuple[Scope, str | None, str, tuple[str, ...]]


class Effective:
    """A closure in ten lines: independent of the one that the product uses."""

    def __init__(self, observation: Observation, rules: Rules) -> None:
        self.observation, self.rules = observation, rules
        self.memberships = list(rules.memberships(observation))

    def roles(self, name: str, kind: str = "USAGE") -> dict[str, Path_]:
        """The roles reached by memberships that count for USAGE, SET or MEMBER."""
        counts = {"USAGE": self.rules.applies, "SET": self.rules.reachable}.get(
            kind, lambda _: True
        )
        found: dict[str, Path_] = {}
        todo: list[tuple[str, Path_]] = [(name, ())]
        for member, path in todo:
            for edge in self.edges.get(member, ()):
                if counts(edge) and edge.role not in found:
                    found[edge.role] = (*path, edge.role)
                    todo.append((edge.role, found[edge.role]))
        return found

    @cached_property
    def edges(self) -> dict[str, list[ObservedMembership]]:
        edges: dict[str, list[ObservedMembership]] = {}
        for membership in self.memberships:
            edges.setdefault(membership.member, []).append(membership)
        return edges

    @cache  # noqa: B019  # lives as long as the test run
    def held(self, name: str) -> list[Held]:
        own = [Held(grant) for grant in self.observation.grants_of(name)]
        for role, path in self.roles(name).items():
            own.extend(Held(grant, path) for grant in self.observation.grants_of(role))
        return list(self.rules.resolve(self.observation.accounts[name], own, self.observation))

    @cache  # noqa: B019
    def keys(self, name: str) -> frozenset[tuple[Scope, str, tuple[str, ...], bool]]:
        """(scope, privilege, parts, grantable), PUBLIC's included; default privileges are none."""
        held = [*self.held(name), *self.held("public")]
        kept = [h.grant for h in held if h.grant.object_type != "default privileges"]
        return frozenset((g.scope, g.privilege, g.parts, g.grantable) for g in kept)

    def may(self, name: str, privilege: str, scope: Scope, parts: tuple[str, ...]) -> bool:
        """Whether some reference of `covering()` is held; ownership is another question."""
        keys = {key[:3] for key in self.keys(name)}
        for ref in self.rules.covering(privilege, scope, parts):
            is_right = ref.privilege and ref.privilege != "OWNER"
            if is_right and (ref.scope, ref.privilege, ref.parts) in keys:
                return True
        return self.is_superuser(name)

    def may_grant(self, name: str, privilege: str, scope: Scope, parts: tuple[str, ...]) -> bool:
        """WITH GRANT OPTION: given with the grant, or by ownership (the table's, for a column)."""
        places = [(scope, parts)] + ([(Scope.TABLE, parts[:3])] if scope is Scope.COLUMN else [])
        for place, where in places:
            keys = self.keys(name)
            if (place, privilege, where, True) in keys or (place, "OWNER", where, True) in keys:
                return True
        return self.is_superuser(name)

    def is_superuser(self, name: str) -> bool:
        return "SUPERUSER" in self.capabilities(name)

    @cache  # noqa: B019
    def capabilities(self, name: str) -> dict[str, Capability]:
        roles = self.roles(name)
        admin_of = {
            edge.role: path
            for member, path in {name: (), **roles}.items()
            for edge in self.edges.get(member, ())
            if edge.admin
        }
        principal = Principal(self.observation.accounts[name], roles, admin_of, self.held(name))
        found = self.rules.capabilities(principal, self.observation)
        return {capability.name: capability for capability in found}
