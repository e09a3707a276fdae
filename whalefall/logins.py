"""Where somebody is logged in: sessions in the store that know whose they are, from where, and
since when (the settings name this module as Django's SESSION_ENGINE).
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

BEGAN, SEEN = "login_began", "login_seen"
LOGIN, ADDRESS, AGENT = "login_id", "login_address", "login_agent"


class SessionStore(db.SessionStore):
    """Django's, with columns for what a list of logins shows."""

    @classmethod
    def get_model_class(cls) -> Any:
        from whalefall.models import Login

        return Login

    def create_model_instance(self, data: Any) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.public_id = data.get(LOGIN) if row.user_id else None
        row.address, row.agent = data.get(ADDRESS), data.get(AGENT, "")
        row.began_at, row.seen_at = _moment(data.get(BEGAN)), _moment(data.get(SEEN))
        return row


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def describe(request: Any) -> None:
    """Remember from where this login came; a login gets a new name each time."""
    from whalefall.lockout import client_address

    request.session[LOGIN] = uuid.uuid4().hex
    request.session[ADDRESS] = client_address(request)
    request.session[AGENT] = request.META.get("HTTP_USER_AGENT", "")[:200]


def live(user: Any) -> list[Any]:
    """This person's logins that are still good, the last seen first: neither timed out nor ended by
    a new password.
    """
    now = timezone.now()
    rows = user.logins.filter(
        public_id__isnull=False,
        expire_date__gt=now,
        began_at__gt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE),
        seen_at__gt=now - timedelta(seconds=settings.SESSION_IDLE),
    )
    return [row for row in rows.order_by("-seen_at") if _is_valid(row, user)]


def _is_valid(row: Any, user: Any) -> bool:
    known = str(SessionStore().decode(row.session_data).get(HASH_SESSION_KEY, ""))
    return constant_time_compare(known, user.get_session_auth_hash())


def is_current(row: Any, request: HttpRequest) -> bool:
    """Whether the request came with this one."""
    return bool(row.session_key == request.session.session_key)


def end(user: Any, public_id: str) -> bool:
    """End one of this person's logins at once; False where there is none of that id."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError:
        return False
    deleted, _by_model = user.logins.filter(public_id=wanted).delete()
    return bool(deleted)


def end_others(request: Any) -> int:
    """End all logins of whoever asks but the one the request came with (a token has none); how
    many were still good.
    """
    others = [row.pk for row in live(request.user) if not is_current(row, request)]
    request.user.logins.exclude(session_key=request.session.session_key or "").delete()
    return len(others)
