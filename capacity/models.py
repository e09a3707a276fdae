"""Databases of an instance, their sizes over time and the sums of those. Sizes in bytes.

A size of None was not measured; `reason` says why. It is never 0 for want of an answer.

Tables with a row for each day are partitioned by month in the store (`partitions`): their primary
key there holds the day as well, and Django knows only its first column.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from whalefall.instances.models import Instance


class InstanceDatabase(models.Model):
    """A database seen on an instance. Gone ones stay, inactive.

    `size_bytes` is what was last measured, `measured_at` when; `reason` says why the last reading
    brought no size, and is empty where it did. The same for the sizes of its tables.
    """

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="databases")
    database_name = models.CharField(_("database"), max_length=256)
    is_active = models.BooleanField(_("present"), default=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)
    size_bytes = models.BigIntegerField(_("size"), null=True)
    measured_at = models.DateTimeField(_("measured"), null=True)
    reason = models.CharField(_("not measured because"), max_length=500, blank=True)
    tables_measured_at = models.DateTimeField(_("tables measured"), null=True)
    tables_reason = models.CharField(_("tables not measured because"), max_length=500, blank=True)

    class Meta:
        db_table = "instance_databases"
        verbose_name = _("database")
        verbose_name_plural = _("databases")
        constraints = (
            models.UniqueConstraint(
                fields=("instance", "database_name"), name="instance_database_unique"
            ),
        )

    def __str__(self) -> str:
        return self.database_name


class DatabaseSizeStat(models.Model):
    """A database's size on one day."""

    database = models.ForeignKey(InstanceDatabase, models.CASCADE, related_name="sizes")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="+")
    collected_date = models.DateField(_("day"))
    collected_at = models.DateTimeField(_("measured"))
    size_bytes = models.BigIntegerField(_("size"), null=True)
    data_bytes = models.BigIntegerField(_("data"), null=True)
    log_bytes = models.BigIntegerField(_("log"), null=True)
    reason = models.CharField(_("not measured because"), max_length=500, blank=True)

    class Meta:
        db_table = "database_size_stats"
        verbose_name = _("size of a database")
        verbose_name_plural = _("sizes of databases")
        constraints = (
            models.UniqueConstraint(
                fields=("database", "collected_date"), name="database_size_day"
            ),
        )
        indexes = (
            models.Index(fields=("instance", "collected_date"), name="database_size_instance"),
            # The order of lists: the newest day of all databases is read from its end.
            models.Index(fields=("collected_date", "id"), name="database_size_newest"),
        )

    def __str__(self) -> str:
        return f"{self.database_id} {self.collected_date}"


class InstanceSizeStat(models.Model):
    """An instance's total size on one day: of the `measured_count` databases that were measured
    of its `database_count`.
    """

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="sizes")
    collected_date = models.DateField(_("day"))
    collected_at = models.DateTimeField(_("measured"))
    size_bytes = models.BigIntegerField(_("size"), null=True)
    database_count = models.PositiveIntegerField(_("databases"), default=0)
    measured_count = models.PositiveIntegerField(_("databases measured"), default=0)
    reason = models.CharField(_("not measured because"), max_length=500, blank=True)

    class Meta:
        db_table = "instance_size_stats"
        verbose_name = _("size of an instance")
        verbose_name_plural = _("sizes of instances")
        constraints = (
            models.UniqueConstraint(
                fields=("instance", "collected_date"), name="instance_size_day"
            ),
        )
        indexes = (models.Index(fields=("collected_date", "id"), name="instance_size_newest"),)

    def __str__(self) -> str:
        return f"{self.instance_id} {self.collected_date}"


class DatabaseTableSizeStat(models.Model):
    """A table's size when it was last measured."""

    database = models.ForeignKey(InstanceDatabase, models.CASCADE, related_name="table_sizes")
    schema_name = models.CharField(_("schema"), max_length=256, blank=True)
    table_name = models.CharField(_("table"), max_length=256)
    data_bytes = models.BigIntegerField(_("data"), null=True)
    index_bytes = models.BigIntegerField(_("indexes"), null=True)
    row_estimate = models.BigIntegerField(_("rows (estimate)"), null=True)
    collected_at = models.DateTimeField(_("measured"))

    class Meta:
        db_table = "database_table_size_stats"
        verbose_name = _("size of a table")
        verbose_name_plural = _("sizes of tables")
        constraints = (
            models.UniqueConstraint(
                fields=("database", "schema_name", "table_name"), name="table_size_unique"
            ),
        )

    def __str__(self) -> str:
        return self.table_name


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
