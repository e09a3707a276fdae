"""What follows from the measured days, kept so that lists of a whole fleet need no days: how each
database grew, and when each instance is full. `growth` and `outlook` write them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from capacity.models.sizes import InstanceDatabase
from whalefall.instances.models import Instance


class Window(models.IntegerChoices):
    """Over how many days growth is told."""

    WEEK = 7, _("7 days")
    MONTH = 30, _("30 days")
    QUARTER = 90, _("90 days")
    YEAR = 365, _("365 days")


class DatabaseGrowth(models.Model):
    """How a database grew over the `window_days` before it was last measured."""

    database = models.ForeignKey(InstanceDatabase, models.CASCADE, related_name="growth")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="+")
    window_days = models.PositiveSmallIntegerField(_("over"), choices=Window)
    from_day = models.DateField(_("from"))
    to_day = models.DateField(_("to"))
    from_bytes = models.BigIntegerField(_("size before"))
    to_bytes = models.BigIntegerField(_("size"))
    change_bytes = models.BigIntegerField(_("change"))
    change_percent = models.FloatField(_("change in percent"), null=True)

    # As lists sort what may be NULL: what has no percentage last. There is an index in this order.
    LARGEST_PERCENT = F("change_percent").desc(nulls_last=True)

    class Meta:
        db_table = "database_growth"
        verbose_name = _("growth of a database")
        verbose_name_plural = _("top movers")
        constraints = (
            models.UniqueConstraint(fields=("database", "window_days"), name="growth_unique"),
        )
        indexes = (
            models.Index(fields=("window_days", "change_bytes", "id"), name="growth_bytes"),
            models.Index(
                "window_days",
                F("change_percent").desc(nulls_last=True),
                F("id").desc(),
                name="growth_percent",
            ),
            models.Index(fields=("window_days", "to_bytes", "id"), name="growth_size"),
        )

    def __str__(self) -> str:
        return f"{self.database_id} {self.window_days}"


class LimitSource(models.TextChoices):
    SET = "set", _("set")
    VOLUME = "volume", _("measured")


class InstanceOutlook(models.Model):
    """When an instance is full, from its newest measured day on; `reason` says why there is no
    day, or no forecast at all (`growth_per_day` is None then).
    """

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="outlook")
    calculated_at = models.DateTimeField(_("calculated"))
    last_day = models.DateField(_("measured"), null=True)
    last_bytes = models.BigIntegerField(_("size"), null=True)
    days_measured = models.PositiveIntegerField(_("days measured"), default=0)
    growth_per_day = models.FloatField(_("growth per day"), null=True)
    growth_low = models.FloatField(_("at least"), null=True)
    growth_high = models.FloatField(_("at most"), null=True)
    limit_bytes = models.BigIntegerField(_("limit"), null=True)
    limit_source = models.CharField(_("limit is"), max_length=10, choices=LimitSource, blank=True)
    days_to_full = models.PositiveIntegerField(_("days to full"), null=True)
    earliest_days = models.PositiveIntegerField(_("earliest"), null=True)
    latest_days = models.PositiveIntegerField(_("latest"), null=True)
    full_on = models.DateField(_("full on"), null=True)
    error_percent = models.FloatField(_("error of such forecasts"), null=True)
    unchanged_error_percent = models.FloatField(_("error of no change"), null=True)
    horizon_days = models.PositiveIntegerField(_("days ahead"), null=True)
    reason = models.CharField(_("why not"), max_length=500, blank=True)

    class Meta:
        db_table = "instance_outlooks"
        verbose_name = _("outlook of an instance")
        verbose_name_plural = _("outlooks of instances")
        indexes = (models.Index(fields=("days_to_full", "id"), name="outlook_days"),)

    def __str__(self) -> str:
        return str(self.instance_id)
