"""Facts v2: what an account may do in effect, by which path, and the tokens that index it. Pure.

`Facts(observation, rules)` yields one `AccountFacts` per account, one at a time, so that an
instance with 100,000 accounts is never held twice. `docs/facts.md` shows the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import snapshot as snapshots
from accounts import tokens
from accounts.effective import Closure, Graph, Path
from accounts.rights import Placed, Reached, Rights, add, token_paths
from accounts.snapshot import Json
from whalefall.engines.base import Held, Principal, Rules
from whalefall.engines.observed import (
    GrantState,
    Kind,
    Observation,
    ObservedAccount,
    ObservedMembership,
)

VERSION = 2
# Rights of roles kept for reuse, in entries; a role may hold thousands of them.
REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account as it is to be stored. `columns` are the typed copies, by field name."""

    username: str
    kind: Kind
    snapshot: Json
    facts: Json
    tokens: list[str]
    columns: dict[str, bool | datetime | None]
    snapshot_fingerprint: str
    facts_fingerprint: str


class Facts:
    """The facts of every account of one observation.

    `sections`: per username what `accounts.earlier` found out; others get the observation's own.
    """

    def __init__(
        self,
        observation: Observation,
        rules: Rules,
        sections: Mapping[str, dict[str, Json]] | None = None,
    ) -> None:
        self.observation = observation
        self.rules = rules
        self.graph = Graph(rules.memberships(observation), rules)
        self._sections = sections or {}
        self._plain_sections = snapshots.sections_json(observation.sections)
        self._memberships: dict[str, Sequence[ObservedMembership]] = {}
        for membership in observation.memberships:
            self._remember(membership)
        self._inherited: dict[int, tuple[Closure, list[Held]]] = {}
        self._of_role: dict[str, Rights] = {}
        self._more: dict[str, Rights] = {}
        self._weight = 0

    def _remember(self, membership: ObservedMembership) -> None:
        """A list only for who has several: of 100,000 accounts most have one."""
        known = self._memberships.get(membership.member)
        if isinstance(known, list):
            known.append(membership)
        else:
            both = [known[0], membership] if known else (membership,)
            self._memberships[membership.member] = both

    def __iter__(self) -> Iterator[AccountFacts]:
        for account in self.observation.accounts.values():
            yield self.of(account)

    def of(self, account: ObservedAccount) -> AccountFacts:
        """Snapshot, facts and tokens of one account."""
        name = account.username
        sections = self._sections.get(name, self._plain_sections)
        snapshot = snapshots.build(
            self.observation.db_type,
            account,
            self.observation.grants_of(name),
            self._memberships.get(name, ()),
            sections,
        )
        rights = self.rights(account)
        own = token_paths(rights)
        reached = self.reached(account, rights, own)
        facts = facts_json(self.observation.db_type, account, rights, own, reached)
        facts["sections"] = {name: entry["status"] for name, entry in sections.items()}
        unread = {name: sorted(entry.get("databases", ())) for name, entry in sections.items()}
        if any(unread.values()):
            facts["unread"] = {name: databases for name, databases in unread.items() if databases}
        facts_fingerprint = snapshots.digest(facts)
        facts |= {"errors": snapshots.errors(sections), "meta": {}}
        return AccountFacts(
            name,
            account.kind,
            snapshot,
            facts,
            self._tokens(account, own, reached.paths, sections),
            columns(account, rights),
            snapshots.fingerprint(snapshot),
            facts_fingerprint,
        )

    def _tokens(
        self,
        account: ObservedAccount,
        own: Iterable[str],
        further: Iterable[str],
        sections: Mapping[str, Json],
    ) -> list[str]:
        found = {tokens.engine(self.observation.db_type), tokens.kind(account.kind.value)}
        found.update(own)
        found.update(map(tokens.reach, further))
        for name, entry in sections.items():
            if entry["status"] != "complete":
                databases = entry.get("databases", ())
                found.update(tokens.incomplete(name, entry["status"], databases))
        return sorted(found)

    def rights(self, account: ObservedAccount) -> Rights:
        """What takes effect for this account at login."""
        return self._rights(account, self._effective(account))

    def _effective(self, account: ObservedAccount) -> Sequence[Held]:
        held: list[Held] = [Held(grant) for grant in self.observation.grants_of(account.username)]
        if roles := self.graph.has(account.username):
            held += self._through(roles)
        return self.rules.resolve(account, held, self.observation)

    def _rights(self, account: ObservedAccount, effective: Sequence[Held]) -> Rights:
        name = account.username
        roles = self.graph.has(name)
        rights = Rights(self.graph.direct(name), roles, self.graph.admin_of(name))
        for each in effective:
            if each.grant.state is GrantState.GRANT:
                add(rights, each.grant, each.path)
        principal = Principal(account, roles, rights.admin_of, effective)
        for capability in self.rules.capabilities(principal, self.observation):
            known = rights.capabilities.get(capability.name)
            if known is None or len(capability.path) < len(known.path):
                rights.capabilities[capability.name] = capability
        return rights

    def reached(self, account: ObservedAccount, own: Rights, has: Mapping[str, Path]) -> Reached:
        """What explicit steps (SET ROLE) add to what the account has anyway (`has`: its tokens)."""
        name = account.username
        steps = self.graph.reach(name)
        reached = Reached()
        for step, prefix in steps.items():
            there = self._more_in_role(step) if step in own.roles else self._rights_of_role(step)
            reached.add_roles(step, prefix, there, own, name)
            reached.add_capabilities(step, prefix, there, own, self.rules.personal)
            reached.add_rights(prefix, there, own)
            reached.add_paths(step, prefix, there.paths, has)
        direct = set(self.graph.directly_reachable(name)).difference(own.direct)
        reached.rights.direct = tuple(sorted(direct))
        for role in direct:
            reached.paths[tokens.role(role, direct=True)] = (role, ())
        return reached

    def _rights_of_role(self, name: str) -> Rights:
        if name not in self._of_role:
            self._make_room()
            account = self.observation.accounts.get(name) or ObservedAccount(name, Kind.ROLE)
            effective = self._effective(account)
            rights = self._of_role[name] = self._rights(account, effective)
            rights.paths = token_paths(rights)
            self._weight += len(rights.paths)
            self._more[name] = self._not_passed_on(name, rights, effective)
        return self._of_role[name]

    def _make_room(self) -> None:
        if self._weight > REMEMBERED:
            self._of_role.clear()
            self._inherited.clear()
            self._weight = 0

    def _more_in_role(self, name: str) -> Rights:
        """What taking on a role adds to holding it: what an engine does not pass on to members
        (attributes of PostgreSQL), and the capabilities that follow.
        """
        if name not in self._more:
            self._rights_of_role(name)
        return self._more[name]

    def _not_passed_on(self, name: str, rights: Rights, effective: Sequence[Held]) -> Rights:
        passed_on = set(map(id, self.observation.grants_of(name)))
        more = Rights(capabilities=rights.capabilities)
        for each in effective:
            if not each.path and id(each.grant) not in passed_on:
                add(more, each.grant, ())
        more.paths = token_paths(more)
        return more

    def _through(self, roles: Closure) -> list[Held]:
        """The grants of all these roles. Shared by accounts with the same ones."""
        if id(roles) not in self._inherited:
            self._make_room()
            held = [
                Held(grant, path)
                for role, path in roles.items()
                for grant in self.observation.grants_of(role)
            ]
            # The closure is kept with it, so that its id is not given to another one.
            self._inherited[id(roles)] = (roles, held)
            self._weight += len(held) + len(roles)
        return self._inherited[id(roles)][1]


