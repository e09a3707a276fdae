"""What is wrong with an expression: every fault at once, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` reads like `expr.args[1].args.scope`; `choices` is what may stand there instead."""

    path: str
    message: str
    code: str
    choices: tuple[str, ...] = ()
    hint: str = ""

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {"path": self.path, "message": self.message, "code": self.code}
        if self.choices:
            found["choices"] = list(self.choices)
        if self.hint:
            found["hint"] = self.hint
        return found

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidExpression(ValidationError):
    """Raised by `parse`. `faults` lists everything that is wrong, in the order of the text."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__([ValidationError(str(fault), code=fault.code) for fault in self.faults])


def unknown(path: str, what: str, value: str, choices: Sequence[str], code: str) -> Fault:
    """A name that is not among the choices, with the nearest one as a hint."""
    near = nearest(value, choices)
    message = _("Unknown %(what)s: %(value)s. Must be one of: %(choices)s") % {
        "what": what,
        "value": shown(value),
        "choices": ", ".join(choices),
    }
    hint = _("Did you mean %(name)s?") % {"name": near} if near else ""
    return Fault(path, message, code, tuple(choices), hint)


def nearest(value: str, choices: Iterable[str], cutoff: float = 0.6) -> str:
    """The choice that looks most like `value`, letters' case aside; empty where none does."""
    by_fold = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(value.casefold()[:200], by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else ""


def shown(value: object) -> str:
    """A value as it stands in a message: short, whatever came in."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
