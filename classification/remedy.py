"""What would have to be revoked so that a rule no longer matches an account. Text, never run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from accounts import facts, tokens
from accounts.models import AccountPermission
from classification.dsl.base import engine_rules
from classification.dsl.nodes import Call, Node, Not
from classification.dsl.verdicts import Finding
from whalefall.engines.base import Rules

# A page that a person reads; who has a privilege on more objects has it from few grants.
MOST = 30


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
    found = (
        _statement(rules, known, name, placed)
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


def _statement(rules: Rules, known: Any, name: str, word: str) -> str:
    """Of the way in: the membership by which it comes, else the grant at the end of the path."""
    path = facts.path(known, word)
    bare = word.removeprefix("reach:")
    direct = (known.get("reach", {}) if bare != word else known).get("direct_roles", ())
    if path and (path[0] in direct or path[0] in known.get("direct_roles", ())):
        return rules.revoke_role(path[0], name)
    return next(_own(rules, known, path[-1] if path else name, bare), "")


def _own(rules: Rules, known: Any, holder: str, word: str) -> Iterator[str]:
    kind, _colon, rest = word.partition(":")
    if kind in ("role", "role.direct"):
        yield rules.revoke_role(rest, holder)
    elif kind in ("priv", "grantable"):
        scope, _colon, what = rest.partition(":")
        privilege, _at, place = what.partition("@")
        parts = tokens.parts(place)
        yield rules.revoke(holder, privilege, scope, parts, kind == "grantable")
    elif kind == "cap":
        because = known.get("capability_reasons", {}).get(rest, {}).get("because", "")
        yield rules.revoke(holder, because.removesuffix(" on *.*"), "global", (), False)