def facts_json(
    db_type: str,
    account: ObservedAccount,
    rights: Rights,
    own: Mapping[str, Path],
    reached: Reached,
) -> Json:
    """Facts v2 without sections, errors and meta."""
    direct = {tokens.role(role) for role in rights.direct}
    facts = {
        "version": VERSION,
        "db_type": db_type,
        "kind": account.kind.value,
        **_rights_json(rights),
        "direct_roles": sorted(rights.direct),
        "paths": {token: list(path) for token, path in own.items() if path and token not in direct},
    }
    if not reached.paths:
        facts["reach"] = NOTHING_MORE
        return facts
    more = reached.rights
    facts["reach"] = {
        **_rights_json(more),
        "direct_roles": sorted(more.direct),
        "paths": {
            token: {"set_role": step, "path": list(path)}
            for token, (step, path) in reached.paths.items()
        },
    }
    return facts


def _rights_json(rights: Rights) -> Json:
    return {
        "capabilities": sorted(rights.capabilities),
        "capability_reasons": {
            name: {"because": found.because, "path": list(found.path)}
            for name, found in rights.capabilities.items()
        },
        "roles": sorted(rights.roles),
        "admin_of": sorted(rights.admin_of),
        "privileges": _by_scope(rights.privileges),
        "grantable": _by_scope(rights.grantable),
        "traits": {":".join(key): sorted(objects) for key, objects in rights.traits.items()},
    }


