"""Auto-classify: every rule asked of every account that it may say something new about.

One transaction: rules write their matches to a temporary table, one comparison turns them into
assignments. What is to be asked follows from two stamps: an account's (`ClassifiedAccount`) and a
classification's (`rules_stamp`). Where both are as at the last run, nothing is asked. The unit is
the classification: when one of its rules has changed, all of them are asked.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from classification import risks, statements
from classification.dsl.errors import InvalidExpression
from classification.dsl.parser import parse
from classification.models import AccountClassification
from classification.questions import Question, as_rows
from classification.rules import ActiveRule, active_rules

logger = structlog.get_logger(__name__)

# First key of the advisory locks ("cla" in ASCII); the second is an instance, or 0 for all.
LOCK = 0x636C61

EVERYBODY = RawSQL("SELECT id FROM run_accounts", ())
CHANGED = RawSQL("SELECT id FROM run_accounts WHERE is_changed", ())


class NothingToClassify(Exception):
    """No active rule, or no account in scope (`code`): nothing was touched."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(slots=True)
class RuleResult:
    """What became of one rule. `asked`: of which accounts (all, changed, none); `matched` and
    `unknown` count among those; `error` says why a rule that failed did.
    """

    rule_id: int
    name: str
    db_type: str
    classification: str
    asked: str = "none"
    matched: int = 0
    added: int = 0
    removed: int = 0
    unknown: int = 0
    error: str = ""


@dataclass(slots=True)
class Outcome:
    """What a run did. `accounts` in scope, `changed` of them since they were last classified;
    `added`, `removed`, `updated` assignments.
    """

    batch_id: uuid.UUID
    accounts: int
    changed: int
    rules: list[RuleResult] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    updated: int = 0

    @property
    def failed(self) -> list[RuleResult]:
        return [rule for rule in self.rules if rule.error]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"batch_id": str(self.batch_id), "failed": len(self.failed)}


