"""What a rule was before and after each change, and who made it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.models.rules import ClassificationRule


class RuleRevision(models.Model):
    """A change by a person, or by a new version of the shipped rules (`user` is None then). `who`
    stays when the person is deleted; `before` is None where the rule was made.
    """

    rule = models.ForeignKey(ClassificationRule, models.CASCADE, related_name="revisions")
    made_at = models.DateTimeField(_("time"), default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    who = models.CharField(_("who"), max_length=150)
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        db_table = "rule_revisions"
        verbose_name = _("revision of a rule")
        verbose_name_plural = _("revisions of rules")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.made_at:%F %T} {self.who}: {self.rule_id}"
