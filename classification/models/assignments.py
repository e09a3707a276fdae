"""Which accounts have which classifications, and what they were when the rules were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountPermission
from classification import risks, weighing
from classification.models.classifications import AccountClassification
from classification.models.rules import ClassificationRule
from whalefall import people
from whalefall.models import User

if TYPE_CHECKING:
    from classification.models.exceptions import Acceptance


class AssignmentQuerySet(models.QuerySet["AccountClassificationAssignment"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def accepted(self, wanted: bool = True) -> Self:
        """Those whose risk somebody accepts today, or the others."""
        holds = models.Q(acceptance__ends_on__gte=risks.today())
        return self.filter(holds if wanted else ~holds)

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
        user = people.held(user)
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
    # that is write, every wide row of account_permission again, and that of an empty key still
    # queues an event per row. So the keys are looked after here: the run holds its rules and their
    # classifications until it has ended, and joins the accounts; Django empties those of people.
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
        db_constraint=False,
    )
    assigned_at = models.DateTimeField(_("given at"))
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
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
        """By names where these are at hand: a list must not ask for each row."""
        known = self._state.fields_cache
        if "account" in known and "classification" in known:
            return f"{self.account}: {self.classification}"
        return f"{self.account_id}: {self.classification_id}"

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """The account's risk follows; runs, which write by the hundred thousand, see to it too."""
        super().save(*args, **options)
        risks.refresh(weighing.ACCOUNTS, accounts=[self.account_id])

    @property
    def accepted(self) -> Acceptance | None:
        """By which exception its risk is accepted today."""
        found: Acceptance | None = getattr(self, "acceptance", None)
        return found if found and found.ends_on >= risks.today() else None

    @transaction.atomic
    def deactivate(self, user: User | None) -> bool:
        """End it by a person's decision; False when it had ended before.

        What a rule gave stays off until the rule or the account's facts change. What was given by
        hand makes room, and what a doubt kept may not be what rules give now: the next run asks
        them about this account again.
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
        if current.assignment_type == self.Type.MANUAL or "kept" in current.evidence:
            ClassifiedAccount.objects.filter(pk=current.account_id).delete()
        current.end(people.held(user))
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
