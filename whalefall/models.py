"""People of this system, and its log. Accounts on watched servers are
`accounts.InstanceAccount`.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who uses WhaleFall. Roles are groups: viewer, operator, administrator."""

    class Meta:
        db_table = "users"
        verbose_name = _("user")
        verbose_name_plural = _("users")


class LogEntry(models.Model):
    """One line of the structured log, kept for the search page."""

    timestamp = models.DateTimeField(_("time"), db_index=True)
    level = models.CharField(_("level"), max_length=10)
    module = models.CharField(_("module"), max_length=100)
    message = models.TextField(_("message"))
    traceback = models.TextField(_("traceback"), blank=True)
    context = models.JSONField(_("context"), default=dict)

    class Meta:
        db_table = "unified_logs"
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        ordering = ("-timestamp", "-id")
        indexes = (models.Index(fields=("level", "-timestamp"), name="log_level_time"),)

    def __str__(self) -> str:
        return f"{self.timestamp:%F %T} {self.level} {self.message[:80]}"
