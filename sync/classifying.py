"""Classifying every account as a session of one record, so that it can be watched and cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AccountPermission
from classification import daily
from classification.classify import NothingToClassify, classify
from classification.outcome import Outcome
from classification.rules import active_rules
from sync import locks, queue
from sync.keeper import InstanceBusy, Keeper, KeeperLost
from sync.models import ClaimLost, SyncCategory, SyncInstanceRecord, SyncSession, SyncType
from whalefall.instances.models import Instance

logger = structlog.get_logger(__name__)

# No instance has this number: the lock of a run over all of them.
EVERY_INSTANCE = 0
EVERYTHING = "everything"
"""Of the details of a record over all instances, and of no other."""


def classify_anew(instance_id: int | None = None, everything: bool = False) -> Outcome:
    """Bring assignments up to date; with `everything` every rule is asked about every account,
    also where nothing has changed. Raises NothingToClassify.
    """
    rule_ids = [rule.id for rule in active_rules()] if everything else None
    return classify(instance_id=instance_id, rule_ids=rule_ids)


def start(created_by: Any, everything: bool = False) -> SyncSession:
    """A session over all accounts, handed to the queue on commit. Raises NothingToClassify before
    anything is made.
    """
    _refuse_nothing()
    with transaction.atomic():
        session = SyncSession.objects.create(
            sync_type=SyncType.MANUAL_TASK,
            sync_category=SyncCategory.CLASSIFICATION,
            created_by=created_by,
            started_at=timezone.now(),
            total_instances=1,
        )
        record = SyncInstanceRecord.objects.create(
            session=session,
            instance_name=_("every instance"),
            sync_details={EVERYTHING: everything},
        )
        queue.enqueue_on_commit(queue.RUN_RECORD, [record.pk])
    return session


def _refuse_nothing() -> None:
    if not active_rules():
        raise NothingToClassify("NO_RULES", _("There is no active rule."))
    accounts = AccountPermission.objects.present().filter(instance__is_active=True)
    if not accounts.exists():
        raise NothingToClassify("NO_ACCOUNTS", _("There is no account to classify."))


def start_for(instances: Iterable[Instance], created_by: Any) -> SyncSession:
    """A session of one record per instance. Raises NothingToClassify where there is no rule."""
    if not active_rules():
        raise NothingToClassify("NO_RULES", _("There is no active rule."))
    return SyncSession.objects.start(
        SyncType.MANUAL_BATCH,
        instances,
        sync_category=SyncCategory.CLASSIFICATION,
        created_by=created_by,
    )


def run_record(record: SyncInstanceRecord) -> dict[str, Any]:
    """Do the record that `start` or `start_for` made; it is claimed already. `{"success",
    "message"}`.
    """
    is_all = EVERYTHING in record.sync_details
    if not is_all and record.instance_id is None:
        return _failed(record, _("The instance was removed."), "InstanceRemoved")
    try:
        with _kept(record) as keeper, transaction.atomic():
            record.hold()
            everything = bool(record.sync_details.get(EVERYTHING))
            outcome = classify_anew(None if is_all else record.instance_id, everything)
            if is_all:
                daily.count_today()
            keeper.check()
            counts = {
                "synced": outcome.accounts,
                "created": outcome.added,
                "updated": outcome.updated,
                "deleted": outcome.removed,
            }
            record.complete(counts, outcome.as_json())
        return {"success": True, "message": ""}
    except NothingToClassify as exc:
        message, kind = str(exc), exc.code
    except InstanceBusy:
        message, kind = _("Another run over all accounts has not ended."), "InstanceBusy"
    except (KeeperLost, ClaimLost) as exc:
        message, kind = _("The store was lost meanwhile: nothing written."), type(exc).__name__
    except Exception as exc:  # whatever it is, the record must say that it ended
        logger.exception("classification_errored")
        message, kind = _("An error of ours: nothing was written."), type(exc).__name__
    return _failed(record, message, kind)


def _kept(record: SyncInstanceRecord) -> Keeper:
    """Reading an instance and classifying it do not keep each other off."""
    if EVERYTHING in record.sync_details:
        return Keeper(EVERY_INSTANCE, record)
    return Keeper(record.instance_id or EVERY_INSTANCE, record, locks.CLASSIFICATION)


def _failed(record: SyncInstanceRecord, message: str, kind: str) -> dict[str, Any]:
    try:
        record.fail(message, {"error": {"type": kind}})
    except ClaimLost as exc:
        logger.warning("claim_lost", record_id=record.pk, reason=str(exc))
    return {"success": False, "message": message}
