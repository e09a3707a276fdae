"""Lists of accounts narrowed to those at a risk, without walking all others by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.models import AccountPermission

MOST_LISTED = 50_000


def at_risk(accounts: QuerySet[Any], ranks: Sequence[int]) -> QuerySet[Any]:
    """Those whose highest risk that nobody accepted has one of these ranks.

    By their ids, read from the small table of risks: joined, the planner looks from name to name
    for the few that are risky. More than MOST_LISTED are no few.
    """
    risky = AccountPermission.objects.filter(risk__level__in=ranks).order_by()
    ids = list(risky.values_list("account", flat=True)[: MOST_LISTED + 1])
    if len(ids) > MOST_LISTED:
        return accounts.filter(permission__risk__level__in=ranks)
    return accounts.filter(pk__among=ids)
