"""Exceptions that the clock has ended are told in the audit log, as those that a person ends.

Nothing else is to be done for them: risks return by `risks.settle` as soon as somebody asks.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast

from classification import risks
from classification.models import RiskException
from whalefall.models import AuditEntry

JOB, ACTION = "calculate_account", "expire"
# So far back the nightly job makes up for nights on which it did not run; the log is pruned later.
LOOK_BACK = timedelta(days=30)


def note_expired() -> int:
    """An entry for each that has expired and has none; how many these were."""
    kind, today = RiskException._meta.label_lower, risks.today()
    known = AuditEntry.objects.filter(
        action=ACTION, object_type=kind, object_id=Cast(OuterRef("pk"), CharField())
    )
    due = RiskException.objects.in_state("expired").filter(ends_on__gte=today - LOOK_BACK)
    found = due.exclude(Exists(known)).select_related("account", "classification", "rule")
    entries = [
        AuditEntry(
            username=JOB,
            via="job",
            action=ACTION,
            object_type=kind,
            object_id=str(exception.pk),
            object_name=str(exception)[:200],
            result=AuditEntry.Result.DONE,
            status=0,
        )
        for exception in found
    ]
    return len(AuditEntry.objects.bulk_create(entries))
