"""What happened last: risky accounts, changes, sessions. By index, a few rows of each."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import WIDE, AccountChangeLog
from classification import risks
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    RiskLevel,
)
from sync.models import SyncSession

SHOWN = 8


def risky() -> list[AccountClassificationAssignment]:
    """The newest assignments of a critical or high risk that nobody accepted, critical first."""
    found = [*_risky(RiskLevel.CRITICAL), *_risky(RiskLevel.HIGH)]
    return found[:SHOWN]


def _risky(risk: RiskLevel) -> QuerySet[AccountClassificationAssignment]:
    """By the primary key: ordering by anything else sorts them all."""
    wide = (f"account__{column}" for column in WIDE)
    found = AccountClassificationAssignment.objects.filter(
        is_active=True,
        account__account__is_active=True,
        account__account__comes_with_product=False,
        account__instance__deleted_at=None,
        classification__in=AccountClassification.objects.filter(risk_level=risk).values("pk"),
    )
    found = found.exclude(acceptance__ends_on__gte=risks.today())
    related = found.select_related("classification", "account__account", "account__instance")
    return related.defer("evidence", *wide).order_by("-pk")[:SHOWN]


def changes() -> QuerySet[AccountChangeLog]:
    related = AccountChangeLog.objects.select_related("account", "instance")
    return related.defer("privilege_diff", "other_diff").order_by("-change_time", "-id")[:SHOWN]


def sessions() -> QuerySet[SyncSession]:
    return SyncSession.objects.select_related("created_by").order_by("-started_at", "-id")[:SHOWN]
