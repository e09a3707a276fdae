"""Lists of accounts narrowed to those at a risk, without walking all others by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from classification.models import AccountRisk

MOST_LISTED = 5_000


def at_risk(accounts: QuerySet[Any], ranks: Sequence[int]) -> QuerySet[Any]:
    """Those whose highest risk that nobody accepted has one of these ranks.

    Few by their ids, read from the small table of risks: joined, the planner looks from name to
    name for the few that are risky. Of more than MOST_LISTED the next one is never far.
    """
    risky = AccountRisk.objects.filter(level__in=ranks)
    ids = list(risky.values_list("account_id", flat=True)[: MOST_LISTED + 1])
    if len(ids) > MOST_LISTED:
        return accounts.filter(pk__within=risky.values("account_id"))
    return accounts.filter(pk__among=ids)
