"""Auto-classify: every rule asked of every account that it may say something new about.

One transaction: the rules are asked together (`classification.matching`), one comparison turns what
they found into assignments. What is to be asked follows from two stamps: an account's
(`ClassifiedAccount`) and a rule's (`classification.stamps`). Where both are as at the last run,
nothing is asked: what the rule says of the account stands in the evidence of its assignment
(`classification.settled`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from classification import estimates, risks, settled, statements, weighing
from classification.matching import Asked, Matching, Permissions, Ready, Scope
from classification.models import AccountClassification
from classification.outcome import Outcome
from classification.rules import ActiveRule, active_rules
from classification.stamps import Stale, compared
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
    changed. `rule_ids`: these, whether or not they changed, and only their classifications.
    Accounts that are gone lose what rules gave them; those of instances that are switched off are
    left alone. Raises NothingToClassify.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, instance_id)
        rules = _hold(cursor, active_rules())
        chosen = [rule for rule in rules if rule_ids is None or rule.id in rule_ids]
        if not chosen:
            raise NothingToClassify("NO_RULES", _("There is no active rule."))
        only = None if rule_ids is None else {rule.classification_id for rule in chosen}
        run = _Run(cursor, _ready(rules, only), instance_id, account_ids, rule_ids)
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


class _Run:
    """One run, inside its transaction."""

    def __init__(
        self,
        cursor: Any,
        ready: list[Ready],
        instance_id: int | None,
        account_ids: Collection[int] | None,
        named: Collection[int] | None,
    ) -> None:
        self.cursor, self.ready, self.instance_id, self.named = cursor, ready, instance_id, named
        self.params: dict[str, Any] = {
            "instance": instance_id,
            "accounts": None if account_ids is None else sorted(account_ids),
        }
        self.is_whole = instance_id is None and account_ids is None
        self.outcome = Outcome(uuid.uuid4(), 0, 0, [each.result for each in ready])
        asked = [each.question.doubts() for each in ready if each.question]
        self.columns = sorted({column for doubts in asked for column in doubts.columns})
        self.words = sorted({word for doubts in asked for word in doubts.tokens})
        self.nulls: set[str] = set()
        self.stale = Stale({})
        self.has_kept = False

    @property
    def is_everybody(self) -> bool:
        """Whether every account in scope is to be asked about by every rule."""
        return self.outcome.changed == self.outcome.accounts

    def go(self) -> None:
        known = AccountClassification.objects.values_list("id", "rule_stamps")
        self.stale = compared(self.ready, known, self.named, self.is_whole)
        self.params |= {
            "stale": list(self.stale.classifications),
            "settled": list(self.stale.settled),
        }
        self.cursor.execute(statements.ANY_GONE, self.params)
        has_gone, is_known = self.cursor.fetchone()
        if has_gone:
            self.cursor.execute(statements.FORGET_GONE, self.params)
            self._count_removed()
        self.survey(is_known)
        if self.stale.classifications or self.outcome.changed:
            self.ask()
            self.compare()
            self.remember()
            self.weigh()
            self.cursor.execute(statements.DROP)
        if has_gone:
            risks.refresh(weighing.GONE, instance=self.instance_id)

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

    def ask(self) -> None:
        """Ask the rules, of all accounts or of those that changed, and find whom they match."""
        self.cursor.execute("SET LOCAL work_mem = '128MB'")
        estimates.mend(self.cursor)
        if not self.outcome.changed:
            self.cursor.execute(statements.NO_ACCOUNTS)
        self.cursor.execute(statements.TABLES)
        rests, again = self._settle()
        matching = Matching(self.cursor, self._asked(again), self._present, rests)
        matching.find(self.nulls | self._doubts())
        if failed := [result.rule_id for result in self.outcome.failed]:
            self.cursor.execute(statements.KEEP_FAILED, (failed,))
        if not self.is_everybody and self.stale.classifications:
            self.cursor.execute(statements.OTHER_ACCOUNTS, self.params)
        self.cursor.execute(statements.DROP_OTHERS)
        self.cursor.execute("ANALYZE run_found (account_id, classification_id)")
        matching.tell()
        self.has_kept = bool(matching.doubtful or failed)

    def _settle(self) -> tuple[dict[int, list[dict[str, Any]]], set[int]]:
        """What the settled rules of stale classifications gave, and the classifications where some
        accounts are to be asked about them.
        """
        settled_there = any(
            each.rule.id in self.stale.settled and self._is_compared(each) for each in self.ready
        )
        if self.is_everybody or not settled_there:
            return {}, set()
        rests = settled.match_rests(self.cursor, self.params)
        return rests, settled.list_again(self.cursor, self.params)

    def _is_compared(self, ready: Ready) -> bool:
        """Whether its classification is compared for all accounts in scope."""
        return self.is_everybody or ready.rule.classification_id in self.stale.classifications

    def _asked(self, again: Collection[int]) -> Iterator[Asked]:
        """Of whom each rule is asked; on one instance only the rules of its engine. Of all accounts
        when all are: those out of scope are dropped later, together. One that is settled is not
        asked of all, but who is unknown to it keeps what another rule takes away.
        """
        engine = None
        if self.instance_id is not None:
            engine = Instance.objects.values_list("db_type", flat=True).get(pk=self.instance_id)
        is_listed = self.params["accounts"] is not None or (
            self.instance_id is not None and self.is_everybody
        )
        everyone, changed = Scope(is_listed, self.instance_id), Scope(True)
        scopes = {
            "all": everyone,
            "changed": changed,
            "some": changed._replace(with_again=True),
            "none": None,
        }
        for each in self.ready:
            if engine in (None, each.rule.db_type):
                each.result.asked = self._asked_of(each, again)
                doubtful = everyone if self._is_compared(each) else changed
                if each.question and (each.result.asked != "none" or doubtful is everyone):
                    yield Asked(each, each.question, scopes[each.result.asked], doubtful)

    def _asked_of(self, ready: Ready, again: Collection[int]) -> str:
        is_settled = ready.rule.id in self.stale.settled
        if self.is_everybody or (self._is_compared(ready) and not is_settled):
            return "all"
        if ready.rule.classification_id in again:
            return "some"
        return "changed" if self.outcome.changed else "none"

    def _doubts(self) -> set[str]:
        self.cursor.execute(statements.DOUBTS_THERE, (self.words,))
        return {row[0] for row in self.cursor.fetchall()}

    def _present(self, found: Permissions) -> Permissions:
        """Those that the rules are about, where the run does not list them."""
        return found.filter(
            account__is_active=True, instance__is_active=True, instance__deleted_at=None
        )

    def compare(self) -> None:
        given = {each.rule.classification_id for each in self.ready if self.outcome.changed}
        others = list(given - self.stale.classifications)
        self.cursor.execute(statements.DEACTIVATE, self.params | {"others": others})
        self._count_removed()
        self.cursor.execute(statements.UPDATE)
        self.outcome.updated = self.cursor.rowcount
        if self.has_kept:
            self.cursor.execute(settled.MARK_KEPT, self.params)
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

    def remember(self) -> None:
        """The stamps of what has been asked in full: of accounts by all rules, of rules by all
        accounts. A rule that failed is to be asked again, of all or of these accounts.
        """
        failed = {
            each.rule.id: each.rule.classification_id for each in self.ready if each.result.error
        }
        is_heard = self.is_whole or failed.keys() <= self.stale.broken
        if self.named is None and self.outcome.changed and is_heard:
            self.cursor.execute(statements.REMEMBER_KNOWN)
            self.cursor.execute(statements.REMEMBER_NEW)
        if self.is_whole:
            kept = self.stale.to_keep(failed)
            texts = [json.dumps(stamps) for stamps in kept.values()]
            self.cursor.execute(statements.REMEMBER_RULES, (list(kept), texts))
            if self.stale.classifications:
                self.cursor.execute(statements.FORGET_ABSENT)

    def weigh(self) -> None:
        """Other evidence alone changes a risk only where what a rule finds is accepted."""
        has_moved = self.outcome.added or self.outcome.removed
        if has_moved or (self.outcome.updated and risks.are_accepted_by_rule()):
            self.cursor.execute("ANALYZE run_touched (account_id)")
            if self.outcome.added > MANY:  # for the next runs; the weighing does not need it
                self.cursor.execute(statements.KNOW_ASSIGNMENTS)
            risks.refresh_run()
