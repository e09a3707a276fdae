"""Small pieces that several pages show."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from sync.models import (
    SyncInstanceRecord,
    SyncSession,
)
from whalefall.console import show

RECORD = SyncInstanceRecord.Status


SESSION = SyncSession.Status


def progress_bar(session: SyncSession) -> Any:
    """Successful, failed and open parts of the instances as one bar."""
    total = session.total_instances or 1
    return format_html(
        '<span class="wf-bar" title="{}"><i class="wf-bar-good" style="width:{}%"></i>'
        '<i class="wf-bar-bad" style="width:{}%"></i></span>'
        '<span class="wf-bar-text">{}/{}</span>',
        _("%(good)d successful, %(bad)d failed of %(total)d")
        % {
            "good": session.successful_instances,
            "bad": session.failed_instances,
            "total": session.total_instances,
        },
        round(100 * session.successful_instances / total),
        round(100 * session.failed_instances / total),
        session.successful_instances + session.failed_instances,
        session.total_instances,
    )


def lasted(row: Any) -> str:
    """Seconds or minutes from start to end, or until now."""
    if row.started_at is None:
        return show.EMPTY
    seconds = ((row.completed_at or timezone.now()) - row.started_at).total_seconds()
    if seconds < 90:
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds / 60:.1f} min"
