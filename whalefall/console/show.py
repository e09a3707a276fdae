"""Small pieces of HTML for columns and pages: badges, times, sizes, JSON."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import avoid_wrapping, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import TIME_STRINGS
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from whalefall.words import said

EMPTY = "–"

UNITS = (("week", 7 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))
"""Shorter than a month, in seconds."""

TONES = {
    "critical": "danger",
    "high": "danger",
    "medium": "warning",
    "low": "info",
    "info": "neutral",
    "running": "info",
    "pending": "neutral",
    "completed": "success",
    "failed": "danger",
    "cancelled": "neutral",
    "denied": "warning",
    "complete": "success",
    "add": "success",
    "delete": "neutral",
    "restore": "info",
    "modify_privilege": "warning",
    "modify_other": "info",
}


def badge(text: Any, tone: str = "neutral", title: Any = "") -> SafeString:
    """`tone`: success, info, warning, danger, neutral, or strong-danger for the worst."""
    return format_html('<span class="wf-badge wf-{}" title="{}">{}</span>', tone, title, text)


def state(value: str, label: Any, title: Any = "") -> SafeString:
    """A state, a risk or a kind of change in the colour it has everywhere."""
    tone = "strong-danger" if value == "critical" else TONES.get(value, "neutral")
    return badge(label, tone, title)


def joined(pieces: list[Any]) -> SafeString | str:
    """Badges side by side; a dash where there is none."""
    return format_html_join(" ", "{}", ((piece,) for piece in pieces)) or EMPTY


def link(url: str, text: Any) -> SafeString:
    return format_html('<a class="wf-link" href="{}">{}</a>', url, text)


def with_small(text: Any, small: Any) -> SafeString | str:
    """A text with a quiet line under it, where there is one."""
    return format_html('{}<br><small class="wf-quiet">{}</small>', text, small) if small else text


def ago(moment: datetime | None) -> SafeString | str:
    """How long ago (or until), with the exact time on pointing; a dash for never."""
    if moment is None:
        return EMPTY
    exact = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z")
    now = timezone.now()
    if abs((now - moment).total_seconds()) < 60:
        text = _("just now")
    else:
        unit, number = span(min(moment, now), max(moment, now))
        text = _far(get_language(), unit, number, moment > now)
    return format_html('<span class="wf-time" title="{}">{}</span>', exact, text)


def span(start: datetime, end: datetime) -> tuple[str, int]:
    """From `start` to `end` in the largest unit of the calendar that fits, as `timesince` counts:
    ("month", 2). Both in any zone, `end` at least a minute later.
    """
    end = end.astimezone(start.tzinfo)
    months = (end.year - start.year) * 12 + end.month - start.month
    months -= (start.day, start.time()) > (end.day, end.time())
    if months:
        return ("year", months // 12) if months >= 12 else ("month", months)
    seconds = int((end - start).total_seconds())
    return next((unit, seconds // size) for unit, size in UNITS if seconds >= size)


@lru_cache(maxsize=2048)
def _far(_language: str | None, unit: str, number: int, is_ahead: bool) -> str:
    """Kept for each language: a list says it twice in a row, and most lists say the same."""
    time = {"time": avoid_wrapping(TIME_STRINGS[unit] % {"num": number})}
    return (_("in %(time)s") if is_ahead else _("%(time)s ago")) % time


def size(number: int | None, reason: str = "") -> SafeString | str:
    """Bytes for people; what was not measured is a dash with the reason, never 0."""
    if number is None:
        return format_html('<span title="{}">{}</span>', said(reason) or _("not measured"), EMPTY)
    return filesizeformat(number)


def lines(texts: list[str]) -> SafeString:
    """One line of evidence below the other; empty where there is none."""
    items = format_html_join("", "<li class='wf-mono'>{}</li>", ((text,) for text in texts))
    return format_html('<ul class="wf-evidence">{}</ul>', items) if texts else items


def pretty_json(value: Any) -> SafeString:
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    return format_html('<pre class="wf-json">{}</pre>', text)
