"""What a predicate is: asked in the store, asked in Python, told in plain words.

`PREDICATES` is filled by `classification.dsl.predicates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tokens
from classification.dsl import patterns
from classification.dsl.errors import Fault, unknown
from classification.dsl.parameters import Parameter
from classification.dsl.subject import Context, Subject
from whalefall.engines import engine
from whalefall.engines.base import Rules
from whalefall.engines.observed import SectionStatus

Args = Mapping[str, Any]

REACHES = ("login", "set_role", "either")


def engine_rules(db_type: str) -> Rules:
    """The engine's rules; the general ones for a product whose engine is not there yet."""
    try:
        return engine(db_type).rules
    except LookupError:
        return Rules()


def incomplete(sections: Sequence[str], database: str = "") -> list[str]:
    """The tokens that say that one of these sections could not be read in full; with a `database`:
    not in it.
    """
    bad = (SectionStatus.DENIED, SectionStatus.FAILED)
    found = [tokens.section(name, status) for name in sections for status in bad]
    return found + [tokens.unread(name, database) for name in sections]


class Doubts(NamedTuple):
    """What keeps a "no" from being certain: one of the tokens, or NULL in one of the columns."""

    tokens: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def query(self) -> Q:
        """The accounts with a doubt; nobody where there can be none."""
        found = [Q(**{f"{column}__isnull": True}) for column in self.columns]
        if self.tokens:
            found.append(Q(fact_tokens__overlap=list(self.tokens)))
        return Q(*found, _connector=Q.OR) if found else Q(pk__in=())


class Predicate:
    """A question about one account. `true` is what the store is asked; where it says no and a
    doubt holds, the answer cannot be known.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    is_volatile: ClassVar[bool] = False

    def check(self, args: Args, path: str, rules: Rules) -> Iterator[Fault]:
        """What is wrong with the arguments, in the order of the parameters."""
        known = tuple(parameter.name for parameter in self.parameters)
        for key in args:
            if key not in known:
                yield unknown(f"{path}.{key}", _("argument"), str(key), known, "unknown_argument")
        for parameter in self.parameters:
            place = f"{path}.{parameter.name}"
            if parameter.name in args:
                yield from parameter.check(args[parameter.name], place, rules)
            elif parameter.required:
                choices = tuple(parameter.choices(rules))
                yield Fault(place, _("This argument is missing."), "required", choices)

    def filled(self, args: Args) -> Args:
        """Every parameter with its value, defaults included."""
        return {
            parameter.name: parameter.clean(args[parameter.name])
            if parameter.name in args
            else parameter.default
            for parameter in self.parameters
        }

    def given(self, args: Args) -> dict[str, Any]:
        """The arguments as they are stored: without those that equal their default."""
        return {
            parameter.name: list(value) if isinstance(value, tuple) else value
            for parameter in self.parameters
            if (value := args[parameter.name]) != parameter.default or parameter.required
        }

    def true(self, args: Args, context: Context) -> Q:
        raise NotImplementedError

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        return Doubts()

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        """True, False, or None where it cannot be known."""
        raise NotImplementedError

    def describe(self, args: Args) -> str:
        raise NotImplementedError

    @property
    def help(self) -> str:
        """What it asks, in the reader's language: its docstring (scripts/messages collects it)."""
        docstring = " ".join((type(self).__doc__ or "").split())
        return _(docstring) if docstring else ""


PREDICATES: dict[str, Predicate] = {}


def predicate(cls: type[Predicate]) -> type[Predicate]:
    PREDICATES[cls.name] = cls()
    return cls


@dataclass(frozen=True, slots=True)
class Words:
    """A question to the token index, answered alike in the store and in Python.

    Yes, if one of `exact` is there; or a token LIKE the second of a pair in `like`; or a token
    that begins with the second of a triple in `covers` and goes on with a LIKE pattern for the
    third. The first of each is a token that is there whenever such a token is: the index finds
    it.
    """

    exact: tuple[str, ...] = ()
    like: tuple[tuple[str, str], ...] = ()
    covers: tuple[tuple[str, str, str], ...] = ()

    def query(self) -> Q:
        found = [Q(fact_tokens__overlap=list(self.exact))] if self.exact else []
        found += [
            Q(fact_tokens__contains=[base]) & Q(fact_tokens__any_like=pattern)
            for base, pattern in self.like
        ]
        found += [
            Q(fact_tokens__contains=[base]) & Q(fact_tokens__any_covers=(prefix, name))
            for base, prefix, name in self.covers
        ]
        return Q(*found, _connector=Q.OR)

    def found(self, there: frozenset[str]) -> tuple[str, ...]:
        """The tokens among `there` that make the answer yes, sorted."""
        hits = there.intersection(self.exact)
        for base, pattern in self.like:
            if base in there:
                hits |= {word for word in there if patterns.like(pattern, word)}
        for base, prefix, name in self.covers:
            if base in there:
                hits |= {word for word in there if _covers(word, prefix, name)}
        return tuple(sorted(hits))


def _covers(word: str, prefix: str, name: str) -> bool:
    pattern = tokens.bare(word[len(prefix) :])
    return word.startswith(prefix) and patterns.like(pattern, name)


class TokenPredicate(Predicate):
    """Answered by tokens; not knowable while a section that would bring them is incomplete."""

    def words(self, args: Args, rules: Rules) -> Words:
        raise NotImplementedError

    def sections(self, args: Args, rules: Rules) -> tuple[str, ...]:
        """The sections that must be complete before "not there" means no."""
        raise NotImplementedError

    def database(self, args: Args) -> str:
        """The only one in which what is asked can be; empty where it can be in any."""
        return ""

    def true(self, args: Args, context: Context) -> Q:
        return self.words(args, context.rules).query()

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        words = incomplete(self.sections(args, rules), self.database(args))
        return Doubts(tokens=tuple(words))

    def holds(self, args: Args, subject: Subject, context: Context) -> bool | None:
        if self.words(args, context.rules).found(subject.tokens):
            return True
        doubts = self.doubts(args, context.rules)
        return False if subject.tokens.isdisjoint(doubts.tokens) else None


class ColumnPredicate(Predicate):
    """Answered by a typed column; NULL there means that the server did not tell."""

    column: ClassVar[str]

    def doubts(self, args: Args, rules: Rules) -> Doubts:
        return Doubts(columns=(self.column,))


def reached(words: Sequence[str], args: Args) -> tuple[str, ...]:
    """The words for what is held at login, what SET ROLE would bring, or both."""
    held = () if args["reach"] == "set_role" else tuple(words)
    more = () if args["reach"] == "login" else tuple(tokens.reach(word) for word in words)
    return held + more


REACH = Parameter(
    "reach",
    gettext_lazy("reach"),
    required=False,
    default="login",
    choices=lambda rules: REACHES,
)


def with_reach(text: str, args: Args) -> str:
    if args["reach"] == "set_role":
        return _("%(what)s by SET ROLE") % {"what": text}
    if args["reach"] == "either":
        return _("%(what)s at login or by SET ROLE") % {"what": text}
    return text
