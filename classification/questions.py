"""A rule made ready for the store: whom it matches, whom it leaves unknown, on what grounds."""

from __future__ import annotations

import hashlib
import json
import typing
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db.models import JSONField, QuerySet, TextField, Value
from django.db.models.expressions import Expression as SqlExpression
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from accounts.models import AccountPermission
from classification.dsl import verdicts
from classification.dsl.nodes import All, Any, Call, Expression, Node, Not, calls
from classification.dsl.predicates import TokenPredicate, Words, engine_rules
from classification.dsl.subject import Context
from classification.rules import ActiveRule

# Tokens of the account that the rule asks for; in the order of the account's tokens.
FOUND = (
    "ARRAY(SELECT word FROM unnest(account_permission.fact_tokens) word"
    " WHERE word = ANY(%s) OR word LIKE ANY(%s))"
)


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

    @property
    def has_doubts(self) -> bool:
        return any(verdicts.doubts(self.expression.root, self.context))

    def stamp(self) -> str:
        """Changes whenever the question put to the store would change: with the rule, and with
        what the engine's rules make of it.
        """
        root = self.expression.root
        asked = repr((verdicts.true(root, self.context), verdicts.doubts(root, self.context)))
        return hashlib.sha256(asked.encode()).hexdigest()

    def grounds(self) -> SqlExpression:
        """The matching tokens of an account, as text[]: cheap where every match has the same."""
        certain = _certain(self.expression.root, self.context)
        if certain is not None:
            return Value(sorted(certain), output_field=ArrayField(TextField()))
        words = [_words(call, self.context) for call in calls(self.expression.root)]
        exact = sorted({word for each in words for word in each.exact})
        like = sorted({pattern for each in words for _base, pattern in each.like})
        like += sorted({base for each in words for base, _prefix, _name in each.covers})
        return RawSQL(FOUND, (exact, like), output_field=ArrayField(TextField()))  # noqa: S611

    def evidence(self, rule: ActiveRule) -> SqlExpression:
        """What stands in an assignment's evidence for this rule, as JSON."""
        grounds = self.grounds()
        fixed = {"rule": rule.id, "fingerprint": rule.fingerprint}
        if isinstance(grounds, Value):
            text = json.dumps({**fixed, "tokens": grounds.value}, ensure_ascii=False)
            return RawSQL("%s::jsonb", (text,), output_field=JSONField())
        return JSONObject(
            rule=Value(rule.id),
            fingerprint=Value(rule.fingerprint),
            tokens=grounds,
        )


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
        words = _words(node, context)
        is_one = len(words.exact) <= 1 and not words.like and not words.covers
        return set(words.exact) if is_one else None
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
    """SQL and parameters of a query for these columns, to stand inside another statement."""
    fields = {f"c{i}": column for i, column in enumerate(columns)}
    rows = queryset.annotate(**fields).values_list("pk", *fields)
    sql, params = rows.query.sql_with_params()
    return sql, params
