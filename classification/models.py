"""Classifications, the rules that give them, and who has them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountPermission
from whalefall.instances.models import DB_TYPE_CHOICES


class RiskLevel(models.TextChoices):
    CRITICAL = "critical", _("critical")
    HIGH = "high", _("high")
    MEDIUM = "medium", _("medium")
    LOW = "low", _("low")
    INFO = "info", _("for information")


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
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "account_classifications"
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        ordering = ("-priority", "name")

    def __str__(self) -> str:
        return self.display_name or self.name


class ClassificationRule(models.Model):
    """An expression over an account's facts that gives a classification."""

    classification = models.ForeignKey(AccountClassification, models.CASCADE, related_name="rules")
    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES)
    rule_name = models.CharField(_("name"), max_length=150)
    description = models.TextField(_("description"), blank=True)
    rule_expression = models.TextField(
        _("expression"), help_text=_("DSL v4, kept as canonical JSON.")
    )
    references = models.JSONField(_("references"), default=list, blank=True)
    pack_id = models.CharField(_("pack rule"), max_length=50, blank=True, editable=False)
    pack_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "classification_rules"
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ("db_type", "rule_name")
        constraints = (
            models.UniqueConstraint(
                fields=("db_type", "rule_name"),
                name="rule_name_unique",
                violation_error_message=_("A rule of this engine has this name already."),
            ),
        )

    def __str__(self) -> str:
        return self.rule_name


class AccountClassificationAssignment(models.Model):
    """An account has a classification: by a rule with its evidence, or by a person."""

    class Type(models.TextChoices):
        AUTO = "auto", _("by a rule")
        MANUAL = "manual", _("by hand")

    account = models.ForeignKey(AccountPermission, models.CASCADE, related_name="assignments")
    classification = models.ForeignKey(
        AccountClassification, models.CASCADE, related_name="assignments"
    )
    rule = models.ForeignKey(
        ClassificationRule, models.SET_NULL, null=True, blank=True, related_name="assignments"
    )
    assignment_type = models.CharField(_("given"), max_length=10, choices=Type, default=Type.AUTO)
    batch_id = models.UUIDField(_("batch"), null=True, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict)
    is_active = models.BooleanField(_("active"), default=True)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    assigned_at = models.DateTimeField(_("given at"))
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    deactivated_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        db_table = "account_classification_assignments"
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ("-assigned_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "classification", "batch_id"), name="assignment_batch_unique"
            ),
            models.UniqueConstraint(
                fields=("account", "classification"),
                condition=models.Q(is_active=True),
                name="assignment_active_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}: {self.classification_id}"
