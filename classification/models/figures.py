"""What follows from assignments: the risk of each account, and the counts of each day."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountPermission, InstanceAccount


class AccountRisk(models.Model):
    """The risk of an account that has an active classification (`classification.risks`), apart from
    the wide row of the facts. `level` is the highest not accepted one, 0 when all are;
    `accepted_until` is the first day on whose end some risk returns.
    """

    permission = models.OneToOneField(
        AccountPermission,
        models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="risk",
    )
    # The permission's own, here too: lists find accounts by their risk without those wide rows.
    # NULL where the permission is gone, until the row is.
    account = models.ForeignKey(
        InstanceAccount,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    level = models.SmallIntegerField(_("risk"))
    accepted_until = models.DateField(null=True)

    class Meta:
        db_table = "account_risks"
        verbose_name = _("risk of an account")
        verbose_name_plural = _("risks of accounts")
        indexes = (
            models.Index(fields=("level", "account"), name="account_risk_of"),
            models.Index(
                fields=("accepted_until",),
                condition=models.Q(accepted_until__isnull=False),
                name="account_risk_accepted",
            ),
        )

    def __str__(self) -> str:
        return f"{self.permission_id}: {self.level}"

    def save(self, *args: Any, **options: Any) -> None:
        self.account_id = self.permission.account_id
        super().save(*args, **options)


class DailyCount(models.Model):
    """How many accounts had a classification, had it by a rule, or were at a risk, on a day
    (`classification.daily`). `key` is an id, or a risk level; `name` what it was called then.
    """

    class Kind(models.TextChoices):
        RULE = "rule", _("rule")
        CLASSIFICATION = "classification", _("classification")
        RISK = "risk", _("risk")

    day = models.DateField()
    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=20)
    name = models.CharField(max_length=150)
    accounts = models.IntegerField()
    accepted = models.IntegerField()

    class Meta:
        db_table = "classification_daily_counts"
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints = (
            models.UniqueConstraint(fields=("day", "kind", "key"), name="daily_count_unique"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.key}: {self.accounts}"
