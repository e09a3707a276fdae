"""The nodes of a parsed expression: frozen, and valid by construction (`parser.parse` makes
them).
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

if typing.TYPE_CHECKING:
    from classification.dsl.base import Predicate

VERSION = 4


@dataclass(frozen=True, slots=True)
class All:
    args: tuple[Node, ...]
    op = "AND"


@dataclass(frozen=True, slots=True)
class Any:
    args: tuple[Node, ...]
    op = "OR"


@dataclass(frozen=True, slots=True)
class Not:
    arg: Node
    op = "NOT"

    @property
    def args(self) -> tuple[Node, ...]:
        return (self.arg,)


@dataclass(frozen=True, slots=True)
class Call:
    """A question to one predicate; `args` holds every parameter, defaults filled in."""

    predicate: Predicate
    args: Mapping[str, typing.Any]


Node = All | Any | Not | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """A valid rule expression, for the accounts of one engine."""

    root: Node
    db_type: str

    def canonical(self) -> str:
        """The one way to write this expression: sorted keys, no ASCII escapes, no defaults."""
        value = {"version": VERSION, "expr": as_json(self.root)}
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def calls(self) -> Iterator[Call]:
        return calls(self.root)

    @property
    def is_volatile(self) -> bool:
        """Whether the verdict may change though the facts do not: it asks the clock."""
        return any(call.predicate.is_volatile for call in self.calls())


def as_json(node: Node) -> dict[str, typing.Any]:
    if isinstance(node, Call):
        return {"fn": node.predicate.name, "args": node.predicate.given(node.args)}
    return {"op": node.op, "args": [as_json(arg) for arg in node.args]}


def calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        return
    for arg in node.args:
        yield from calls(arg)


def describe(node: Node) -> str:
    """The expression in plain words, in the reader's language."""
    if isinstance(node, Call):
        return str(node.predicate.describe(node.args))
    if isinstance(node, Not):
        return _("not (%(what)s)") % {"what": describe(node.arg)}
    word = _(" and ") if isinstance(node, All) else _(" or ")
    return word.join(
        f"({describe(arg)})" if isinstance(arg, All | Any) else describe(arg) for arg in node.args
    )
