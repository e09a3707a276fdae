"""What the rule builder of the console knows: the predicates as they are declared, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from classification.dsl.base import PREDICATES, Predicate, engine_rules
from classification.dsl.parameters import Parameter
from classification.dsl.placed import SCOPES
from whalefall.engines import DB_TYPES
from whalefall.engines.base import Rules

Json = dict[str, Any]


def shapes() -> dict[str, Json]:
    """By engine: `{"predicates": [...], "privileges": {scope: [name]}}`."""
    return {db_type: shape(engine_rules(db_type)) for db_type in DB_TYPES}


def shape(rules: Rules) -> Json:
    """The predicates that the engine's accounts can be asked, and its privileges per scope."""
    known = sorted(PREDICATES.values(), key=lambda each: each.name)
    privileges = {
        scope: sorted({name for each in inner for name in rules.privileges.get(each, ())})
        for scope, inner in SCOPES.items()
    }
    return {
        "predicates": [_predicate(each, rules) for each in known if _is_askable(each, rules)],
        "privileges": {scope: names for scope, names in privileges.items() if names},
    }


def _is_askable(predicate: Predicate, rules: Rules) -> bool:
    """Not where the engine itself refuses the question, whatever the arguments."""
    return not any(fault.code == "engine" for fault in predicate.check({}, "expr.args", rules))


def _predicate(predicate: Predicate, rules: Rules) -> Json:
    return {
        "name": predicate.name,
        "help": predicate.help,
        "parameters": [_parameter(each, rules) for each in predicate.parameters],
    }


def _parameter(parameter: Parameter, rules: Rules) -> Json:
    return {
        "name": parameter.name,
        "label": str(parameter.label),
        "type": parameter.type,
        "required": parameter.required,
        "default": parameter.default,
        "choices": list(parameter.choices(rules)),
        "completes": parameter.completes,
    }


def texts() -> dict[str, str]:
    """What the builder says, in the reader's language."""
    return {
        "builder": _("Builder of the expression"),
        "condition": _("Condition"),
        "group": _("Group"),
        "AND": _("all of"),
        "OR": _("any of"),
        "NOT": _("not"),
        "op": _("How the group is joined"),
        "fn": _("What is asked"),
        "any": _("(any)"),
        "addCondition": _("Add condition"),
        "addGroup": _("Add group"),
        "wrap": _("Put into a group"),
        "remove": _("Remove"),
        "move": _("Move: arrow keys, or drag"),
        "moved": _("Moved: place %(place)s of %(count)s."),
        "removed": _("Removed."),
        "added": _("Added."),
        "addName": _("add one, then Enter"),
        "raw": _("This part can only be changed in the JSON."),
        "broken": _("The JSON cannot be read; the builder waits for it:"),
        "checking": _("Checking ..."),
        "failed": _("The check did not come through. Try again."),
        "engine": _("Choose an engine first."),
        "optional": _("optional"),
    }