def _by_scope(privileges: Iterable[Placed]) -> Json:
    """scope -> list of privileges, or object -> list where some entry names one."""
    scopes: dict[str, dict[str, set[str]]] = {}
    for scope, name, privilege, _parts, _is_pattern in privileges:
        scopes.setdefault(scope, {}).setdefault(name, set()).add(privilege)
    return {
        scope: sorted(objects[""])
        if objects.keys() == {""}
        else {name: sorted(names) for name, names in objects.items()}
        for scope, objects in scopes.items()
    }


# Shared by all accounts that reach nothing: most of them.
NOTHING_MORE: Json = {**_rights_json(Rights()), "direct_roles": [], "paths": {}}


def columns(account: ObservedAccount, rights: Rights) -> dict[str, bool | datetime | None]:
    """The typed copies that lists, filters and the clock's questions use."""
    return {
        "is_superuser": "SUPERUSER" in rights.capabilities,
        "is_locked": account.is_locked,
        "can_login": account.can_login,
        "valid_until": account.valid_until,
        "password_changed_at": account.password_changed_at,
        "last_login_at": account.last_login_at,
    }


def path(facts: Mapping[str, Any], token: str) -> list[str]:
    """The roles a token came through, nearest first; [] where it is the account's own."""
    if token.startswith("reach:"):
        step = facts.get("reach", {}).get("paths", {}).get(token.removeprefix("reach:"))
        return list(step["path"]) if step else []
    own_role = token.removeprefix("role:")
    if own_role != token and own_role in facts.get("direct_roles", ()):
        return [own_role]
    return list(facts.get("paths", {}).get(token, ()))


def explain(
    username: str, facts: Mapping[str, Any], token: str, say: Callable[[str], str] = str
) -> str:
    """One line for people: `alice -> team_rw -> dba_role: CREATE USER (SET ROLE dba_role)`."""
    bare = token.removeprefix("reach:")
    word, _colon, rest = bare.partition(":")
    where = facts.get("reach", {}) if bare != token else facts
    if word == "cap":
        reason = where.get("capability_reasons", {}).get(rest, {})
        what = f"{rest} ({say(reason['because'])})" if reason.get("because") else rest
    elif word in ("priv", "grantable") and ":" in rest:
        what = rest.partition(":")[2].replace("@", " ON ", 1)
        what += " WITH GRANT OPTION" if word == "grantable" else ""
    else:
        what = bare
    line = f"{' -> '.join([username, *path(facts, token)])}: {what}"
    step = facts.get("reach", {}).get("paths", {}).get(bare) if bare != token else None
    return f"{line} (SET ROLE {step['set_role']})" if step else line
