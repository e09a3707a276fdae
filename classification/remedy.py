"""What would have to be revoked so that a rule no longer matches an account. Text, never run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accounts import facts, tokens
from accounts.models import AccountPermission
from classification.dsl.base import engine_rules
from classification.dsl.nodes import Call, Node, Not
from classification.dsl.verdicts import Finding
from whalefall.engines.base import Rules

# A page that a person reads; who has a privilege on more objects has it from few grants.
MOST = 30
Right = tuple[str, str, tuple[str, ...]]
"""Privilege, scope, and the names of what it is on."""
EVERYWHERE = ("global", "server", "system")
OPTION = re.compile(r" WITH (ADMIN|GRANT) OPTION$")


def grounds(node: Node, finding: Finding) -> list[str]:
    """The tokens to which a match is owed. What stands under NOT is owed to nothing that is held.
    Of an OR all branches that hold count, of an AND any one would do.
    """
    if not finding.verdict or isinstance(node, Not):
        return []
    if isinstance(node, Call):
        return list(finding.tokens)
    pairs = zip(node.args, finding.parts, strict=True)
    return [word for arg, part in pairs for word in grounds(arg, part)]


def statements(permission: AccountPermission, words: Iterable[str]) -> list[str]:
    """SQL that takes these tokens away, each statement once; where the engine's rules cannot say
    it, nothing.
    """
    rules = engine_rules(permission.db_type)
    known, name = permission.permission_facts, permission.account.username
    held = [each.removeprefix("reach:") for each in permission.fact_tokens]
    found = (
        _statement(rules, known, held, name, placed)
        for word in words
        for placed in _placed(word, permission.fact_tokens)
    )
    return list(dict.fromkeys(text for text in found if text))[:MOST]


def _placed(word: str, there: Iterable[str]) -> list[str]:
    """The tokens with an object that stand behind one without ("anywhere in the scope")."""
    if "priv:" not in word and "grantable:" not in word:
        return [word]
    begins = (f"{word}@", f"{word.replace(':database:', ':database.pattern:')}@")
    return [each for each in there if each.startswith(begins)][:MOST] or [word]


def _statement(rules: Rules, known: Any, held: Sequence[str], name: str, word: str) -> str:
    """Of the way in: the first membership of its path that can be taken away, else the grant at the
    end of it.
    """
    path = facts.path(known, word)
    bare = word.removeprefix("reach:")
    direct = (known.get("reach", {}) if bare != word else known).get("direct_roles", ())
    if path and (path[0] in direct or path[0] in known.get("direct_roles", ())):
        steps = zip(path, (name, *path), strict=False)
        text = next(filter(None, (rules.revoke_role(role, member) for role, member in steps)), "")
        if text:
            return text
    own = _own(rules, known, held, path[-1] if path else name, bare)
    return next(filter(None, own), "")


def _own(rules: Rules, known: Any, held: Sequence[str], holder: str, word: str) -> Iterator[str]:
    kind, _colon, rest = word.partition(":")
    if kind in ("role", "role.direct"):
        yield rules.revoke_role(rest, holder)
    elif kind == "role.admin" and rest:
        yield rules.revoke_role(rest, holder, admin_only=True)
    elif kind in ("priv", "grantable"):
        yield rules.revoke(holder, *_read(rest), kind == "grantable")
    elif kind == "cap":
        because = known.get("capability_reasons", {}).get(rest, {}).get("because", "")
        yield from _by_reason(rules, held, holder, because)


def _by_reason(rules: Rules, held: Sequence[str], holder: str, because: str) -> Iterator[str]:
    """A capability's reason (`SELECT on sales.orders WITH GRANT OPTION`) names the right as people
    write it: which one that is, is looked up among the account's own tokens.
    """
    what = OPTION.sub("", because)
    read = (_read(token.removeprefix("priv:")) for token in held if token.startswith("priv:"))
    for right in read:
        if what in _said(right):
            yield rules.revoke(holder, *right, what != because)
    yield rules.revoke(holder, because.removesuffix(" on *.*"), "global", (), False)


def _said(right: Right) -> tuple[str, ...]:
    """How a reason may name the right; one on everything names no place, or a container."""
    privilege, scope, parts = right
    if not parts:
        return (privilege,) if scope in EVERYWHERE else ()
    where = ".".join(parts)
    return (f"{privilege} on {where}", f"{privilege} in {where}")


def _read(rest: str) -> Right:
    """What stands behind `priv:`."""
    scope, _colon, what = rest.partition(":")
    privilege, _at, place = what.partition("@")
    return privilege, scope, tokens.parts(place)
