"""Sessions: one run over many instances, one record per instance, and their states.

    session  running -> completed | failed | cancelled
    record   pending -> running -> completed | failed,  pending -> cancelled

A transition is a method that refuses a wrong one with WrongTransition. Times of leases are taken
from the database's clock: workers on several machines need not agree about the time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from sync import queue
from whalefall.instances.models import Instance


class WrongTransition(Exception):
    """A session or record was asked for a step that its state does not allow."""


class ClaimLost(WrongTransition):
    """The record is not ours any more: its lease ran out and somebody else ended it."""


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


class SyncSessionManager(models.Manager["SyncSession"]):
    def start(
        self,
        sync_type: str,
        instances: Iterable[Instance],
        *,
        sync_category: str = SyncCategory.ACCOUNT,
        created_by: Any = None,
        retry_of: SyncSession | None = None,
        enqueue: bool = True,
    ) -> SyncSession:
        """A session with one waiting record per instance, handed to the queue on commit.

        Without instances it is completed at once. `enqueue=False` is for a caller that runs the
        records itself.
        """
        with transaction.atomic():
            session = self.create(
                sync_type=sync_type,
                sync_category=sync_category,
                created_by=created_by,
                retry_of=retry_of,
                started_at=timezone.now(),
            )
            records = SyncInstanceRecord.objects.add_to(session, instances)
            session.total_instances = len(records)
            session.save(update_fields=("total_instances",))
            if not records:
                session.settle()
            if enqueue:
                queue.enqueue_on_commit(queue.RUN_RECORD, [record.pk for record in records])
        return session

    def is_scheduled_running(self, sync_category: str) -> bool:
        """Whether a session that a schedule started has not ended yet."""
        scheduled = self.filter(sync_type=SyncType.SCHEDULED_TASK, sync_category=sync_category)
        return scheduled.filter(status=SyncSession.Status.RUNNING).exists()


class SyncSession(models.Model):
    """One run. It ends when its last record ends; an ended one never changes."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    TERMINAL = frozenset((Status.COMPLETED, Status.FAILED, Status.CANCELLED))

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
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    completed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = SyncSessionManager()

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

    @property
    def has_ended(self) -> bool:
        return self.status in self.TERMINAL

    def progress(self) -> dict[str, int]:
        """How many records there are in each state, and `total`; counted in the database."""
        counted = self.records.values_list("status").annotate(models.Count("pk")).order_by()
        found = dict(counted)
        states = {status.value: found.get(status.value, 0) for status in SyncInstanceRecord.Status}
        return states | {"total": sum(states.values())}

    def record_of(self, instance: Instance) -> SyncInstanceRecord:
        """The record of an instance, added when the session has none yet.

        Raises WrongTransition when it would have to be added and the session has ended.
        """
        found = self.records.filter(instance=instance).first()
        if found is not None:
            return found
        with transaction.atomic():
            self._lock()
            self._refuse_if_ended(_t("continued"))
            record, added = self.records.get_or_create(
                instance=instance, defaults={"instance_name": instance.name}
            )
            if added:
                self.total_instances = self.records.count()
                self.save(update_fields=("total_instances",))
        return record

    def settle(self) -> bool:
        """Recount, and end the session when no record is left to do. True when it ended now.

        The row lock makes one finisher wait for the other, so that the last one sees them all; an
        ended session is left alone.
        """
        with transaction.atomic(savepoint=False):
            self._lock()
            if self.has_ended:
                return False
            states = self.progress()
            self.successful_instances = states["completed"]
            self.failed_instances = states["failed"]
            if not states["pending"] and not states["running"]:
                self.status = self._outcome()
                self.completed_at = timezone.now()
            self.save(
                update_fields=(
                    "successful_instances",
                    "failed_instances",
                    "status",
                    "completed_at",
                )
            )
        return self.has_ended

    def cancel(self) -> int:
        """Cancel what has not begun; running records finish, then the session is cancelled.

        The number of cancelled records. Raises WrongTransition when the session has ended.
        """
        with transaction.atomic():
            self._lock()
            self._refuse_if_ended(_t("cancelled"))
            self.cancel_requested_at = self.cancel_requested_at or timezone.now()
            self.save(update_fields=("cancel_requested_at",))
            waiting = self.records.filter(status=SyncInstanceRecord.Status.PENDING)
            cancelled = waiting.update(
                status=SyncInstanceRecord.Status.CANCELLED, completed_at=Now()
            )
            self.settle()
        return cancelled

    def retry_failed(self, created_by: Any = None, enqueue: bool = True) -> SyncSession:
        """A new session for the instances that failed here; the one that is running when asked
        twice.

        Raises WrongTransition while this session runs, or when nothing that is still watched
        failed.
        """
        with transaction.atomic():
            self._lock()
            if not self.has_ended:
                raise WrongTransition(_t("The session is still running: wait for it to end."))
            running = type(self).objects.filter(retry_of=self, status=self.Status.RUNNING).first()
            if running is not None:
                return running
            failed = Instance.objects.watched().filter(
                sync_records__session=self,
                sync_records__status=SyncInstanceRecord.Status.FAILED,
            )
            if not failed.exists():
                raise WrongTransition(_t("Nothing failed in this session that could be retried."))
            return type(self).objects.start(
                SyncType.MANUAL_BATCH if created_by else self.sync_type,
                failed,
                sync_category=self.sync_category,
                created_by=created_by,
                retry_of=self,
                enqueue=enqueue,
            )

    def _lock(self) -> None:
        """Take the row's lock, and its state of now with it."""
        self.refresh_from_db(
            fields=("status", "cancel_requested_at", "completed_at"),
            from_queryset=type(self).objects.select_for_update(of=("self",)),
        )

    def _outcome(self) -> str:
        if self.cancel_requested_at is not None:
            return self.Status.CANCELLED
        return self.Status.FAILED if self.failed_instances else self.Status.COMPLETED

    def _refuse_if_ended(self, wanted: str) -> None:
        if self.has_ended:
            raise WrongTransition(
                _t("The session is %(state)s: it cannot be %(wanted)s any more.")
                % {"state": self.get_status_display(), "wanted": wanted}
            )


