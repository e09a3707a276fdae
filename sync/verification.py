"""Our facts against what the server itself says, for `manage.py verify_engine`. Nothing is stored.

The facts are worked out as in a sync, from a reading of now; the server's answers come from its own
functions and statements (`Server.testify`). What an incomplete section could hide is not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from accounts import tokens
from accounts.facts import Facts
from accounts.rights import Rights
from whalefall.engines.base import Reference, Rules
from whalefall.engines.observed import GrantState, Observation, ObservedGrant, Scope
from whalefall.engines.testimony import Answer, Entry, Listing, Testimony, Unasked


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two do not agree. `ours` and `theirs`: whether the account has it."""

    account: str
    what: str
    ours: bool
    theirs: bool
    said_by: str


@dataclass(slots=True)
class Verification:
    """`agreed`: number of agreements by what the server said them with. `unknown`: how many
    questions an incomplete section leaves open.
    """

    agreed: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    unasked: list[Unasked] = field(default_factory=list)
    unknown: int = 0

    @property
    def compared(self) -> int:
        return sum(self.agreed.values()) + len(self.differences)

    def as_dict(self) -> dict[str, Any]:
        return {
            "agreed": dict(self.agreed),
            "differences": [asdict(each) for each in self.differences],
            "not_asked": [asdict(each) for each in self.unasked],
            "unknown": self.unknown,
        }


