"""Classifying every account as a session of one record, so that it can be watched and cancelled."""

from __future__ import annotations

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
from sync import queue
from sync.keeper import InstanceBusy, Keeper, KeeperLost
from sync.models import ClaimLost, SyncCategory, SyncInstanceRecord, SyncSession, SyncType

logger = structlog.get_logger(__name__)

# No instance has this number: the lock of a run over all of them.
EVERY_INSTANCE = 0


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
            sync_details={"everything": everything},
        )
        queue.enqueue_on_commit(queue.RUN_RECORD, [record.pk])
    return session


def _refuse_nothing() -> None:
    if not active_rules():
        raise NothingToClassify("NO_RULES", _("There is no active rule."))
    accounts = AccountPermission.objects.present().filter(instance__is_active=True)
    if not accounts.exists():
        raise NothingToClassify("NO_ACCOUNTS", _("There is no account to classify."))


def run_record(record: SyncInstanceRecord) -> dict[str, Any]:
    """Do the record that `start` made; it is claimed already. `{"success", "message"}`."""
    everything = bool(record.sync_details.get("everything"))
    try:
        with Keeper(EVERY_INSTANCE, record) as keeper, transaction.atomic():
            record.hold()
            outcome = classify_anew(everything=everything)
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


def _failed(record: SyncInstanceRecord, message: str, kind: str) -> dict[str, Any]:
    try:
        record.fail(message, {"error": {"type": kind}})
    except ClaimLost as exc:
        logger.warning("claim_lost", record_id=record.pk, reason=str(exc))
    return {"success": False, "message": message}
