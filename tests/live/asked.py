"""What the stored tokens say, asked as `accounts.access` asks them, but one account at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from accounts import tokens
from whalefall.engines.base import Reference, Rules
from whalefall.engines.mysql.hosts import like
from whalefall.engines.observed import Scope

Parts = tuple[str, ...]


class Asked:
    """`tokens_of`: account -> its tokens as stored."""

    def __init__(self, tokens_of: Mapping[str, Iterable[str]], rules: Rules) -> None:
        self.tokens_of = {name: frozenset(found) for name, found in tokens_of.items()}
        self.rules = rules
        self.references = lru_cache(maxsize=None)(self._references)

    def _references(self, privilege: str, scope: Scope, parts: Parts) -> tuple[Reference, ...]:
        """Owning a thing is another question: who owns it may give himself the right."""
        found = self.rules.covering(privilege, scope, parts)
        return tuple(each for each in found if each.privilege != "OWNER" or privilege == "OWNER")

    def may(
        self, name: str, privilege: str, scope: Scope, parts: Parts, reach: bool = False
    ) -> bool:
        there = self.tokens_of[name]
        return any(
            self._holds(there, each, mark)
            for each in self.references(privilege, scope, parts)
            for mark in (("", "reach:") if reach else ("",))
        )

    def _holds(self, there: frozenset[str], reference: Reference, mark: str) -> bool:
        if reference.capability:
            return mark + tokens.capability(reference.capability) in there
        scope, privilege = reference.scope, reference.privilege
        if reference.pattern:
            head = f"{mark}{tokens.any_pattern(scope, privilege)}@"
            marks = [mark + tokens.trait(scope, privilege, each) for each in reference.unless]
            if any(_matches(there, each, reference.parts[0]) for each in marks):
                return False
            return _matches(there, head, reference.parts[0])
        if mark + tokens.privilege(scope, privilege, reference.parts) not in there:
            return False
        marks = {mark + tokens.trait(scope, privilege, each) for each in reference.unless}
        return not marks & there

    def may_grant(self, name: str, privilege: str, scope: Scope, parts: Parts) -> bool:
        """PostgreSQL: given WITH GRANT OPTION, on the thing or on the table round a column, or
        owned.
        """
        there = self.tokens_of[name]
        places = [(scope, parts)] + [(Scope.TABLE, parts[:3])] * (scope is Scope.COLUMN)
        words = {
            word
            for place, where in places
            for word in (
                tokens.grantable(place, privilege, where),
                tokens.privilege(place, "OWNER", where),
            )
        }
        return bool(there & words) or tokens.capability("SUPERUSER") in there


def _matches(there: Iterable[str], head: str, name: str) -> bool:
    """Whether a token begins with `head` and goes on with a pattern for `name`."""
    patterns = (tokens.bare(each.removeprefix(head)) for each in there if each.startswith(head))
    return any(like(pattern, name) for pattern in patterns)
