"""The parameters of predicates: what may be given, and what is said when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from classification.dsl.errors import Fault, shown, unknown
from whalefall.engines.base import Rules

Choices = Callable[[Rules], Sequence[str]]

# Longer names would be cut in the token index (accounts.tokens.LONGEST bytes).
LONGEST_TEXT = 340
MOST_DAYS = 36_500


def anything(rules: Rules) -> Sequence[str]:
    """The choices of a parameter that takes any text."""
    return ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named argument. `choices` gives the closed set for an engine, or nothing where open;
    `completes` then says which names of the fleet a form may offer (`classification.names`).
    """

    name: str
    label: str | Promise
    required: bool = True
    default: Any = None
    choices: Choices = anything
    may_be_empty: bool = False
    completes: str = ""

    type = "text"

    def check(self, value: Any, path: str, rules: Rules) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield self._wrong(path, _("text"), value)
        elif not value and not self.may_be_empty:
            yield Fault(path, _("Must not be empty."), "empty")
        elif len(value) > LONGEST_TEXT:
            message = _("Must not be longer than %(limit)s characters.") % {"limit": LONGEST_TEXT}
            yield Fault(path, message, "too_long")
        elif not _is_storable(value):
            yield Fault(path, _("Holds a character that no name can have."), "characters")
        elif (choices := self.choices(rules)) and value not in choices:
            yield unknown(path, str(self.label), value, choices, "choice")

    def _wrong(self, path: str, wanted: str, value: Any) -> Fault:
        message = _("Must be %(wanted)s, not %(value)s.") % {"wanted": wanted, "value": repr(value)}
        return Fault(path, message if len(message) < 200 else shown(message), "type")

    def clean(self, value: Any) -> Any:
        return value


def _is_storable(text: str) -> bool:
    # PostgreSQL's text takes neither NUL nor half of a surrogate pair.
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


@dataclass(frozen=True, slots=True)
class Texts(Parameter):
    """A list of one or more texts, any of which will do."""

    type = "texts"

    def check(self, value: Any, path: str, rules: Rules) -> Iterator[Fault]:
        if not isinstance(value, list | tuple):
            yield self._wrong(path, _("a list of texts"), value)
            return
        if not value:
            yield Fault(path, _("Must name at least one."), "empty", tuple(self.choices(rules)))
        for i, item in enumerate(value):
            yield from Parameter.check(self, item, f"{path}[{i}]", rules)

    def clean(self, value: Any) -> tuple[str, ...]:
        return tuple(sorted(set(value)))


@dataclass(frozen=True, slots=True)
class Days(Parameter):
    """A whole number of days."""

    type = "days"

    def check(self, value: Any, path: str, rules: Rules) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield self._wrong(path, _("a whole number of days"), value)
        elif not 0 <= value <= MOST_DAYS:
            message = _("Must lie between 0 and %(limit)s.") % {"limit": MOST_DAYS}
            yield Fault(path, message, "range")


@dataclass(frozen=True, slots=True)
class Flag(Parameter):
    """true or false."""

    type = "flag"

    def check(self, value: Any, path: str, rules: Rules) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield self._wrong(path, _("true or false"), value)
