"""Labels for accounts, each with a risk."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from classification import risks, weighing


class RiskLevel(models.TextChoices):
    CRITICAL = "critical", _("critical")
    HIGH = "high", _("high")
    MEDIUM = "medium", _("medium")
    LOW = "low", _("low")
    INFO = "info", _("for information")

    @property
    def rank(self) -> int:
        """From 1, the least, as risks of accounts are stored."""
        return risks.LEVELS.index(self.value) + 1

    @classmethod
    def of_rank(cls, rank: int | None) -> RiskLevel | None:
        """None for 0, everything accepted, and for None, nothing there."""
        return cls(risks.LEVELS[rank - 1]) if rank else None


class SystemClassification(ValidationError):
    """A shipped classification is not to be deleted."""


class ClassificationInUse(ValidationError):
    """Rules or accounts still have the classification."""


class AccountClassificationQuerySet(models.QuerySet["AccountClassification"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        """All or none. Raises as AccountClassification.delete does."""
        for classification in self:
            classification.check_deletable()
        return super().delete()


class AccountClassification(models.Model):
    """A label for accounts with a risk: `super_admin`, `over_privileged` ..."""

    name = models.CharField(_("code"), max_length=100, unique=True)
    display_name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    risk_level = models.CharField(
        _("risk"), max_length=20, choices=RiskLevel, default=RiskLevel.MEDIUM
    )
    color = models.CharField(_("colour"), max_length=20, default="gray")
    icon_name = models.CharField(_("icon"), max_length=50, default="label")
    priority = models.IntegerField(_("priority"), default=0, help_text=_("Highest first."))
    is_system = models.BooleanField(_("shipped"), default=False, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    # What each rule was when all accounts were last asked about it (`classification.stamps`).
    rule_stamps = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = AccountClassificationQuerySet.as_manager()

    class Meta:
        db_table = "account_classifications"
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        ordering = ("-priority", "name")

    def __str__(self) -> str:
        """A shipped one in the language of who reads it."""
        name = self.display_name or self.name
        return gettext(name) if self.is_system else name

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """The accounts that have it follow a change of its risk."""
        stored = AccountClassification.objects.filter(pk=self.pk).exclude(
            risk_level=self.risk_level
        )
        is_other = self.pk is not None and stored.exists()
        super().save(*args, **options)
        if is_other:
            risks.refresh(weighing.OF_CLASSIFICATION, classification=self.pk)

    @property
    def explanation(self) -> str:
        """The description as `__str__` gives the name."""
        return (
            gettext(self.description) if self.is_system and self.description else self.description
        )

    def check_deletable(self) -> None:
        """Raises SystemClassification or ClassificationInUse."""
        if self.is_system:
            message = _("%(name)s is shipped with the system; switch it off instead.")
            raise SystemClassification(message, "SYSTEM_CLASSIFICATION", {"name": self.name})
        rules, accounts = self.rules.count(), self.assignments.filter(is_active=True).count()
        if rules or accounts:
            message = _("%(name)s is in use: %(rules)d rules, %(accounts)d accounts.")
            params = {"name": self.name, "rules": rules, "accounts": accounts}
            raise ClassificationInUse(message, "CLASSIFICATION_IN_USE", params)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Raises SystemClassification, or ClassificationInUse while rules or accounts have it."""
        self.check_deletable()
        return super().delete(*args, **options)
