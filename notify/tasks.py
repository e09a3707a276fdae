"""What the workers run."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from notify import watch
from notify.deliver import deliver as deliver_one
from notify.deliver import queue_due
from sync import locks
from sync.jobs import JOBS


def send_notifications() -> Any:
    """Look for what is worth a message, hand over what is due. None while the last run goes on."""
    with locks.held(locks.JOB, JOBS["send_notifications"].number) as free:
        if not free:
            return None
        now = timezone.now()
        done = watch.watch(now)
        return done | {"queued": queue_due(now), "pruned": watch.prune(now)}


def deliver(pk: int) -> str | None:
    """One try of one delivery; the state it is in then."""
    return deliver_one(pk)
