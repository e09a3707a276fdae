"""Who matches: the rules of a run asked together, the answers by account and classification.

A match is two numbers, an account and an entry: which part of a rule it is, and a bit for each of
the part's words that the account has. What a set of entries says is written down once for each
set that occurs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import structlog
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import AccountPermission
from classification import statements
from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import Expression
from classification.dsl.parser import parse
from classification.outcome import RuleResult
from classification.questions import Question, as_rows, entry, number, which
from classification.rules import ActiveRule

logger = structlog.get_logger(__name__)

# The words of one part of a rule, which is the bits of an entry below the part's number.
BITS = 40

# Rules in one statement: its text and its plan must not grow without end.
TOGETHER = 100

# Sets of entries written in one statement.
SETS = 5000

Rows = tuple[str, tuple[Any, ...]]
Told = list[dict[str, Any]]
"""Rules as they stand in the evidence of an assignment."""
Permissions = QuerySet[AccountPermission]
T = TypeVar("T")


@dataclass(slots=True)
class Ready:
    """A rule with its question, or with the reason why it has none (in its result)."""

    rule: ActiveRule
    result: RuleResult
    question: Question | None = None

    @classmethod
    def of(cls, rule: ActiveRule) -> Ready:
        ready = cls(rule, RuleResult(rule.id, rule.name, rule.db_type, rule.classification))
        try:
            ready.question = Question.of(_parsed(rule.text, rule.db_type))
        except InvalidExpression as exc:
            ready.result.error = "; ".join(exc.messages)
        return ready


@lru_cache(maxsize=4096)
def _parsed(text: str, db_type: str) -> Expression:
    return parse(text, db_type)


class Scope(NamedTuple):
    """The accounts that a rule is asked about: those that the run lists (with those that it lists
    for the rule's classification), or else all, of one instance or of every one.
    """

    is_listed: bool
    instance_id: int | None = None
    with_again: bool = False

    def among(self, found: Permissions, classification_id: int) -> Permissions:
        if self.with_again:
            return found.filter(pk__in=RawSQL(LISTED_AGAIN, (classification_id,)))  # noqa: S611
        if self.is_listed:
            return found.filter(pk__in=RawSQL("SELECT id FROM run_accounts WHERE is_changed", ()))
        return found if self.instance_id is None else found.filter(instance_id=self.instance_id)


LISTED_AGAIN = """
    SELECT id FROM run_accounts WHERE is_changed
    UNION ALL SELECT account_id FROM run_again WHERE classification_id = %s
"""


class Asked(NamedTuple):
    """`scope`: of whom it is asked, if at all; `doubtful`: about whom it may be in doubt."""

    ready: Ready
    question: Question
    scope: Scope | None
    doubtful: Scope

    @property
    def id(self) -> int:
        return self.ready.rule.id


class Part(NamedTuple):
    """A rule and the tokens that one entry can tell of: mostly all there are."""

    asked: Asked
    certain: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    is_first: bool = True

    def tokens(self, entry: int) -> list[str]:
        return [*self.certain, *(word for i, word in enumerate(self.words) if entry >> i & 1)]


def parts(asked: Asked) -> Iterator[Part]:
    grounds = asked.question.grounds()
    if not grounds.words:
        yield Part(asked, grounds.certain)
    for i in range(0, len(grounds.words), BITS):
        yield Part(asked, words=grounds.words[i : i + BITS], is_first=not i)


@lru_cache(maxsize=1024)
def _compiled(rule: str, db_type: str, words: tuple[str, ...], gives: int, scope: Scope) -> Rows:
    """The query for the matches; its first parameter is the number that the entries begin with.
    Kept, for a sync asks the same questions about every instance.
    """
    found = scope.among(Question.of(_parsed(rule, db_type)).matches(), gives)
    return as_rows(found, which(words), number(gives))


class Matching:
    """Fills `run_found`, `run_sets` and `run_kept`, and the results of the rules."""

    def __init__(
        self,
        cursor: Any,
        asked: Iterable[Asked],
        present: Callable[[Permissions], Permissions],
        rests: Mapping[int, Told],
    ) -> None:
        """`present` keeps the accounts in scope. `rests`: the entries that are there already, with
        what they say.
        """
        self.cursor, self.present, self.rests = cursor, present, rests
        self.asked = sorted(asked, key=lambda each: each.id)
        self.parts = [part for each in self.asked if each.scope for part in parts(each)]
        self.doubtful: list[Asked] = []

    def find(self, doubts: Collection[str]) -> None:
        """Ask all rules at once; when that fails each alone, so that one cannot stop the others.

        `doubts`: the tokens and columns by which an account can be unknown to a rule.
        """
        self.doubtful = [each for each in self.asked if not _doubts(each).isdisjoint(doubts)]
        try:
            with transaction.atomic():
                self._together()
        except DatabaseError as exc:
            logger.warning("rules_failed_together", error=str(exc).strip())
            self._one_by_one()

    def _together(self) -> None:
        numbered = list(enumerate(self.parts))
        earlier, last = numbered[:-TOGETHER], numbered[-TOGETHER:]
        for some in _batches(earlier, TOGETHER):
            self._write(some)
        self._group([self._matches(place, part) for place, part in last])
        for few in _batches(self.doubtful, TOGETHER):
            self._keep_unknown(few)

    def _one_by_one(self) -> None:
        for each in self.asked:
            own = [(i, part) for i, part in enumerate(self.parts) if part.asked is each]
            try:
                with transaction.atomic():
                    self._write(own)
                    if each in self.doubtful:
                        self._keep_unknown([each])
            except DatabaseError as exc:
                each.ready.result.error = str(exc).strip()
                logger.warning("rule_failed", rule_id=each.id, error=each.ready.result.error)
        self._group([])

    def _matches(self, place: int, part: Part) -> Rows:
        rule, scope = part.asked.ready.rule, part.asked.scope
        is_volatile = part.asked.question.expression.is_volatile
        compiled = _compiled if not is_volatile else _compiled.__wrapped__
        text, params = compiled(rule.text, rule.db_type, part.words, rule.classification_id, scope)
        return text, (place << BITS, *params[1:])

    def _write(self, some: Sequence[tuple[int, Part]]) -> None:
        text, params = _union([self._matches(place, part) for place, part in some])
        self.cursor.execute(f"INSERT INTO run_matches {text}", params)

    def _group(self, queries: Sequence[Rows]) -> None:
        text, params = _union([("TABLE run_matches", ()), *queries])
        self.cursor.execute(statements.FOUND.format(matches=text), params)

    def _keep_unknown(self, some: Sequence[Asked]) -> None:
        text, params = _union([self._unknown(each) for each in some])
        self.cursor.execute(statements.KEEP_UNKNOWN.format(rows=text), params)
        counts = dict(self.cursor.fetchall())
        for each in some:
            each.ready.result.unknown = counts.get(each.id, 0)

    def _unknown(self, each: Asked) -> Rows:
        found, gives = each.question.unknown(), each.ready.rule.classification_id
        found = each.doubtful.among(
            found if each.doubtful.is_listed else self.present(found), gives
        )
        return as_rows(found, number(each.id), number(gives))

    def tell(self) -> None:
        """Write down what the sets of entries that occur say, and count the matches."""
        self.cursor.execute(statements.SETS)
        for few in _batches(self.cursor.fetchall(), SETS):
            texts, rules, evidence = zip(*(self._told(entries) for entries, _n in few), strict=True)
            self.cursor.execute(statements.TELL, (list(texts), list(rules), list(evidence)))
            for entries, accounts in few:
                for part in (self.parts[each >> BITS] for each in entries if each >= 0):
                    part.asked.ready.result.matched += accounts * part.is_first
        self.cursor.execute("ANALYZE run_sets (entries)")

    def _told(self, entries: Sequence[int]) -> tuple[str, int, str]:
        """The entries as an array, the rule that counts as the giver (the first), and what stands
        in the evidence, as JSON.
        """
        found: dict[int, tuple[ActiveRule, list[str]]] = {}
        for part, bits in ((self.parts[each >> BITS], each) for each in entries if each >= 0):
            rule = part.asked.ready.rule
            found.setdefault(rule.id, (rule, []))[1].extend(part.tokens(bits))
        told = [entry(rule, tokens) for rule, tokens in found.values()]
        told += [one for each in entries if each < 0 for one in self.rests[each]]
        told.sort(key=itemgetter("rule"))
        array = "{" + ",".join(map(str, entries)) + "}"
        return array, told[0]["rule"], json.dumps({"rules": told}, ensure_ascii=False)


def _doubts(asked: Asked) -> set[str]:
    doubts = asked.question.doubts()
    return {*doubts.columns, *doubts.tokens}


def _union(queries: Sequence[Rows]) -> Rows:
    text = " UNION ALL ".join(text for text, _params in queries)
    return text, tuple(value for _text, params in queries for value in params)


def _batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
