"""From text to nodes, once. Everything that is wrong is said at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any as Anything

from django.utils.translation import gettext as _

from classification.dsl.errors import Fault, InvalidExpression, shown, unknown
from classification.dsl.nodes import VERSION, All, Any, Call, Expression, Node, Not
from classification.dsl.predicates import PREDICATES, engine_rules
from whalefall.engines.base import Rules

# A rule that a person can review has some ten nodes. The limits keep the recursion below, and the
# planner's, far from their ends.
MAX_NODES = 1000
MAX_LEVELS = 50
MAX_TEXT = 2_000_000

OPERATORS = ("AND", "OR", "NOT")


def parse(source: str | Mapping[str, Anything], db_type: str) -> Expression:
    """The expression in `source` (JSON text, or the same as a value) for accounts of `db_type`.

    Raises InvalidExpression with every fault: path, message, code, choices, hint.
    """
    value = _load(source) if isinstance(source, str) else source
    faults = _envelope(value) or _limits(value["expr"])
    if faults:
        raise InvalidExpression(faults)
    reader = _Reader(engine_rules(db_type))
    root = reader.node(value["expr"], "expr")
    if reader.faults or root is None:
        raise InvalidExpression(reader.faults)
    return Expression(root, db_type)


def _load(text: str) -> Anything:
    if len(text) > MAX_TEXT:
        message = _("The expression is longer than %(limit)s characters.") % {"limit": MAX_TEXT}
        raise InvalidExpression([Fault("", message, "too_long")])
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise InvalidExpression([_too_deep()]) from None
    except _Twice as exc:
        message = _("The key %(key)s stands twice in one object.") % {"key": shown(exc.args[0])}
        raise InvalidExpression([Fault("", message, "duplicate_key")]) from None
    except ValueError as exc:
        message = _("This is not JSON: %(reason)s") % {"reason": exc}
        raise InvalidExpression([Fault("", message, "json")]) from exc


class _Twice(Exception):
    pass


def _unique(pairs: list[tuple[str, Anything]]) -> dict[str, Anything]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _value in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return found


def _envelope(value: Anything) -> list[Fault]:
    if not isinstance(value, Mapping):
        return [_wrong_type("", _("an object with version and expr"), value)]
    faults = []
    version = value.get("version")
    if version != VERSION or isinstance(version, bool | float):
        message = _("The version must be %(version)s.") % {"version": VERSION}
        faults.append(Fault("version", message, "version", (str(VERSION),)))
    if "expr" not in value:
        faults.append(Fault("expr", _("The expression is missing."), "required"))
    return faults + _unknown_keys(value, ("version", "expr"), "")


def _limits(root: Anything) -> list[Fault]:
    """Counted without recursion, before anything recursive looks at the tree."""
    nodes, level, layer = 0, 0, [root]
    while layer:
        nodes, level = nodes + len(layer), level + 1
        if nodes > MAX_NODES:
            message = _("The expression has more than %(limit)s nodes.") % {"limit": MAX_NODES}
            return [Fault("expr", message, "too_many_nodes")]
        if level > MAX_LEVELS:
            return [_too_deep()]
        layer = [arg for node in layer for arg in _args(node)]
    return []


def _args(node: Anything) -> list[Anything]:
    args = node.get("args") if isinstance(node, Mapping) else None
    return args if isinstance(args, list) else []


def _too_deep() -> Fault:
    message = _("The expression is nested deeper than %(limit)s levels.") % {"limit": MAX_LEVELS}
    return Fault("expr", message, "too_deep")


def _wrong_type(path: str, wanted: str, value: Anything) -> Fault:
    message = _("Must be %(wanted)s, not %(value)s.") % {"wanted": wanted, "value": shown(value)}
    return Fault(path, message, "type")


def _unknown_keys(value: Mapping[str, Anything], known: tuple[str, ...], path: str) -> list[Fault]:
    prefix = f"{path}." if path else ""
    return [
        unknown(f"{prefix}{key}", _("key"), str(key), known, "unknown_key")
        for key in value
        if key not in known
    ]


class _Reader:
    """Reads nodes and gathers the faults on the way."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.faults: list[Fault] = []

    def node(self, value: Anything, path: str) -> Node | None:
        if not isinstance(value, Mapping):
            self.faults.append(_wrong_type(path, _("an object with op or fn"), value))
        elif "op" in value and "fn" in value:
            message = _("A node has either op or fn, not both.")
            self.faults.append(Fault(path, message, "ambiguous"))
        elif "fn" in value:
            return self.call(value, path)
        elif "op" in value:
            return self.operator(value, path)
        else:
            message = _("A node needs op (AND, OR, NOT) or fn (a function).")
            self.faults.append(Fault(path, message, "required", ("op", "fn")))
        return None

    def operator(self, value: Mapping[str, Anything], path: str) -> Node | None:
        op, args = value["op"], value.get("args")
        self.faults += _unknown_keys(value, ("op", "args"), path)
        if not isinstance(op, str):
            self.faults.append(_wrong_type(f"{path}.op", _("text"), op))
        elif op not in OPERATORS:
            self.faults.append(unknown(f"{path}.op", _("operator"), op, OPERATORS, "choice"))
        if not isinstance(args, list):
            self.faults.append(_wrong_type(f"{path}.args", _("a list of nodes"), args))
            return None
        nodes = [self.node(arg, f"{path}.args[{i}]") for i, arg in enumerate(args)]
        self._count(op, len(nodes), path)
        whole = tuple(node for node in nodes if node is not None)
        if self.faults:
            return None
        return Not(whole[0]) if op == "NOT" else (All if op == "AND" else Any)(whole)

    def _count(self, op: Anything, count: int, path: str) -> None:
        if op == "NOT" and count != 1:
            message = _("NOT takes exactly one node, not %(count)s.") % {"count": count}
            self.faults.append(Fault(f"{path}.args", message, "count"))
        elif count == 0:
            message = _("%(op)s needs at least one node.") % {"op": shown(op)}
            self.faults.append(Fault(f"{path}.args", message, "empty"))

    def call(self, value: Mapping[str, Anything], path: str) -> Call | None:
        name, args = value["fn"], value.get("args", {})
        self.faults += _unknown_keys(value, ("fn", "args"), path)
        if not isinstance(name, str):
            self.faults.append(_wrong_type(f"{path}.fn", _("text"), name))
        elif name not in PREDICATES:
            names = tuple(sorted(PREDICATES))
            self.faults.append(
                unknown(f"{path}.fn", _("function"), name, names, "unknown_function")
            )
        elif not isinstance(args, Mapping):
            self.faults.append(_wrong_type(f"{path}.args", _("an object"), args))
        else:
            return self._checked(name, args, f"{path}.args")
        return None

    def _checked(self, name: str, args: Mapping[str, Anything], path: str) -> Call | None:
        predicate = PREDICATES[name]
        faults = list(predicate.check(args, path, self.rules))
        self.faults += faults
        return None if faults else Call(predicate, predicate.filled(args))
