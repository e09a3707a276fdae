"""An account's risk: the highest level it has active and nobody accepted, kept in a narrow table.

Whoever changes assignments or exceptions calls `refresh` in the same transaction; only rows that
differ are written. What the clock ends is looked for when somebody asks: `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from classification import estimates, weighing

LEVELS = ("info", "low", "medium", "high", "critical")
"""From the least. An account's level is the place in it, from 1; 0 is: all of it is accepted."""

# The first key of an advisory lock ("rsk" in ASCII). Who computes risks waits for those that have
# done so and not committed: neither would see what the other one wrote.
LOCK = 0x72736B

ANY_EXPIRED = "SELECT EXISTS (SELECT FROM account_risks WHERE accepted_until < %s)"


ANY_BY_RULE = """
    SELECT EXISTS (SELECT FROM risk_exceptions WHERE rule_id IS NOT NULL AND ended_at IS NULL)
"""


def are_accepted_by_rule() -> bool:
    """Whether somebody accepts what a rule finds, so that the evidence decides over a risk."""
    with connection.cursor() as cursor:
        cursor.execute(ANY_BY_RULE)
        (there,) = cursor.fetchone()
    return bool(there)


def today() -> date:
    """The day by which exceptions end, in UTC."""
    return timezone.now().date()


def refresh(scope: str, **params: Any) -> None:
    """Bring acceptances and risks up to date; `scope` is one of those of `classification.weighing`.
    To be called last in a transaction: until its end no other one computes risks.
    """
    values: Mapping[str, Any] = {"today": today(), "levels": list(LEVELS), **params}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
        if scope is not weighing.ACCOUNTS:
            estimates.mend(cursor)
        cursor.execute(weighing.ACCEPT.format(scope=scope), values)
        cursor.execute(weighing.WEIGH.format(scope=scope), values)


def refresh_run() -> None:
    """The same for what a run has written, by its table `run_touched`."""
    values: Mapping[str, Any] = {"today": today(), "levels": list(LEVELS)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
        estimates.mend(cursor)
        cursor.execute(weighing.ACCEPT.format(scope=weighing.OF_RUN), values)
        cursor.execute(weighing.WEIGH.format(scope=weighing.OF_RUN_KNOWN), values)
        cursor.execute(weighing.WEIGH_NEW, values)


def settle() -> None:
    """Let risks return whose acceptance the clock has ended. Asked before risks are shown: one look
    into a small index, and on the first time of a day a little more.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANY_EXPIRED, (today(),))
        (is_due,) = cursor.fetchone()
    if is_due:
        refresh(weighing.EXPIRED)
