"""Auto-classify: every rule asked of every account that it may say something new about.

One transaction: the rules are asked together (`classification.matching`), one comparison turns what
they found into assignments. What is to be asked follows from two stamps: an account's
(`ClassifiedAccount`) and a classification's (`rules_stamp`). Where both are as at the last run,
nothing is asked. The unit is the classification: when one of its rules has changed, all of them
are asked.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from classification import risks, statements
from classification.matching import Matching, Permissions, Ready, Scope
from classification.models import AccountClassification
from classification.outcome import Outcome
from classification.rules import ActiveRule, active_rules
from whalefall.instances.models import Instance

logger = structlog.get_logger(__name__)

# First key of the advisory locks ("cla" in ASCII); the second is an instance, or 0 for all.
LOCK = 0x636C61
# New assignments from which on the planner is told how many there are now.
MANY = 10_000


class NothingToClassify(Exception):
    """No active rule, or no account in scope (`code`): nothing was touched."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


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


def _ready(rules: Iterable[ActiveRule], only: Collection[int] | None) -> list[Ready]:
    return [Ready.of(rule) for rule in rules if only is None or rule.classification_id in only]


def _stamp(ready: Iterable[Ready]) -> str:
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
        ready: list[Ready],
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
        self.by_classification: dict[int, list[Ready]] = {}
        for each in ready:
            self.by_classification.setdefault(each.rule.classification_id, []).append(each)
        asked = [each.question.doubts() for each in ready if each.question]
        self.columns = sorted({column for doubts in asked for column in doubts.columns})
        self.words = sorted({word for doubts in asked for word in doubts.tokens})
        self.nulls: set[str] = set()

    @property
    def is_everybody(self) -> bool:
        """Whether every account in scope is to be asked about by every rule."""
        return self.outcome.changed == self.outcome.accounts

    def go(self) -> None:
        stale = self.stale()
        self.cursor.execute(statements.ANY_GONE, self.params)
        has_gone, is_known = self.cursor.fetchone()
        if has_gone:
            self.cursor.execute(statements.FORGET_GONE, self.params)
            self._count_removed()
        self.survey(is_known)
        if stale or self.outcome.changed:
            self.ask(stale)
            self.compare(stale)
            self.remember(stale)
            self.weigh()
            self.cursor.execute(statements.DROP)
        if has_gone:
            risks.refresh(risks.GONE, instance=self.instance_id)

    def survey(self, is_known: bool) -> None:
        """Count the accounts in scope and list those that changed; where nobody is known yet, or
        accounts are named, these are all.
        """
        if is_known and self.params["accounts"] is None:
            nulls = self._nulls("bool_or(p.{} IS NULL)".format)
            self.cursor.execute(statements.SURVEY.format(nulls=nulls), self.params)
            self._surveyed()
            if self.outcome.changed:
                self._list_accounts()
        else:
            self._list_accounts()
            places = {column: i + 1 for i, column in enumerate(self.columns)}
            nulls = self._nulls(lambda column: f"bool_or(has_null[{places[column]}])")
            self.cursor.execute(statements.COUNT_ACCOUNTS.format(nulls=nulls))
            self._surveyed()
        if not self.outcome.accounts:
            raise NothingToClassify("NO_ACCOUNTS", _("There is no account to classify."))

    def _nulls(self, told: Callable[[str], str]) -> str:
        return f"ARRAY[{', '.join(map(told, self.columns))}]::boolean[]"

    def _list_accounts(self) -> None:
        nulls = self._nulls("p.{} IS NULL".format)
        self.cursor.execute(statements.ACCOUNTS.format(nulls=nulls), self.params)
        self.cursor.execute("ANALYZE run_accounts (id)")

    def _surveyed(self) -> None:
        self.outcome.accounts, self.outcome.changed, nulls = self.cursor.fetchone()
        is_null = zip(self.columns, nulls, strict=True)
        self.nulls = {column for column, is_there in is_null if is_there}

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

    def ask(self, stale: Mapping[int, str]) -> None:
        """Ask the rules, of all accounts or of those that changed, and find whom they match."""
        self.cursor.execute("SET LOCAL work_mem = '128MB'")
        if not self.outcome.changed:
            self.cursor.execute(statements.NO_ACCOUNTS)
        self.cursor.execute(statements.TABLES)
        matching = Matching(self.cursor, self._asked(stale), self._scopes(), self._present)
        matching.find(self.nulls | self._doubts())
        if failed := [result.rule_id for result in self.outcome.failed]:
            self.cursor.execute(statements.KEEP_FAILED, (failed,))
        if not self.is_everybody and stale:
            self.cursor.execute(statements.OTHER_ACCOUNTS, {**self.params, "stale": list(stale)})
        self.cursor.execute(statements.DROP_OTHERS)
        self.cursor.execute("ANALYZE run_found (account_id, classification_id)")
        matching.tell()

    def _asked(self, stale: Mapping[int, str]) -> Iterator[Ready]:
        """On one instance only the rules of its engine."""
        engine = None
        if self.instance_id is not None:
            engine = Instance.objects.values_list("db_type", flat=True).get(pk=self.instance_id)
        for each in self.ready:
            if engine in (None, each.rule.db_type):
                if self.is_everybody or each.rule.classification_id in stale:
                    each.result.asked = "all"
                elif self.outcome.changed:
                    each.result.asked = "changed"
                if each.result.asked != "none":
                    yield each

    def _doubts(self) -> set[str]:
        self.cursor.execute(statements.DOUBTS_THERE, (self.words,))
        return {row[0] for row in self.cursor.fetchall()}

    def _scopes(self) -> dict[str, Scope]:
        """By what a rule is asked of. Of all accounts when all are: those out of scope are dropped
        later, together.
        """
        is_listed = self.params["accounts"] is not None or (
            self.instance_id is not None and self.is_everybody
        )
        return {"changed": Scope(True), "all": Scope(is_listed, self.instance_id)}

    def _present(self, found: Permissions) -> Permissions:
        """Those that the rules are about, where the run does not list them."""
        return found.filter(
            account__is_active=True, instance__is_active=True, instance__deleted_at=None
        )

    def compare(self, stale: Mapping[int, str]) -> None:
        others = [
            id_ for id_ in self.by_classification if id_ not in stale and self.outcome.changed
        ]
        self.cursor.execute(statements.DEACTIVATE, {"stale": list(stale), "others": others})
        self._count_removed()
        self.cursor.execute(statements.UPDATE)
        self.outcome.updated = self.cursor.rowcount
        try:
            with transaction.atomic():
                self.insert()
        except IntegrityError:
            self.insert(statements.SKIP_TAKEN)
        if self.cursor.rowcount:
            self.cursor.execute(statements.COUNT_ADDED)
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

    def weigh(self) -> None:
        """Other evidence alone changes a risk only where what a rule finds is accepted."""
        has_moved = self.outcome.added or self.outcome.removed
        if has_moved or (self.outcome.updated and risks.are_accepted_by_rule()):
            self.cursor.execute("ANALYZE run_touched (account_id)")
            if self.outcome.added > MANY:
                # Where the planner takes the table for empty (it was, when it was last looked at),
                # the weighing would go through all of it for every account.
                self.cursor.execute(statements.KNOW_ASSIGNMENTS)
            risks.refresh_run()
