"""Classifications, the rules that give them, and who has them."""

from __future__ import annotations

import hashlib
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountPermission
from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import Expression
from classification.dsl.parser import parse
from whalefall.instances.models import DB_TYPE_CHOICES
from whalefall.models import User


class RiskLevel(models.TextChoices):
    CRITICAL = "critical", _("critical")
    HIGH = "high", _("high")
    MEDIUM = "medium", _("medium")
    LOW = "low", _("low")
    INFO = "info", _("for information")


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
    # What the rules were when all accounts were last classified by them; empty: not yet.
    rules_stamp = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = AccountClassificationQuerySet.as_manager()

    class Meta:
        db_table = "account_classifications"
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        ordering = ("-priority", "name")

    def __str__(self) -> str:
        return self.display_name or self.name

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


class ShippedRule(ValidationError):
    """A shipped rule would come back with the next load: it is to be switched off."""


class ClassificationRuleQuerySet(models.QuerySet["ClassificationRule"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        """All or none. Raises ShippedRule."""
        for rule in self.exclude(pack_id=""):
            rule.check_deletable()
        return super().delete()


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

    objects = ClassificationRuleQuerySet.as_manager()

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

    def save(self, *args: Any, **options: Any) -> None:
        """Only valid expressions are stored, in their canonical form. Raises InvalidExpression."""
        self.rule_expression = self.parsed().canonical()
        super().save(*args, **options)

    def check_deletable(self) -> None:
        """Raises ShippedRule."""
        if self.pack_id:
            message = _("%(name)s is shipped with the system; switch it off instead.")
            raise ShippedRule(message, "SYSTEM_RULE", {"name": self.rule_name})

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Raises ShippedRule: what is shipped would come back with the next load."""
        self.check_deletable()
        return super().delete(*args, **options)

    def clean(self) -> None:
        """Canonicalise the expression. Raises ValidationError with everything wrong in it."""
        try:
            self.rule_expression = self.parsed().canonical()
        except InvalidExpression as exc:
            raise ValidationError({"rule_expression": exc}) from exc
        if twin := self.twin():
            message = _("Rule %(name)s asks the same already.")
            error = ValidationError(message, "EXPRESSION_DUPLICATED", {"name": twin.rule_name})
            raise ValidationError({"rule_expression": error})

    def twin(self) -> ClassificationRule | None:
        """Another rule that asks the same for the same classification, by canonical text."""
        same = ClassificationRule.objects.filter(
            classification=self.classification_id,
            db_type=self.db_type,
            rule_expression=self.rule_expression,
        )
        return same.exclude(pk=self.pk).first()

    def parsed(self) -> Expression:
        """The expression as nodes. Raises InvalidExpression."""
        return parse(self.rule_expression, self.db_type)

    @property
    def fingerprint(self) -> str:
        """Changes when the question changes, whatever the rule is called."""
        return fingerprint(self.db_type, self.rule_expression)


def fingerprint(db_type: str, canonical: str) -> str:
    return hashlib.sha256(f"{db_type}\n{canonical}".encode()).hexdigest()[:16]


class AssignmentQuerySet(models.QuerySet["AccountClassificationAssignment"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def assign(
        self,
        account: AccountPermission,
        classification: AccountClassification,
        user: User | None,
        note: str = "",
    ) -> AccountClassificationAssignment:
        """Give a classification by hand. Takes the place of one that a rule gave; one that is by
        hand already is returned as it is. Earlier dismissals are forgotten.
        """
        try:
            with transaction.atomic():
                return self._assign(account, classification, user, note)
        except IntegrityError:
            # A run or another person was quicker by a moment: now theirs is there to be seen.
            with transaction.atomic():
                return self._assign(account, classification, user, note)

    def _assign(
        self,
        account: AccountPermission,
        classification: AccountClassification,
        user: User | None,
        note: str,
    ) -> AccountClassificationAssignment:
        here = self.filter(account=account, classification=classification)
        here.filter(is_dismissed=True).update(is_dismissed=False)
        manual = AccountClassificationAssignment.Type.MANUAL
        current = here.active().select_for_update(no_key=True).first()
        if current is not None and current.assignment_type == manual:
            return current
        if current is not None:
            current.end(user)
        return self.create(
            account=account,
            classification=classification,
            assignment_type=manual,
            assigned_by=user,
            assigned_at=timezone.now(),
            evidence={"note": note} if note else {},
        )


class AccountClassificationAssignment(models.Model):
    """An account has a classification: by a rule with its evidence, or by a person."""

    class Type(models.TextChoices):
        AUTO = "auto", _("by a rule")
        MANUAL = "manual", _("by hand")

    # A first run writes these rows by the hundred thousand. The check of a foreign key would lock,
    # that is write, every wide row of account_permission again, so the keys are looked after here:
    # the run holds its rules and their classifications until it has ended, and joins the accounts.
    # No column has an index that another one serves or nothing asks.
    account = models.ForeignKey(
        AccountPermission,
        models.CASCADE,
        related_name="assignments",
        db_constraint=False,
        db_index=False,
    )
    classification = models.ForeignKey(
        AccountClassification,
        models.CASCADE,
        related_name="assignments",
        db_constraint=False,
        db_index=False,
    )
    rule = models.ForeignKey(
        ClassificationRule,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assignments",
        db_constraint=False,
        db_index=False,
    )
    assignment_type = models.CharField(_("given"), max_length=10, choices=Type, default=Type.AUTO)
    batch_id = models.UUIDField(_("batch"), null=True, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict)
    is_active = models.BooleanField(_("active"), default=True)
    # A person ended it though a rule gave it: it stays off while `evidence` stays true.
    is_dismissed = models.BooleanField(_("dismissed"), default=False, editable=False)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    assigned_at = models.DateTimeField(_("given at"))
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    deactivated_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        db_table = "account_classification_assignments"
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ("-assigned_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "classification", "batch_id"), name="assignment_batch_unique"
            ),
            # The classification first: this finds who has one, the other what an account has.
            models.UniqueConstraint(
                fields=("classification", "account"),
                condition=models.Q(is_active=True),
                name="assignment_active_unique",
            ),
        )
        indexes = (
            models.Index(
                fields=("account", "classification"),
                condition=models.Q(is_dismissed=True),
                name="assignment_dismissed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}: {self.classification_id}"

    @transaction.atomic
    def deactivate(self, user: User | None) -> bool:
        """End it by a person's decision; False when it had ended before.

        What a rule gave stays off until the rule or the account's facts change. What was given by
        hand makes room: the next run asks the rules about this account again.
        """
        locked = AccountClassificationAssignment.objects.select_for_update(
            no_key=True, of=("self",)
        ).select_related("account")
        current = locked.get(pk=self.pk)
        if not current.is_active:
            return False
        if current.assignment_type == self.Type.AUTO:
            current.is_dismissed = True
            current.evidence = {**current.evidence, "facts": current.account.facts_fingerprint}
        else:
            ClassifiedAccount.objects.filter(pk=current.account_id).delete()
        current.end(user)
        self.refresh_from_db()
        return True

    def end(self, user: User | None) -> None:
        self.is_active, self.deactivated_by, self.deactivated_at = False, user, timezone.now()
        self.save()


class ClassifiedAccount(models.Model):
    """What an account was when all rules were last asked about it: a run passes over those that
    are still the same. Kept apart so that a run never rewrites the wide row of the facts.
    """

    permission = models.OneToOneField(
        AccountPermission,
        models.CASCADE,
        primary_key=True,
        db_constraint=False,  # written by the hundred thousand; a run clears up what is left over
        related_name="+",
    )
    stamp = models.BigIntegerField()

    class Meta:
        db_table = "classified_accounts"
        verbose_name = _("classified account")
        verbose_name_plural = _("classified accounts")

    def __str__(self) -> str:
        return str(self.permission_id)
