"""Classifications, the rules that give them, and who has them."""

from __future__ import annotations

import hashlib
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountPermission, InstanceAccount
from classification import risks
from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import Expression
from classification.dsl.parser import parse
from classification.dsl.patterns import glob_to_like
from whalefall.instances.models import DB_TYPE_CHOICES, Instance
from whalefall.models import User


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

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """The accounts that have it follow a change of its risk."""
        stored = AccountClassification.objects.filter(pk=self.pk).exclude(
            risk_level=self.risk_level
        )
        is_other = self.pk is not None and stored.exists()
        super().save(*args, **options)
        if is_other:
            risks.refresh(risks.OF_CLASSIFICATION, classification=self.pk)

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
    def save(self, *args: Any, **options: Any) -> None:
        """The account's risk follows; runs, which write by the hundred thousand, see to it too."""
        super().save(*args, **options)
        risks.refresh(risks.ACCOUNTS, accounts=[self.account_id])

    @property
    def accepted(self) -> Acceptance | None:
        """By which exception its risk is accepted today."""
        found: Acceptance | None = getattr(self, "acceptance", None)
        return found if found and found.ends_on >= risks.today() else None

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
        risks.refresh(risks.OF_EXCEPTION, exception=self.pk)

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
        risks.refresh(risks.OF_EXCEPTION, exception=self.pk)
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
    level = models.SmallIntegerField(_("risk"))
    accepted_until = models.DateField(null=True)

    class Meta:
        db_table = "account_risks"
        verbose_name = _("risk of an account")
        verbose_name_plural = _("risks of accounts")
        indexes = (
            models.Index(fields=("level", "permission"), name="account_risk_level"),
            models.Index(
                fields=("accepted_until",),
                condition=models.Q(accepted_until__isnull=False),
                name="account_risk_accepted",
            ),
        )

    def __str__(self) -> str:
        return f"{self.permission_id}: {self.level}"


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
