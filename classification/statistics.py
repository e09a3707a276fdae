"""How many accounts there are, of which engine, with which classification."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Func, IntegerField, JSONField, Q, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from accounts.models import AccountPermission, InstanceAccount
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
)

Json = dict[str, Any]


class _Grouped(Subquery):
    """What a query of (key, number) finds, as one JSON object. It asks nothing of the row that it
    stands in: the store answers it once, not for each row.
    """

    template = "(SELECT jsonb_object_agg(key, number) FROM (%(subquery)s) AS counted(key, number))"


def given(field: str, with_bin: bool = False) -> Coalesce:
    """For each row, how many accounts have an active assignment with it as `field`; those on
    instances in the recycle bin only where asked for.
    """
    active = AccountClassificationAssignment.objects.filter(is_active=True).exclude(**{field: None})
    if not with_bin:
        binned = AccountPermission.objects.filter(instance__deleted_at__isnull=False)
        active = active.exclude(account__in=binned.values("pk"))
    counted = active.order_by().values_list(field).annotate(number=Count("pk"))
    number = Func(
        _Grouped(counted, output_field=JSONField()),
        Cast("pk", TextField()),
        function="jsonb_extract_path_text",
        output_field=TextField(),
    )
    return Coalesce(Cast(number, IntegerField()), 0)


def summary() -> Json:
    """Of all accounts on instances that are not in the recycle bin, in one statement."""
    active = Q(is_active=True)
    day = timezone.now() - timedelta(days=1)
    counts: Json = InstanceAccount.objects.filter(instance__deleted_at=None).aggregate(
        total=Count("pk"),
        active=Count("pk", filter=active),
        gone=Count("pk", filter=~active),
        superusers=Count("pk", filter=active & Q(permission__is_superuser=True)),
        locked=Count("pk", filter=active & Q(permission__is_locked=True)),
        changed_last_day=Count("pk", filter=Q(permission__last_change_time__gte=day)),
        instances=Count("instance", distinct=True),
    )
    return counts


def db_types() -> list[Any]:
    """Per engine, in one statement."""
    active = Q(is_active=True)
    rows = InstanceAccount.objects.filter(instance__deleted_at=None).order_by("db_type")
    return list(
        rows.values("db_type").annotate(
            total=Count("pk"),
            active=Count("pk", filter=active),
            superusers=Count("pk", filter=active & Q(permission__is_superuser=True)),
            locked=Count("pk", filter=active & Q(permission__is_locked=True)),
        )
    )


def classifications() -> list[Any]:
    """Per classification, of highest priority first, how many accounts have it."""
    rows = AccountClassification.objects.annotate(accounts=given("classification")).order_by(
        "-priority", "name"
    )
    return list(rows.values("id", "name", "display_name", "risk_level", "color", "accounts"))


def rules(ids: list[int] | None = None) -> list[Json]:
    """Per rule, how many accounts have its classification by it."""
    found = ClassificationRule.objects.annotate(accounts=given("rule")).order_by(
        "db_type", "rule_name"
    )
    if ids is not None:
        found = found.filter(pk__in=ids)
    return [
        {
            "rule_id": rule.pk,
            "rule_name": rule.rule_name,
            "db_type": rule.db_type,
            "classification": rule.classification.name,
            "accounts": rule.accounts,
        }
        for rule in found.select_related("classification")
    ]
