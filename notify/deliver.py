"""Messages on their way: claimed, sent, tried again later, given up.

A worker that dies while it sends leaves a lease that runs out; the message is then sent again with
the same id. That is how a receiver may see one twice, and why none is lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notify import wire, words
from notify.formats import dingtalk, feishu, mail, slack, webhook, wecom
from notify.formats.base import NotSent
from notify.models import Channel, Delivery
from sync import queue
from whalefall.logs import mask

logger = structlog.get_logger(__name__)

TASK = "notify.tasks.deliver"
LEASE = timedelta(minutes=3)
"""Longer than any conversation may last."""
REQUEUE = timedelta(minutes=10)
"""A delivery that was queued so long ago and still waits is queued again."""
BACK_OFF = (1, 2, 5, 15, 30, 60, 120, 240)
"""Minutes until the second try, the third ...: about eight hours, then it is given up."""
FORMATS: dict[str, Any] = {
    Channel.Kind.WEBHOOK: webhook,
    Channel.Kind.DINGTALK: dingtalk,
    Channel.Kind.FEISHU: feishu,
    Channel.Kind.WECOM: wecom,
    Channel.Kind.SLACK: slack,
}


def queue_due(now: datetime | None = None) -> int:
    """Hand over what is due to the workers; how many that were."""
    now = now or timezone.now()
    _take_back(now)
    lost = Q(queued_at=None) | Q(queued_at__lt=now - REQUEUE)
    due = Delivery.objects.filter(
        lost, status=Delivery.Status.WAITING, next_try_at__lte=now, channel__is_active=True
    )
    pks = list(due.order_by("pk").values_list("pk", flat=True)[:1000])
    Delivery.objects.filter(pk__in=pks).update(queued_at=now)
    return queue.enqueue(TASK, pks)


def _take_back(now: datetime) -> int:
    """Deliveries whose worker is gone wait again; it may have sent them."""
    lost = Delivery.objects.filter(status=Delivery.Status.SENDING, lease_until__lt=now)
    return lost.update(
        status=Delivery.Status.WAITING,
        claim=None,
        lease_until=None,
        queued_at=None,
        next_try_at=now,
        last_error=_("The worker was lost while it sent this."),
    )


def deliver(pk: int) -> str | None:
    """The state that a delivery is in after a try; None when it does not wait (any more)."""
    delivery = Delivery.objects.claim(pk, LEASE)
    return None if delivery is None else _try(delivery)


def send_test(channel: Channel, user: Any) -> Delivery:
    """A message that says it is a test, sent now and once; the delivery tells how it went."""
    notice = {
        "kind": "test",
        "rule": "",
        "time": timezone.now().isoformat(),
        "data": {"user": user.get_username(), "channel": channel.name},
    }
    delivery = Delivery.objects.create(channel=channel, is_test=True, notices=[notice])
    deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def _try(delivery: Delivery) -> str:
    channel = delivery.channel
    try:
        remark = _send(delivery, channel)
    except NotSent as exc:
        _note_failure(delivery, exc)
    except ImproperlyConfigured as exc:  # the key of its secret is gone: it may come back
        _note_failure(delivery, NotSent(str(exc)))
    except Exception as exc:  # a fault of ours must not leave it "being sent" until its lease ends
        logger.exception("notification_errored", delivery=delivery.pk, channel=channel.pk)
        _note_failure(delivery, NotSent(type(exc).__name__))
    else:
        delivery.sent(remark)
    logger.info(
        "notification",
        delivery=delivery.pk,
        channel_id=channel.pk,
        kind=channel.kind,
        state=delivery.status,
        tries=delivery.tries,
    )
    return str(delivery.status)


def _send(delivery: Delivery, channel: Channel) -> str:
    """Raises NotSent."""
    message = words.message(delivery, channel)
    with translation.override(channel.language):
        if channel.kind == Channel.Kind.EMAIL:
            return mail.send(channel, message)
        form = FORMATS[channel.kind]
        form.check(wire.post(form.request(channel, message)))
    return ""


def _note_failure(delivery: Delivery, exc: NotSent) -> None:
    error = mask(str(exc))[:1000]
    if exc.for_good or delivery.is_test or delivery.tries > len(BACK_OFF):
        delivery.failed(error)
    else:
        wait = timedelta(minutes=BACK_OFF[delivery.tries - 1])
        delivery.again(error, max(wait, timedelta(seconds=exc.after)))
