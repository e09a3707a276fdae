"""One instance from its server into the store: read, then write everything or nothing."""

from __future__ import annotations

import time
import traceback
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import Error as StoreError
from django.db import transaction
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from accounts import collection
from capacity.collection import IncompleteDatabases
from classification.classify import NothingToClassify, classify
from sync import classifying, locks, measuring, risk
from sync.keeper import InstanceBusy, Keeper, KeeperLost
from sync.models import (
    ClaimLost,
    InPlaceSync,
    SyncCategory,
    SyncInstanceRecord,
    SyncSession,
    SyncType,
    WrongTransition,
)
from sync.work import Outcome, Reading, Refused, Work, opened
from whalefall.engines.errors import EngineError
from whalefall.engines.observed import Observation
from whalefall.instances.models import Instance
from whalefall.logs import mask

logger = structlog.get_logger(__name__)

INCOMPLETE = (collection.IncompleteAccounts, IncompleteDatabases)
NEEDS_A_PERSON = frozenset((SyncType.MANUAL_BATCH, SyncType.MANUAL_TASK))


def sync_accounts(
    instance: Instance,
    sync_type: str,
    session_id: UUID | str | None = None,
    created_by: Any = None,
) -> dict[str, Any]:
    """Read one instance and store what changed: `{"success", "message", "counts", "details"}`.

    `manual_single` needs no session; the other types reuse the session given or make one, for
    which the manual ones need `created_by` (ValueError without). Never raises for what a server or
    the network does.
    """
    return _start(ACCOUNTS, instance, sync_type, session_id, created_by)


def sync_databases(
    instance: Instance,
    sync_type: str,
    session_id: UUID | str | None = None,
    created_by: Any = None,
) -> dict[str, Any]:
    """The same for databases and their sizes."""
    return _start(measuring.WORK, instance, sync_type, session_id, created_by)


def _start(
    work: Work,
    instance: Instance,
    sync_type: str,
    session_id: UUID | str | None,
    created_by: Any,
) -> dict[str, Any]:
    if sync_type not in SyncType.values:
        logger.warning("unknown_sync_type", sync_type=sync_type, instance_id=instance.pk)
        sync_type = SyncType.MANUAL_SINGLE
    if sync_type == SyncType.MANUAL_SINGLE:
        return _run(work, instance).as_result()
    if session_id is None and sync_type in NEEDS_A_PERSON and created_by is None:
        raise ValueError(f"created_by is required for {sync_type} without a session")
    try:
        record = _claim(work, instance, sync_type, session_id, created_by)
    except (Refused, WrongTransition) as exc:
        return Outcome(False, str(exc)).as_result()
    return _run(work, instance, record).as_result()


def run_record(pk: int) -> dict[str, Any] | None:
    """Do one waiting record of a session; None when it waits no more (delivered twice)."""
    record = SyncInstanceRecord.objects.claim(pk)
    if record is None:
        return None
    if record.session.sync_category == SyncCategory.CLASSIFICATION:
        return classifying.run_record(record)
    if record.instance is None:
        record.fail(_("The instance was removed."))
        return None
    is_capacity = record.session.sync_category == SyncCategory.CAPACITY
    work = measuring.work_of(record) if is_capacity else ACCOUNTS
    return _run(work, record.instance, record).as_result()


def _claim(
    work: Work,
    instance: Instance,
    sync_type: str,
    session_id: UUID | str | None,
    created_by: Any,
) -> SyncInstanceRecord:
    if session_id is None:
        session = SyncSession.objects.start(
            sync_type,
            [instance],
            sync_category=work.category,
            created_by=created_by,
            enqueue=False,
        )
    else:
        session = _session(session_id, work.category)
    record = SyncInstanceRecord.objects.claim(session.record_of(instance).pk)
    if record is None:
        raise Refused(
            _("%(instance)s was already taken up in this session.") % {"instance": instance.name}
        )
    return record


def _session(session_id: UUID | str, category: str) -> SyncSession:
    try:
        return SyncSession.objects.get(session_id=session_id, sync_category=category)
    except (SyncSession.DoesNotExist, ValidationError) as exc:
        message = _("There is no session %(session)s.") % {"session": session_id}
        raise Refused(message) from exc


def _asked_by(record: SyncInstanceRecord | None) -> dict[str, str]:
    """For the log: `user`, where a person began the session."""
    person = None if record is None else record.session.created_by
    return {"user": person.get_username()} if person else {}


def _run(work: Work, instance: Instance, record: SyncInstanceRecord | None = None) -> Outcome:
    session_id = None if record is None else str(record.session.session_id)
    with bound_contextvars(
        module="sync",
        operation=work.operation,
        instance_id=instance.pk,
        db_type=instance.db_type,
        session_id=session_id,
        **_asked_by(record),
    ):
        started = time.monotonic()
        outcome = _attempt(work, instance, record)
        outcome.details |= {"session_id": session_id, "seconds": _since(started)}
        log = logger.info if outcome.success else logger.warning
        log("sync_ended", success=outcome.success, result=outcome.message)
    return outcome