def lease_end() -> models.ExpressionWrapper:
    """When a lease that is given now runs out (`settings.RECORD_LEASE` seconds)."""
    return models.ExpressionWrapper(
        Now() + timedelta(seconds=settings.RECORD_LEASE), output_field=models.DateTimeField()
    )


FAILING = """
    SELECT f.id
    FROM sync_instance_records f
    JOIN sync_sessions s ON s.id = f.session_id AND s.sync_category = ANY(%s)
    JOIN instances i ON i.id = f.instance_id AND i.deleted_at IS NULL AND i.is_active
    WHERE f.status = 'failed' AND NOT EXISTS (
        SELECT FROM sync_instance_records later
        JOIN sync_sessions ls ON ls.id = later.session_id AND ls.sync_category = s.sync_category
        WHERE later.instance_id = f.instance_id AND later.id > f.id
        AND later.status IN ('completed', 'failed'))
"""
SYNCS = [SyncCategory.ACCOUNT.value, SyncCategory.CAPACITY.value]


class SyncInstanceRecordQuerySet(models.QuerySet["SyncInstanceRecord"]):
    def add_to(
        self, session: SyncSession, instances: Iterable[Instance]
    ) -> list[SyncInstanceRecord]:
        records = [
            SyncInstanceRecord(session=session, instance=instance, instance_name=instance.name)
            for instance in instances
        ]
        self.bulk_create(records)  # type: ignore[arg-type]  # the model is named by a string above
        return records

    def failing(self) -> Self:
        """Failed ones that nothing made good: the last of their kind for an instance that is
        watched.
        """
        return self.filter(pk__in=RawSQL(FAILING, [SYNCS]))  # noqa: S611 - no text of anybody's

    def unfinished(self) -> Self:
        return self.exclude(status__in=SyncInstanceRecord.TERMINAL)

    def claim(self, pk: int) -> SyncInstanceRecord | None:
        """The record, running and ours; None when it waits no more (delivered twice, cancelled)."""
        claimed = self.filter(pk=pk, status=SyncInstanceRecord.Status.PENDING).update(
            status=SyncInstanceRecord.Status.RUNNING,
            claim=(claim := uuid.uuid4()),
            lease_until=lease_end(),
            started_at=Now(),
        )
        if not claimed:
            return None
        found = self.select_related("session__created_by", "instance__credential")
        # Opened when it is needed, where a missing key can be told on the record.
        found = found.defer("instance__credential__password")
        return found.filter(pk=pk, claim=claim).first()