def chosen(observation: Observation, count: int, names: Sequence[str] = ()) -> list[str]:
    """Which accounts to ask for: those named, else `count` of them, evenly spread over the list.
    Raises LookupError with the names that are not there.
    """
    missing = [name for name in names if name not in observation.accounts]
    if missing:
        raise LookupError(", ".join(missing))
    if names:
        return list(names)
    every = sorted(observation.accounts)
    step = max(1, -(-len(every) // max(count, 1)))
    return every[::step]


def compare(observation: Observation, rules: Rules, testimony: Iterable[Testimony]) -> Verification:
    found, ours = Verification(), Ours(observation, rules)
    for said in testimony:
        if isinstance(said, Unasked):
            found.unasked.append(said)
        elif isinstance(said, Answer):
            _answer(found, ours, said)
        else:
            _listing(found, ours, said)
    return found


class Ours:
    """What our facts say, asked as the access page asks."""

    def __init__(self, observation: Observation, rules: Rules) -> None:
        self.observation, self.rules = observation, rules
        self.facts = Facts(observation, rules)
        self.tokens = cache(self._tokens)

    def _tokens(self, name: str) -> frozenset[str]:
        return frozenset(self.facts.of(self.observation.accounts[name]).tokens)

    def holds(self, said: Answer) -> bool:
        if said.role:
            return self._has(said.account, tokens.role(said.role), said.reach)
        if self._may(said.account, said):
            return True
        # What everybody may do is not taken from PUBLIC where one account is denied it.
        everybody = self.present(said.publics)
        return any(self._may(name, said) for name in everybody) and not self._denied(said)

    def present(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.observation.accounts]

    def _may(self, name: str, said: Answer) -> bool:
        references = self.rules.covering(said.privilege, said.scope, said.parts)
        wanted = (each for each in references if said.owners or each.privilege != "OWNER")
        return any(self._covers(name, each, said.reach) for each in wanted)

    def _covers(self, name: str, reference: Reference, reach: bool) -> bool:
        if reference.capability:
            return self._has(name, tokens.capability(reference.capability), reach)
        scope, privilege = reference.scope, reference.privilege
        marks = {tokens.trait(scope, privilege, each) for each in reference.unless}
        if marks & self.tokens(name):
            return False
        return self._has(name, tokens.privilege(scope, privilege, reference.parts), reach)

    def _has(self, name: str, token: str, reach: bool) -> bool:
        there = self.tokens(name)
        return token in there or (reach and tokens.reach(token) in there)

    def _denied(self, said: Answer) -> bool:
        keys = {
            (each.scope, each.privilege, each.parts)
            for each in self.rules.covering(said.privilege, said.scope, said.parts)
        }
        holders = (said.account, *self.facts.graph.has(said.account))
        return any(
            grant.state is GrantState.DENY and (grant.scope, grant.privilege, grant.parts) in keys
            for holder in holders
            for grant in self.observation.grants_of(holder)
        )

    def granted(self, said: Listing) -> set[Entry]:
        """What stands in the catalog for the account itself, in the listing's scopes."""
        return {
            (grant.scope, _named(grant), grant.parts)
            for grant in self.observation.grants_of(said.account)
            if grant.scope in said.scopes and grant.privilege not in said.without
        }

    def effective(self, said: Listing) -> set[Entry]:
        """What takes effect for it and, with `publics`, for everybody."""
        found: set[Entry] = set()
        for name in (said.account, *self.present(said.publics)):
            account = self.observation.accounts[name]
            found |= _entries(self.facts.rights(account))
            for role in self.facts.graph.reach(name) if said.reach else ():
                found |= _entries(self.facts.rights(self.observation.accounts[role]))
        return {each for each in found if each[0] in said.scopes and each[1] not in said.without}

    def roles(self, said: Listing) -> set[str]:
        if said.granted:
            members = self.observation.memberships
            return {m.role for m in members if m.member == said.account}
        names = (said.account, *self.present(said.publics))
        held = {role for name in names for role in self.facts.graph.has(name)}
        if said.reach:
            held |= {role for name in names for role in self.facts.graph.reach(name)}
        return held

    def is_unknown(self, scope: Scope, parts: tuple[str, ...], role: bool = False) -> bool:
        """Whether a section that the question needs could not be read where it matters."""
        wanted = self.rules.sections_for_role() if role else self.rules.sections_for_scope(scope)
        sections = [self.observation.sections.get(name) for name in wanted]
        broken = [each for each in sections if each is not None and not each.is_complete]
        return any(not each.databases or not parts or parts[0] in each.databases for each in broken)


def _entries(rights: Rights) -> set[Entry]:
    return {
        (Scope(scope.partition(".")[0]), privilege, parts)
        for scope, _name, privilege, parts, _pattern in rights.privileges
    }


def _named(grant: ObservedGrant) -> str:
    """A privilege taken out of a wider one stands in the listing as what it is."""
    return f"REVOKE {grant.privilege}" if grant.state is GrantState.REVOKE else grant.privilege


def _answer(found: Verification, ours: Ours, said: Answer) -> None:
    mine = ours.holds(said)
    if mine == said.holds:
        found.agreed[said.said_by] += 1
    elif not mine and ours.is_unknown(said.scope, said.parts, role=bool(said.role)):
        found.unknown += 1
    else:
        what = (
            f"role {said.role}" if said.role else _shown((said.scope, said.privilege, said.parts))
        )
        found.differences.append(Difference(said.account, what, mine, said.holds, said.said_by))


def _listing(found: Verification, ours: Ours, said: Listing) -> None:
    mine = ours.granted(said) if said.granted else ours.effective(said)
    for entry in sorted(mine | said.entries):
        place = (entry[0], entry[2])
        _note(found, ours, said, _shown(entry), entry in mine, entry in said.entries, place)
    if said.roles is not None:
        has = ours.roles(said)
        for role in sorted(has | said.roles):
            _note(found, ours, said, f"role {role}", role in has, role in said.roles, None)


def _note(
    found: Verification,
    ours: Ours,
    said: Listing,
    what: str,
    mine: bool,
    theirs: bool,
    place: tuple[Scope, tuple[str, ...]] | None,
) -> None:
    if mine == theirs:
        found.agreed[said.said_by] += 1
        return
    is_role = place is None
    scope, parts = place or (Scope.GLOBAL, ())
    if not mine and ours.is_unknown(scope, parts, role=is_role):
        found.unknown += 1
    else:
        found.differences.append(Difference(said.account, what, mine, theirs, said.said_by))


def _shown(entry: Entry) -> str:
    scope, privilege, parts = entry
    place = f" {tokens.object_name(parts)}" if parts else ""
    return f"{privilege} on {scope}{place}"
