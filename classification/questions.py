"""A rule made ready for the store: whom it matches, whom it leaves unknown, on what grounds."""

from __future__ import annotations

import hashlib
import typing
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import EmptyResultSet
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.base import Doubts, TokenPredicate, Words, engine_rules
from classification.dsl.nodes import All, Any, Call, Expression, Node, Not, calls
from classification.dsl.subject import Context
from classification.rules import ActiveRule

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a rule's matches are put down to: the tokens that every match has, or else words of
    which a match has some.
    """

    certain: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """An expression as conditions on `account_permission`."""

    expression: Expression
    context: Context

    @classmethod
    def of(cls, expression: Expression) -> Question:
        return cls(expression, Context(engine_rules(expression.db_type)))

    def _of_engine(self) -> QuerySet[AccountPermission]:
        return AccountPermission.objects.order_by().filter(db_type=self.expression.db_type)

    def matches(self) -> QuerySet[AccountPermission]:
        """The accounts for which the answer is yes."""
        return self._of_engine().filter(verdicts.true(self.expression.root, self.context))

    def unknown(self) -> QuerySet[AccountPermission]:
        """The accounts for which the answer cannot be known."""
        return self._of_engine().filter(verdicts.unknown(self.expression.root, self.context))

    def doubts(self) -> Doubts:
        """What could leave an account unknown."""
        return verdicts.doubts(self.expression.root, self.context)

    def stamp(self) -> str:
        """Changes whenever the question put to the store would change: with the rule, and with
        what the engine's rules make of it; not with the clock.
        """
        root, context = self.expression.root, Context(self.context.rules, EPOCH)
        asked = repr((verdicts.true(root, context), verdicts.doubts(root, context)))
        return hashlib.sha256(asked.encode()).hexdigest()

    def grounds(self) -> Grounds:
        """What may stand in an assignment's evidence for this rule: the tokens that it asks for and
        the account has. Where the rule asks for a pattern, the token that says that there is
        something of the kind: `verdicts.evaluate` finds what exactly.
        """
        certain = _certain(self.expression.root, self.context)
        if certain is not None:
            return Grounds(certain=tuple(sorted(certain)))
        words = {word for call in calls(self.expression.root) for word in self._indexed(call)}
        return Grounds(words=tuple(sorted(words)))

    def _indexed(self, call: Call) -> set[str]:
        return indexed(_words(call, self.context))


def indexed(words: Words) -> set[str]:
    """The tokens by which the index finds the accounts."""
    return {*words.exact, *(entry[0] for entry in (*words.like, *words.covers))}


def entry(rule: ActiveRule, tokens: typing.Iterable[str]) -> dict[str, typing.Any]:
    """One rule's part of an assignment's evidence."""
    return {"rule": rule.id, "fingerprint": rule.fingerprint, "tokens": sorted(tokens)}


def number(value: int) -> RawSQL:
    """A constant that has the same type in every query of a union."""
    return RawSQL("%s::bigint", (value,), output_field=BigIntegerField())


def which(words: typing.Sequence[str], base: int = 0) -> RawSQL:
    """`base` (its lowest bits free) with a bit for each of `words` that the account has."""
    # Not @>: that would take the whole array apart for each word.
    has = "(%s = ANY(account_permission.fact_tokens))::int::bigint"
    bits = "".join(f" + ({has} << {place})" for place in range(len(words)))
    return RawSQL(f"%s::bigint{bits}", (base, *words), output_field=BigIntegerField())  # noqa: S611


def _words(call: Call, context: Context) -> Words:
    if not isinstance(call.predicate, TokenPredicate):
        return Words()
    return call.predicate.words(call.args, context.rules)


def _certain(node: Node, context: Context) -> set[str] | None:
    """The tokens that every match has and that are all there is to say; None where they differ
    from match to match.
    """
    if isinstance(node, All):
        each = [_certain(arg, context) for arg in node.args]
        return None if None in each else set().union(*(found for found in each if found))
    if isinstance(node, Call):
        words = indexed(_words(node, context))
        return words if len(words) <= 1 else None
    if isinstance(node, Not) and _is_absence(node.arg):
        return set()
    return None if any(_words(call, context) != Words() for call in calls(node)) else set()


def _is_absence(node: Node) -> bool:
    """Whether NOT of this says that none of its tokens is there."""
    return isinstance(node, Call) or (
        isinstance(node, Any) and all(_is_absence(arg) for arg in node.args)
    )


def as_rows(
    queryset: QuerySet[typing.Any], *columns: typing.Any
) -> tuple[str, tuple[typing.Any, ...]]:
    """SQL and parameters of a query for these columns, all numbers, to stand inside another
    statement.
    """
    fields = {f"c{i}": column for i, column in enumerate(columns)}
    rows = queryset.annotate(**fields).values_list("pk", *fields)
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that nothing can match
        names = ("id", *fields)
        return f"SELECT {', '.join(f'NULL::bigint AS {name}' for name in names)} WHERE false", ()
    return sql, params
