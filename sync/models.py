"""Sessions: one run over many instances, one record per instance, and their states."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from whalefall.instances.models import Instance


class SyncType(models.TextChoices):
    MANUAL_SINGLE = "manual_single", _("by hand, one instance")
    MANUAL_BATCH = "manual_batch", _("by hand, many instances")
    MANUAL_TASK = "manual_task", _("by hand, a job")
    SCHEDULED_TASK = "scheduled_task", _("by schedule")


class SyncCategory(models.TextChoices):
    ACCOUNT = "account", _("accounts")
    CAPACITY = "capacity", _("capacity")
    CLASSIFICATION = "classification", _("classification")
    AGGREGATION = "aggregation", _("aggregation")
    OTHER = "other", _("other")


class SyncSession(models.Model):
    """One run. It ends when its last record ends; an ended one never changes."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    session_id = models.UUIDField(_("session"), default=uuid.uuid4, unique=True, editable=False)
    sync_type = models.CharField(_("type"), max_length=20, choices=SyncType)
    sync_category = models.CharField(_("category"), max_length=20, choices=SyncCategory)
    status = models.CharField(_("state"), max_length=20, choices=Status, default=Status.RUNNING)
    total_instances = models.PositiveIntegerField(_("instances"), default=0)
    successful_instances = models.PositiveIntegerField(_("successful"), default=0)
    failed_instances = models.PositiveIntegerField(_("failed"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(_("started"))
    completed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        db_table = "sync_sessions"
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("-started_at", "-id")
        indexes = (
            models.Index(fields=("sync_category", "status"), name="session_category_status"),
        )

    def __str__(self) -> str:
        return str(self.session_id)


class SyncInstanceRecord(models.Model):
    """One instance in one session. `lease_until`: until when its worker vouches for it."""

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    session = models.ForeignKey(SyncSession, models.CASCADE, related_name="records")
    instance = models.ForeignKey(
        Instance, models.SET_NULL, null=True, blank=True, related_name="sync_records"
    )
    instance_name = models.CharField(_("instance"), max_length=100)
    status = models.CharField(_("state"), max_length=20, choices=Status, default=Status.PENDING)
    items_synced = models.PositiveIntegerField(_("read"), default=0)
    items_created = models.PositiveIntegerField(_("new"), default=0)
    items_updated = models.PositiveIntegerField(_("changed"), default=0)
    items_deleted = models.PositiveIntegerField(_("gone"), default=0)
    error_message = models.TextField(_("error"), blank=True)
    sync_details = models.JSONField(_("details"), default=dict)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        db_table = "sync_instance_records"
        verbose_name = _("record of a session")
        verbose_name_plural = _("records of sessions")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("session", "instance"), name="record_unique"),
        )
        indexes = (
            models.Index(fields=("status", "lease_until"), name="record_status_lease"),
            models.Index(fields=("instance", "-id"), name="record_instance"),
        )

    def __str__(self) -> str:
        return f"{self.instance_name}: {self.status}"
