"""What stood in a server's catalog about one account at a moment in the past.

Every snapshot that a sync replaces is kept with the time until which it was true, so the answer is
what was read then, not a reckoning backwards from differences: those leave out what was read for
the first time, and the options of what was revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountChangeLog, AccountPermission, AccountSnapshot, InstanceAccount
from accounts.snapshot import Json

ChangeType = AccountPermission.ChangeType
COMING_AND_GOING = (ChangeType.ADD, ChangeType.DELETE, ChangeType.RESTORE)


class State(models.TextChoices):
    """UNKNOWN: the history does not reach back so far."""

    PRESENT = "present", _("present")
    GONE = "gone", _("not on the server")
    NOT_YET = "not_yet", _("not seen yet")
    UNKNOWN = "unknown", _("not known")


@dataclass(frozen=True, slots=True)
class AsOf:
    """`known_since`: from when on the history has no gap. `snapshot` (v4) is None unless the
    account was there; `until` is when it was replaced, None where it is true today.
    """

    at: datetime
    state: State
    known_since: datetime | None
    snapshot: Json | None = None
    until: datetime | None = None


def moment(text: str) -> datetime:
    """`2026-11-22` is the end of that day in the current time zone (today: now), a time without a
    zone is one of that zone. Raises ValueError with the choices.
    """
    try:
        found = parse_datetime(text) if len(text) > 10 else None
        day = parse_date(text) if found is None else None
        if day is not None:
            found = datetime.combine(day, time.max)
        if found is not None:
            aware = found if timezone.is_aware(found) else timezone.make_aware(found)
            return min(aware, timezone.now()) if day == timezone.localdate() else aware
    except (ValueError, OverflowError):
        pass  # an impossible date is told like any other text that is none
    message = gettext("Not a date: %(text)s. Write 2026-11-22 or 2026-11-22T18:00:00Z.")
    raise ValueError(message % {"text": text})


def as_of(account: InstanceAccount, at: datetime) -> AsOf:
    """The account as the last reading before `at` (or at it) found it. Six queries at most."""
    permission = AccountPermission.objects.filter(account=account)
    now = permission.only("permission_snapshot", "last_sync_time").first()
    if now is None:
        return AsOf(at, State.UNKNOWN, None)
    since = _known_since(account, now)
    if at < account.first_seen_at:
        return AsOf(at, State.NOT_YET, since)
    if at < since:
        return AsOf(at, State.UNKNOWN, since)
    if not _was_present(account, at):
        return AsOf(at, State.GONE, since)
    earlier = account.snapshots.filter(until__gt=at).order_by("until").first()
    if earlier is None:
        return AsOf(at, State.PRESENT, since, now.permission_snapshot)
    return AsOf(at, State.PRESENT, since, earlier.permission_snapshot, earlier.until)


def _known_since(account: InstanceAccount, now: AccountPermission) -> datetime:
    """Changes are deleted after a time where the settings say so; those of a version that kept no
    snapshots yet have none.
    """
    oldest = account.changes.order_by("change_time", "pk").first()
    if oldest is None:
        since = now.last_sync_time
    else:
        since = oldest.change_time
        if oldest.change_type == ChangeType.ADD:
            since = account.first_seen_at
    return max(since, _last_gap(account) or since)


def _last_gap(account: InstanceAccount) -> datetime | None:
    """The last change whose earlier side was not kept."""
    kept = AccountSnapshot.objects.filter(
        account=OuterRef("account"), until=OuterRef("change_time")
    )
    differed = ~Q(privilege_diff=[]) | ~Q(other_diff=[])
    changed = account.changes.filter(differed).exclude(change_type=ChangeType.ADD)
    found: Any = changed.exclude(Exists(kept)).order_by("-change_time").first()
    return found.change_time if found else None


def _was_present(account: InstanceAccount, at: datetime) -> bool:
    moves = account.changes.filter(change_type__in=COMING_AND_GOING)
    following: AccountChangeLog | None = (
        moves.filter(change_time__gt=at).order_by("change_time", "pk").first()
    )
    if following is None:
        return account.is_active or account.deleted_at is None or at < account.deleted_at
    return following.change_type == ChangeType.DELETE
