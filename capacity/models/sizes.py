"""Databases of an instance and their sizes over time, in bytes."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce, Upper
from django.utils.translation import gettext_lazy as _

from capacity.search import NameGrams
from whalefall.instances.models import Instance


class InstanceDatabase(models.Model):
    """A database seen on an instance. Gone ones stay, inactive.

    `size_bytes` is what was last measured, `measured_at` when; `reason` says why the last reading
    brought no size, and is empty where it did. The same for the sizes of its tables. Of the size
    `index_bytes` are indexes and `free_bytes` unused; `limit_bytes` is how far its files may grow:
    each only where the engine knows.
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
    index_bytes = models.BigIntegerField(_("indexes"), null=True)
    free_bytes = models.BigIntegerField(_("free"), null=True)
    limit_bytes = models.BigIntegerField(_("may grow to"), null=True)
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
        indexes = (
            # As lists sort them: the largest first, those of unknown size last.
            models.Index(
                F("size_bytes").desc(nulls_last=True), F("id").desc(), name="database_by_size"
            ),
            # fastupdate off: a pending list would have to be read by every search.
            GinIndex(
                NameGrams(Upper("database_name")), name="database_name_grams", fastupdate=False
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
    index_bytes = models.BigIntegerField(_("indexes"), null=True)
    free_bytes = models.BigIntegerField(_("free"), null=True)
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


class TableSizeQuerySet(models.QuerySet["DatabaseTableSizeStat"]):
    def largest(self) -> TableSizeQuerySet:
        """With `total_bytes`, the largest first, those of unknown size last."""
        total = F("data_bytes") + Coalesce("index_bytes", 0)
        return self.annotate(total_bytes=total).order_by(
            F("total_bytes").desc(nulls_last=True), "pk"
        )


class DatabaseTableSizeStat(models.Model):
    """A table's size when it was last measured."""

    database = models.ForeignKey(InstanceDatabase, models.CASCADE, related_name="table_sizes")
    schema_name = models.CharField(_("schema"), max_length=256, blank=True)
    table_name = models.CharField(_("table"), max_length=256)
    data_bytes = models.BigIntegerField(_("data"), null=True)
    index_bytes = models.BigIntegerField(_("indexes"), null=True)
    row_estimate = models.BigIntegerField(_("rows (estimate)"), null=True)
    collected_at = models.DateTimeField(_("measured"))

    objects = TableSizeQuerySet.as_manager()

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


class InstanceVolume(models.Model):
    """A volume of a server that holds databases, as it was last read."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="volumes")
    volume_name = models.CharField(_("volume"), max_length=256)
    total_bytes = models.BigIntegerField(_("total"), null=True)
    free_bytes = models.BigIntegerField(_("free"), null=True)
    measured_at = models.DateTimeField(_("measured"))

    class Meta:
        db_table = "instance_volumes"
        verbose_name = _("volume")
        verbose_name_plural = _("volumes")
        constraints = (
            models.UniqueConstraint(fields=("instance", "volume_name"), name="volume_unique"),
        )

    def __str__(self) -> str:
        return self.volume_name

    @property
    def used_percent(self) -> float | None:
        """None where it did not tell."""
        if not self.total_bytes or self.free_bytes is None:
            return None
        return round(100 * (self.total_bytes - self.free_bytes) / self.total_bytes, 1)
