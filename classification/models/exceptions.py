"""Risks that people accept for a while, and the assignments that this covers."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import InstanceAccount
from classification import risks, weighing
from classification.dsl.patterns import glob_to_like
from classification.models.assignments import AccountClassificationAssignment
from classification.models.classifications import AccountClassification
from classification.models.rules import ClassificationRule
from whalefall.instances.models import Instance
from whalefall.models import User


class ExceptionQuerySet(models.QuerySet["RiskException"]):
    def holding(self) -> Self:
        """Those that neither a person nor the clock has ended."""
        return self.filter(ended_at=None, ends_on__gte=risks.today())

    def in_state(self, state: str) -> Self:
        """`holding`, `expired` or `ended`, as `RiskException.state` says."""
        if state == "holding":
            return self.holding()
        if state == "ended":
            return self.exclude(ended_at=None)
        return self.filter(ended_at=None, ends_on__lt=risks.today())


class RiskException(models.Model):
    """A person accepts a risk for a while: of one account, or of all whose name is like a pattern,
    on one instance or everywhere. It concerns a classification, or what one rule finds.

    Never changed, only ended: what was accepted by whom stays to be read.
    """

    account = models.ForeignKey(
        InstanceAccount,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
    )
    instance = models.ForeignKey(
        Instance,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("instance"),
        help_text=_("With a pattern; every instance without one."),
    )
    username_pattern = models.CharField(
        _("name pattern"),
        max_length=400,
        blank=True,
        help_text=_("* stands for anything, ? for one character: backup_*@10.0.?.%"),
    )
    username_like = models.CharField(max_length=800, blank=True, editable=False)
    classification = models.ForeignKey(
        AccountClassification,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="exceptions",
        verbose_name=_("classification"),
    )
    rule = models.ForeignKey(
        ClassificationRule,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="exceptions",
        verbose_name=_("rule"),
    )
    reason = models.TextField(_("reason"), max_length=2000)
    approver = models.CharField(_("approved by"), max_length=150)
    ends_on = models.DateField(_("last day"), help_text=_("It holds until the end of it, in UTC."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("accepted at"), auto_now_add=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)

    objects = ExceptionQuerySet.as_manager()

    class Meta:
        db_table = "risk_exceptions"
        verbose_name = _("accepted risk")
        verbose_name_plural = _("accepted risks")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.classification or self.rule}: {self.account or self.username_pattern}"

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """The accounts that it covers follow."""
        self.username_like = glob_to_like(self.username_pattern)
        super().save(*args, **options)
        risks.refresh(weighing.OF_EXCEPTION, exception=self.pk)

    def clean(self) -> None:
        """Raises ValidationError with everything wrong, by field."""
        wrong: dict[str, Any] = {}
        if bool(self.account_id) == bool(self.username_pattern):
            wrong["username_pattern"] = _("Give an account or a pattern, one of both.")
        elif self.account_id and self.instance_id:
            wrong["instance"] = _("An account is on its instance already.")
        if bool(self.classification_id) == bool(self.rule_id):
            wrong["classification"] = _("Give a classification or a rule, one of both.")
        if not self.reason.strip():
            wrong["reason"] = _("Say why the risk is accepted.")
        if not self.approver.strip():
            wrong["approver"] = _("Say who approved it.")
        if self.ends_on and self.ends_on < risks.today():
            wrong["ends_on"] = _("The last day lies in the past.")
        if wrong:
            raise ValidationError(wrong)

    @transaction.atomic
    def end(self, user: User | None) -> bool:
        """The risk counts again at once; False when it had ended before."""
        open_ = RiskException.objects.filter(pk=self.pk, ended_at=None)
        if not open_.update(ended_by=user, ended_at=timezone.now()):
            return False
        risks.refresh(weighing.OF_EXCEPTION, exception=self.pk)
        self.refresh_from_db()
        return True

    @property
    def state(self) -> str:
        """`ended` by a person, `expired`, or `holding`."""
        if self.ended_at:
            return "ended"
        return "holding" if self.ends_on >= risks.today() else "expired"


class Acceptance(models.Model):
    """An assignment and the exception by which its risk is accepted. Follows from both; written by
    `classification.risks` alone. Counts while `ends_on` has not passed.
    """

    assignment = models.OneToOneField(
        AccountClassificationAssignment,
        models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="acceptance",
    )
    exception = models.ForeignKey(RiskException, models.CASCADE, related_name="acceptances")
    ends_on = models.DateField()

    class Meta:
        db_table = "accepted_assignments"
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")

    def __str__(self) -> str:
        return str(self.assignment_id)