class SyncInstanceRecord(models.Model):
    """One instance in one session. `lease_until`: until when its worker vouches for it."""

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    TERMINAL = frozenset((Status.COMPLETED, Status.FAILED, Status.CANCELLED))

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
    queued_at = models.DateTimeField(_("queued"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = SyncInstanceRecordQuerySet.as_manager()

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

    @property
    def has_ended(self) -> bool:
        return self.status in self.TERMINAL

    def renew(self) -> bool:
        """Vouch for the record for another lease. False when it is not ours any more."""
        return bool(self._ours().update(lease_until=lease_end()))

    def hold(self) -> None:
        """Lock the row for the rest of the transaction: nobody can take the record from us before
        it ends. Raises ClaimLost when somebody has.
        """
        if self._ours().select_for_update().values_list("pk").first() is None:
            raise self._lost()

    def complete(self, counts: Mapping[str, int], details: Mapping[str, Any]) -> None:
        """End well. `counts` has any of `synced`, `created`, `updated`, `deleted`.

        Raises ClaimLost when the record is not ours (any more), WrongTransition when it never was.
        """
        items = {
            f"items_{name}": counts.get(name, 0)
            for name in ("synced", "created", "updated", "deleted")
        }
        self._end(self.Status.COMPLETED, sync_details=dict(details), error_message="", **items)

    def fail(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        """End badly, with one line that says why. Raises as `complete` does."""
        self._end(self.Status.FAILED, error_message=message, sync_details=dict(details or {}))

    def cancel(self) -> None:
        """Take a waiting record out. Raises WrongTransition when it waits no more."""
        waiting = type(self).objects.filter(pk=self.pk, status=self.Status.PENDING)
        with transaction.atomic(savepoint=False):
            cancelled = waiting.update(status=self.Status.CANCELLED, completed_at=Now())
            if cancelled:
                self.session.settle()
        self.refresh_from_db(fields=("status", "completed_at"))
        if not cancelled:
            raise self._refused(self.Status.CANCELLED)

    def _end(self, status: Status, **values: Any) -> None:
        if self.status != self.Status.RUNNING:
            raise self._refused(status)
        values |= {"status": status, "lease_until": None, "completed_at": timezone.now()}
        with transaction.atomic(savepoint=False):
            ended = self._ours().update(**values)
            if ended:
                self.session.settle()
        if not ended:
            raise self._lost()
        for name, value in values.items():
            setattr(self, name, value)

    def _ours(self) -> SyncInstanceRecordQuerySet:
        return SyncInstanceRecord.objects.filter(
            pk=self.pk, status=self.Status.RUNNING, claim=self.claim
        )

    def _refused(self, wanted: Status) -> WrongTransition:
        return WrongTransition(
            _t("The record of %(instance)s is %(state)s: it cannot become %(wanted)s.")
            % {
                "instance": self.instance_name,
                "state": self.get_status_display(),
                "wanted": wanted.label,
            }
        )

    def _lost(self) -> ClaimLost:
        return ClaimLost(
            _t(
                "The record of %(instance)s was taken from this worker: its lease had run out. "
                "Nothing was written."
            )
            % {"instance": self.instance_name}
        )


class InPlaceSync(models.Model):
    """When an instance was last read successfully without a session."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="+")
    sync_category = models.CharField(max_length=20, choices=SyncCategory)
    completed_at = models.DateTimeField()

    class Meta:
        db_table = "sync_in_place"
        verbose_name = _("sync without a session")
        verbose_name_plural = _("syncs without a session")
        constraints = (
            models.UniqueConstraint(fields=("instance", "sync_category"), name="in_place_unique"),
        )

    def __str__(self) -> str:
        return f"{self.instance_id} {self.sync_category} {self.completed_at}"

    @staticmethod
    def note(instance: Instance, category: str) -> None:
        """It was read just now. One statement."""
        now = timezone.now()
        InPlaceSync.objects.bulk_create(
            [InPlaceSync(instance=instance, sync_category=category, completed_at=now)],
            update_conflicts=True,
            unique_fields=("instance", "sync_category"),
            update_fields=("completed_at",),
        )


class FleetCount(models.Model):
    """The one row of a big fleet's numbers (`sync.dashboard.numbers`); `stamp` tells whether
    something changed since.
    """

    stamp = models.CharField(max_length=40)
    numbers = models.JSONField()
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "fleet_counts"
        verbose_name = _("count of the fleet")
        verbose_name_plural = _("counts of the fleet")

    def __str__(self) -> str:
        return f"{self.counted_at}"