def _attempt(work: Work, instance: Instance, record: SyncInstanceRecord | None) -> Outcome:
    """Every way to fail ends as a failed record with one line for people."""
    try:
        return _sync(work, instance, record)
    except EngineError as exc:
        failure = _failure(str(exc), type(exc).__name__)
    except InstanceBusy:
        failure = _failure(
            _("Another sync of %(instance)s is running: wait for it to end.")
            % {"instance": instance.name},
            "InstanceBusy",
        )
    except KeeperLost:
        failure = _failure(
            _("The connection to the store was lost while the server was read: nothing written."),
            "KeeperLost",
        )
    except (Refused, ImproperlyConfigured, *INCOMPLETE) as exc:
        failure = _failure(str(exc), type(exc).__name__)
    except ClaimLost as exc:
        # Somebody else ended the record: it is not ours to write to.
        return _failure(str(exc), "ClaimLost")
    except Exception as exc:  # our bug, of whatever kind: the record must say so and end
        failure = _errored(exc)
    if record is not None:
        _fail(record, failure)
    return failure


def _sync(work: Work, instance: Instance, record: SyncInstanceRecord | None) -> Outcome:
    started = time.monotonic()
    with Keeper(instance.pk, record, work.lock) as keeper:
        reading = work.read(instance)
        details: dict[str, Any] = {
            "read_seconds": _since(started),
            "sections": _sections(reading),
        }
        keeper.check()
        # The first thing to be locked is the record, the last one its session: the other way
        # round two finishers of a session would wait for each other's accounts.
        with transaction.atomic():
            if record is not None:
                record.hold()
            outcome = work.write(instance, reading, record, details)
            if record is None:
                InPlaceSync.note(instance, work.category)
    return outcome


def observe(instance: Instance) -> Observation:
    """Everything about accounts that the server tells. No local transaction may be open: it would
    stay open for as long as the server takes.
    """
    with opened(instance) as server:
        return server.observe()


def _write(
    instance: Instance,
    observation: Observation,
    record: SyncInstanceRecord | None,
    details: dict[str, Any],
) -> Outcome:
    """Everything that follows from a read, in the caller's transaction; the record's end last."""
    session_id = None if record is None else record.session.session_id
    applied = collection.apply(instance, observation, session_id=session_id)
    details["counts"] = applied.counts
    details["classification"] = _classify(instance, applied)
    if record is not None:
        record.complete(applied.counts, details)
    message = _(
        "%(instance)s: %(synced)d accounts read, %(created)d new, %(updated)d changed, "
        "%(deleted)d gone."
    )
    return Outcome(
        True, message % {"instance": instance.name, **applied.counts}, applied.counts, details
    )


ACCOUNTS = Work("sync_accounts", SyncCategory.ACCOUNT, locks.INSTANCE, observe, _write)


def _classify(instance: Instance, applied: collection.Applied) -> dict[str, Any]:
    """Classify what changed, before the record ends: who sees a session ended sees its risks too,
    and a killed worker leaves no account unclassified. A rule's trouble does not undo the sync.
    """
    if not applied.changed_ids and not applied.gone_ids:
        return {}
    risk.note_before(instance.pk, applied.change_time)
    try:
        outcome = classify(instance_id=instance.pk)
    except NothingToClassify as exc:
        return {"skipped": exc.code}
    except Exception as exc:  # a rule's trouble, of whatever kind, does not undo the sync
        logger.exception("classification_errored")
        return {"error": type(exc).__name__}
    risk.note_after(instance.pk, applied.change_time)
    return {
        "added": outcome.added,
        "removed": outcome.removed,
        "failed_rules": [rule.name for rule in outcome.failed],
    }


def _sections(reading: Reading) -> dict[str, dict[str, str]]:
    """The parts that could not be read in full, with the server's message and the remedy."""
    return {
        section.name: {
            "status": section.status.value,
            "message": mask(section.message),
            "remedy": section.remedy,
        }
        for section in reading.sections.values()
        if not section.is_complete
    }


def _failure(message: str, kind: str) -> Outcome:
    """The server or the situation said no."""
    return Outcome(False, mask(message), details={"error": {"type": kind}})


def _errored(exc: Exception) -> Outcome:
    """Our bug, or our store's trouble: the traceback is logged and kept."""
    logger.exception("sync_errored")
    kind = type(exc).__name__
    error = {"type": kind, "internal": True, "traceback": mask(traceback.format_exc())}
    message = _("An error of ours (%(kind)s): nothing was written, the details are in the log.")
    return Outcome(False, message % {"kind": kind}, details={"error": error})


def _fail(record: SyncInstanceRecord, failure: Outcome) -> None:
    try:
        record.fail(failure.message, failure.details)
    except ClaimLost as exc:
        logger.warning("claim_lost", record_id=record.pk, reason=str(exc))
    except StoreError:
        # The store is away: the lease runs out, and the reaper ends the record.
        logger.exception("record_not_ended", record_id=record.pk)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
