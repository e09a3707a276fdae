"""Sizes summed up by period, per database and per instance."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from capacity.models.sizes import InstanceDatabase
from whalefall.instances.models import Instance


class PeriodType(models.TextChoices):
    DAILY = "daily", _("day")
    WEEKLY = "weekly", _("week")
    MONTHLY = "monthly", _("month")
    QUARTERLY = "quarterly", _("quarter")


class Aggregation(models.Model):
    """Sizes over one period; `data_points` is the number of days measured, none of which gives
    NULLs. `change_bytes` counts from the last size known before the period, where there is one.
    """

    period_type = models.CharField(_("period"), max_length=10, choices=PeriodType)
    period_start = models.DateField(_("from"))
    period_end = models.DateField(_("to"))
    avg_bytes = models.BigIntegerField(_("average"), null=True)
    min_bytes = models.BigIntegerField(_("smallest"), null=True)
    max_bytes = models.BigIntegerField(_("largest"), null=True)
    first_bytes = models.BigIntegerField(_("first"), null=True)
    last_bytes = models.BigIntegerField(_("last"), null=True)
    change_bytes = models.BigIntegerField(_("change"), null=True)
    change_percent = models.FloatField(_("change in percent"), null=True)
    data_points = models.PositiveIntegerField(_("days measured"), default=0)
    calculated_at = models.DateTimeField(_("calculated"))

    class Meta:
        abstract = True


class DatabaseSizeAggregation(Aggregation):
    database = models.ForeignKey(InstanceDatabase, models.CASCADE, related_name="aggregations")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="+")

    class Meta:
        db_table = "database_size_aggregations"
        verbose_name = _("aggregated size of a database")
        verbose_name_plural = _("aggregated sizes of databases")
        constraints = (
            models.UniqueConstraint(
                fields=("database", "period_type", "period_start"), name="database_period_unique"
            ),
        )
        indexes = (
            models.Index(
                fields=("instance", "period_type", "period_start"), name="database_period_instance"
            ),
            models.Index(fields=("period_type", "period_start", "id"), name="database_period"),
        )

    def __str__(self) -> str:
        return f"{self.database_id} {self.period_type} {self.period_start}"


class InstanceSizeAggregation(Aggregation):
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="size_aggregations")

    class Meta:
        db_table = "instance_size_aggregations"
        verbose_name = _("aggregated size of an instance")
        verbose_name_plural = _("aggregated sizes of instances")
        constraints = (
            models.UniqueConstraint(
                fields=("instance", "period_type", "period_start"), name="instance_period_unique"
            ),
        )
        indexes = (
            models.Index(fields=("period_type", "period_start", "id"), name="instance_period"),
        )

    def __str__(self) -> str:
        return f"{self.instance_id} {self.period_type} {self.period_start}"
