"""Rules: expressions over an account's facts that give a classification."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import Expression
from classification.dsl.parser import parse
from classification.models.classifications import AccountClassification
from whalefall.instances.models import DB_TYPE_CHOICES


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
        """A shipped one, as long as nobody renamed it, in the language of who reads it."""
        number = f"{self.pack_id} "
        if not self.pack_id or not self.rule_name.startswith(number):
            return self.rule_name
        return number + gettext(self.rule_name.removeprefix(number))

    def save(self, *args: Any, **options: Any) -> None:
        """Only valid expressions are stored, in their canonical form. Raises InvalidExpression."""
        self.rule_expression = self.parsed().canonical()
        super().save(*args, **options)

    @property
    def explanation(self) -> str:
        """The description as `__str__` gives the name: what it means, and what mends it."""
        if not self.pack_id:
            return self.description
        paragraphs = self.description.split("\n\n")
        return "\n\n".join(gettext(one) if one else one for one in paragraphs)

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

    def content(self) -> dict[str, Any]:
        """What can be changed about it, as JSON: the history of a rule is made of these."""
        return {name: getattr(self, name) for name in CONTENT}

    def parsed(self) -> Expression:
        """The expression as nodes. Raises InvalidExpression."""
        return parse(self.rule_expression, self.db_type)

    @property
    def fingerprint(self) -> str:
        """Changes when the question changes, whatever the rule is called."""
        return fingerprint(self.db_type, self.rule_expression)


CONTENT = (
    "rule_name",
    "classification_id",
    "db_type",
    "description",
    "rule_expression",
    "references",
    "is_active",
)


def fingerprint(db_type: str, canonical: str) -> str:
    return hashlib.sha256(f"{db_type}\n{canonical}".encode()).hexdigest()[:16]
