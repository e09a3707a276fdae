"""True, False or unknown (Kleene's logic): as a query for the store, and for one account in
Python with the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any as Anything

from django.db.models import Q

from classification.dsl.base import Doubts, TokenPredicate
from classification.dsl.nodes import All, Any, Call, Node, Not, calls, describe
from classification.dsl.subject import Context, Subject


def true(node: Node, context: Context) -> Q:
    """The accounts for which the answer is yes."""
    if isinstance(node, Call):
        return node.predicate.true(node.args, context)
    if isinstance(node, Not):
        return ~possible(node.arg, context)
    connector = Q.AND if isinstance(node, All) else Q.OR
    return Q(*(true(arg, context) for arg in node.args), _connector=connector)


def possible(node: Node, context: Context) -> Q:
    """The accounts for which the answer is yes or cannot be known."""
    if isinstance(node, Call):
        yes = node.predicate.true(node.args, context)
        doubts = node.predicate.doubts(node.args, context.rules)
        return yes | doubts.query() if any(doubts) else yes
    if isinstance(node, Not):
        return ~true(node.arg, context)
    connector = Q.AND if isinstance(node, All) else Q.OR
    return Q(*(possible(arg, context) for arg in node.args), _connector=connector)


def doubts(node: Node, context: Context) -> Doubts:
    """Everything that can leave some leaf unknown: without one of these, nothing is unknown."""
    each = [call.predicate.doubts(call.args, context.rules) for call in calls(node)]
    return Doubts(
        tuple(sorted({word for one in each for word in one.tokens})),
        tuple(sorted({column for one in each for column in one.columns})),
    )


def unknown(node: Node, context: Context) -> Q:
    """The accounts for which the answer cannot be known. The doubts come first: they are rare, and
    the index finds them.
    """
    return doubts(node, context).query() & possible(node, context) & ~true(node, context)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one node says about one account, with the findings below it.

    `tokens` made a leaf true; `missing` are the sections that could not be read and left it
    unknown.
    """

    path: str
    text: str
    verdict: bool | None
    tokens: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    parts: tuple[Finding, ...] = ()

    def leaves(self) -> list[Finding]:
        if not self.parts:
            return [self]
        return [leaf for part in self.parts for leaf in part.leaves()]

    def as_json(self) -> dict[str, Anything]:
        found: dict[str, Anything] = {
            "path": self.path,
            "text": self.text,
            "verdict": {True: "true", False: "false", None: "unknown"}[self.verdict],
        }
        rest: Mapping[str, Anything] = {
            "tokens": list(self.tokens),
            "missing": list(self.missing),
            "parts": [part.as_json() for part in self.parts],
        }
        return found | {key: value for key, value in rest.items() if value}


def evaluate(node: Node, subject: Subject, context: Context, path: str = "expr") -> Finding:
    """The verdict for one account, with that of every node below."""
    text = describe(node)
    if isinstance(node, Call):
        return _leaf(node, subject, context, path, text)
    parts = tuple(
        evaluate(arg, subject, context, f"{path}.args[{i}]") for i, arg in enumerate(node.args)
    )
    verdict = _combined(node, [part.verdict for part in parts])
    return Finding(path, text, verdict, parts=parts)


def _combined(node: Node, verdicts: list[bool | None]) -> bool | None:
    if isinstance(node, Not):
        return None if verdicts[0] is None else not verdicts[0]
    decisive = isinstance(node, Any)
    if decisive in verdicts:
        return decisive
    return None if None in verdicts else not decisive


def _leaf(call: Call, subject: Subject, context: Context, path: str, text: str) -> Finding:
    verdict = call.predicate.holds(call.args, subject, context)
    if not isinstance(call.predicate, TokenPredicate):
        return Finding(path, text, verdict)
    found = call.predicate.words(call.args, context.rules).found(subject.tokens)
    bad = subject.tokens.intersection(call.predicate.doubts(call.args, context.rules).tokens)
    missing = sorted(word.partition(":")[2] for word in bad)
    return Finding(path, text, verdict, found, tuple(missing) if verdict is None else ())