def classify(
    instance_id: int | None = None,
    account_ids: Collection[int] | None = None,
    rule_ids: Collection[int] | None = None,
) -> Outcome:
    """Bring the assignments of the accounts in scope up to date.

    `instance_id`: one instance. `account_ids` (AccountPermission): these, whether or not they
    changed. `rule_ids`: only the classifications of these rules. Accounts that are gone lose what
    rules gave them; those of instances that are switched off are left alone. Raises
    NothingToClassify.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, instance_id)
        rules = _hold(cursor, active_rules())
        chosen = [rule for rule in rules if rule_ids is None or rule.id in rule_ids]
        if not chosen:
            raise NothingToClassify("NO_RULES", _("There is no active rule."))
        only = None if rule_ids is None else {rule.classification_id for rule in chosen}
        run = _Run(cursor, _ready(rules, only), instance_id, account_ids, only)
        run.go()
    logger.info(
        "accounts_classified",
        instance_id=instance_id,
        accounts=run.outcome.accounts,
        changed=run.outcome.changed,
        added=run.outcome.added,
        removed=run.outcome.removed,
        failed_rules=len(run.outcome.failed),
    )
    return run.outcome


def _lock(cursor: Any, instance_id: int | None) -> None:
    """Runs over all accounts stand alone; runs over different instances go side by side."""
    if instance_id is None:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
    else:
        both = "SELECT pg_advisory_xact_lock_shared(%s, 0), pg_advisory_xact_lock(%s, %s)"
        cursor.execute(both, (LOCK, LOCK, instance_id))


def _hold(cursor: Any, rules: list[ActiveRule]) -> list[ActiveRule]:
    """Those that are still there, which they stay until the run has ended."""
    cursor.execute(statements.HOLD_RULES, ([rule.id for rule in rules],))
    there = {row[0] for row in cursor.fetchall()}
    return [rule for rule in rules if rule.id in there]


@dataclass(slots=True)
class _Ready:
    """A rule with its question, or with the reason why it has none."""

    rule: ActiveRule
    result: RuleResult
    question: Question | None = None


def _ready(rules: Iterable[ActiveRule], only: Collection[int] | None) -> list[_Ready]:
    ready = []
    for rule in rules:
        if only is None or rule.classification_id in only:
            each = _Ready(rule, RuleResult(rule.id, rule.name, rule.db_type, rule.classification))
            try:
                each.question = Question.of(parse(rule.text, rule.db_type))
            except InvalidExpression as exc:
                each.result.error = "; ".join(exc.messages)
            ready.append(each)
    return ready


def _stamp(ready: Iterable[_Ready]) -> str:
    """Of all rules of one classification. Empty, that is never up to date, while one is broken.
    With the hour behind an @ where a rule asks the clock, which counts in days.
    """
    parts, hour = [], ""
    for each in ready:
        if each.question is None:
            return ""
        parts.append(f"{each.rule.id} {each.question.stamp()}")
        if each.question.expression.is_volatile:
            hour = f"@{each.question.context.now:%Y-%m-%dT%H}"
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:48] + hour


class _Run:
    """One run, inside its transaction."""

    def __init__(
        self,
        cursor: Any,
        ready: list[_Ready],
        instance_id: int | None,
        account_ids: Collection[int] | None,
        only: Collection[int] | None,
    ) -> None:
        self.cursor, self.ready, self.instance_id, self.only = cursor, ready, instance_id, only
        self.params: dict[str, Any] = {
            "instance": instance_id,
            "accounts": None if account_ids is None else sorted(account_ids),
        }
        self.is_whole = instance_id is None and account_ids is None
        self.outcome = Outcome(uuid.uuid4(), 0, 0, [each.result for each in ready])
        self.doubts: set[str] = set()
        self.by_classification: dict[int, list[_Ready]] = {}
        for each in ready:
            self.by_classification.setdefault(each.rule.classification_id, []).append(each)

    def go(self) -> None:
        stale = self.stale()
        self.survey(bool(stale))
        has_gone = self.forget_gone()
        if stale or self.outcome.changed:
            self.ask_all(stale)
            self.compare(stale)
            self.remember(stale)
            if self.outcome.added or self.outcome.removed or self.outcome.updated:
                self.cursor.execute("ANALYZE run_touched")
                risks.refresh(risks.OF_RUN)
            self.cursor.execute(statements.DROP)
        if has_gone:
            risks.refresh(risks.GONE, instance=self.instance_id)

    def survey(self, everybody: bool) -> None:
        """Count the accounts, and list those to be asked: all, or those that changed."""
        if everybody:
            self.list_accounts(everybody)
        else:
            self.cursor.execute(statements.SURVEY, self.params)
        self.outcome.accounts, self.outcome.changed = self.cursor.fetchone()
        if not self.outcome.accounts:
            raise NothingToClassify("NO_ACCOUNTS", _("There is no account to classify."))
        if self.outcome.changed and not everybody:
            self.list_accounts(everybody)

    def list_accounts(self, everybody: bool) -> None:
        self.cursor.execute(statements.ACCOUNTS, {**self.params, "everybody": everybody})
        self.cursor.execute("ANALYZE run_accounts (id)")
        self.cursor.execute(statements.COUNT_ACCOUNTS)

    def forget_gone(self) -> bool:
        """Whether there were any."""
        self.cursor.execute(statements.ANY_GONE, self.params)
        there: bool = self.cursor.fetchone()[0]
        if there:
            self.cursor.execute(statements.FORGET_GONE, self.params)
            self._count_removed()
        return there

    def stale(self) -> dict[int, str]:
        """The classifications whose rules are to be asked of every account in scope, with their
        new stamp: those that were named, and those whose rules changed. What the clock changes is
        left to the runs over all accounts, of which one an hour asks for it.
        """
        found = {}
        for id_, old in AccountClassification.objects.values_list("id", "rules_stamp"):
            rules = self.by_classification.get(id_, [])
            new = _stamp(rules) if rules else ""
            if self.only is not None:
                is_stale = id_ in self.only
            else:
                is_stale = bool(rules and not new) or not self._same(new, old)
            if is_stale:
                found[id_] = new
        return found

    def _same(self, new: str, old: str) -> bool:
        return new == old if self.is_whole else new.partition("@")[0] == old.partition("@")[0]

    def ask_all(self, stale: Mapping[int, str]) -> None:
        self.cursor.execute(statements.TABLES)
        self.find_doubts()
        is_all = self.outcome.changed == self.outcome.accounts
        for each in self.ready:
            if is_all or each.rule.classification_id in stale:
                self.ask(each, "all")
            elif self.outcome.changed:
                self.ask(each, "changed")
        if failed := [result.rule_id for result in self.outcome.failed]:
            self.cursor.execute(statements.KEEP_FAILED, (failed,))

    def find_doubts(self) -> None:
        asked = [each.question.doubts() for each in self.ready if each.question]
        words = {word for doubts in asked for word in doubts.tokens}
        self.cursor.execute(statements.DOUBTS_THERE, (sorted(words),))
        self.doubts = {row[0] for row in self.cursor.fetchall()}
        if columns := sorted({column for doubts in asked for column in doubts.columns}):
            nulls = ", ".join(f"bool_or(p.{column} IS NULL)" for column in columns)
            self.cursor.execute(statements.NULLS_THERE.format(columns=nulls))
            found = self.cursor.fetchone()
            self.doubts |= {
                column for column, is_there in zip(columns, found, strict=True) if is_there
            }

    def ask(self, each: _Ready, asked: str) -> None:
        """One rule, in a savepoint of its own: when it fails, the others go on."""
        each.result.asked = asked
        if each.question is None:
            return
        try:
            with transaction.atomic():
                self._write_matches(each, each.question)
                doubts = each.question.doubts()
                if not self.doubts.isdisjoint((*doubts.columns, *doubts.tokens)):
                    self._keep_unknown(each, each.question)
        except DatabaseError as exc:
            each.result.error = str(exc).strip()
            logger.warning("rule_failed", rule_id=each.rule.id, error=each.result.error)

    def _write_matches(self, each: _Ready, question: Question) -> None:
        matches = question.matches()
        if each.result.asked == "changed" or self.params["accounts"] is not None:
            matches = matches.filter(pk__in=CHANGED)
        elif self.instance_id is not None:
            matches = matches.filter(instance_id=self.instance_id)
        evidence = question.evidence(each.rule)
        first = each.rule.id * statements.ENTRIES
        gives = each.rule.classification_id
        if evidence.entries:
            numbers = list(range(first, first + len(evidence.entries)))
            self.cursor.execute(statements.KNOWN_ENTRIES, (numbers, list(evidence.entries)))
            sql, params = as_rows(matches, Value(first) + evidence.column, Value(gives))
            self.cursor.execute(f"INSERT INTO run_matches {sql}", params)
            return
        sql, params = as_rows(matches, evidence.column)
        self.cursor.execute(f"TRUNCATE run_told; INSERT INTO run_told {sql}", params)
        self.cursor.execute(statements.TOLD_ENTRIES, {"first": first})
        self.cursor.execute(statements.TOLD_MATCHES, {"gives": gives})

    def _keep_unknown(self, each: _Ready, question: Question) -> None:
        asked = CHANGED if each.result.asked == "changed" else EVERYBODY
        sql, params = as_rows(question.unknown().filter(pk__in=asked))
        gives = each.rule.classification_id
        self.cursor.execute(statements.KEEP_UNKNOWN.format(rows=sql), (*params, gives, gives))
        each.result.unknown = self.cursor.fetchone()[0]

    def compare(self, stale: Mapping[int, str]) -> None:
        self.cursor.execute("SET LOCAL work_mem = '128MB'")
        self.cursor.execute(statements.COUNT_MATCHES)
        self._count("matched")
        self.cursor.execute(statements.FOUND)
        self.cursor.execute("ANALYZE run_found (account_id, classification_id)")
        others = [id_ for id_ in self.by_classification if id_ not in stale]
        self.cursor.execute(statements.DEACTIVATE, {"stale": list(stale), "others": others})
        self._count_removed()
        self.cursor.execute(statements.UPDATE)
        self.outcome.updated = self.cursor.rowcount
        try:
            with transaction.atomic():
                self.insert()
        except IntegrityError:
            self.insert(statements.SKIP_TAKEN)
        self.outcome.added += self._count("added")

    def insert(self, on_conflict: str = "") -> None:
        text = statements.INSERT.format(on_conflict=on_conflict)
        self.cursor.execute(text, {"batch": self.outcome.batch_id})

    def _count_removed(self) -> None:
        self.outcome.removed += self._count("removed")

    def _count(self, name: str) -> int:
        """Add the counts per rule just read to the results; their sum."""
        results = {each.rule.id: each.result for each in self.ready}
        rows = self.cursor.fetchall()
        for rule_id, count in rows:
            if rule_id in results:
                setattr(results[rule_id], name, getattr(results[rule_id], name) + count)
        return sum(count for _rule_id, count in rows)

    def remember(self, stale: Mapping[int, str]) -> None:
        """The stamps of what has been asked in full: of accounts by all rules, of rules by all
        accounts. A rule that failed is to be asked again.
        """
        if self.only is None and self.outcome.changed:
            self.cursor.execute(statements.REMEMBER_KNOWN)
            self.cursor.execute(statements.REMEMBER_NEW)
        if self.is_whole:
            failed = {each.rule.classification_id for each in self.ready if each.result.error}
            new = {id_: "" if id_ in failed else stamp for id_, stamp in stale.items()}
            new |= dict.fromkeys(failed, "")
            self.cursor.execute(statements.REMEMBER_RULES, (list(new), list(new.values())))
