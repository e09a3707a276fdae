"""What is found, in words: in the language that is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notify.formats.base import Message, Notice
from notify.models import Channel, Delivery, Rule

Kind = Rule.Kind
Words = tuple[str, str]
"""Title and text."""


def message(delivery: Delivery, channel: Channel) -> Message:
    """The whole delivery, in the language of its channel."""
    with translation.override(channel.language):
        return Message(
            id=str(delivery.message_id),
            now=timezone.now(),
            title=title(delivery),
            notices=[_notice(each) for each in delivery.notices],
            left_out=delivery.left_out,
            is_test=delivery.is_test,
        )


def title(delivery: Delivery) -> str:
    """One line for the whole."""
    if delivery.is_test:
        return _("Test of WhaleFall's notifications")
    if delivery.total == 1:
        (only,) = delivery.notices
        return in_words(only["kind"], only["data"])[0]
    text = ngettext("%(n)d notice from WhaleFall", "%(n)d notices from WhaleFall", delivery.total)
    return text % {"n": delivery.total}


def _notice(kept: dict[str, Any]) -> Notice:
    kind, data = kept["kind"], kept["data"]
    title, text = in_words(kind, data)
    return Notice(
        kind=kind,
        severity=data.get("severity", "info"),
        title=title,
        text=text,
        url=_address(data.get("page")),
        time=kept["time"],
        data={key: value for key, value in data.items() if key not in ("page", "severity")},
    )


def in_words(kind: str, data: dict[str, Any]) -> Words:
    """One alert, as its rule's kind tells it."""
    return WORDS[kind](data) if kind in WORDS else (kind, "")


def _address(page: list[Any] | None) -> str:
    """The page of a row in the console; empty while nobody has said where this system stands."""
    if not page or not settings.PUBLIC_URL:
        return ""
    label, pk = page
    return settings.PUBLIC_URL.rstrip("/") + reverse(f"admin:{label}_change", args=(pk,))


def _moment(text: str | None) -> str:
    if not text:
        return _("never")
    found = parse_datetime(text)
    return f"{timezone.localtime(found):%F %H:%M %Z}" if found else text


def _new_account(data: dict[str, Any]) -> Words:
    title = _("New account %(account)s on %(instance)s: risk %(risk)s") % data
    return title, _("Seen first at %(time)s.") % {"time": _moment(data["time"])}


def _risk_rose(data: dict[str, Any]) -> Words:
    title = _("Risk of %(account)s on %(instance)s is now %(risk)s") % data
    before = data["before"] or _("none")
    return title, _("It was %(before)s. %(what)s") % {"before": before, "what": data["what"]}


def _session_failed(data: dict[str, Any]) -> Words:
    title = _("Session %(category)s failed: %(failed)d of %(total)d instances") % data
    return title, "; ".join(data["errors"])


def _instance_stale(data: dict[str, Any]) -> Words:
    title = _("%(instance)s: no successful sync for %(days)d days") % data
    return title, _("The last one: %(time)s.") % {"time": _moment(data["last"])}


def _job_missed(data: dict[str, Any]) -> Words:
    title = _("Job %(job)s did not run") % data
    text = _("It was due at %(due)s; the last run: %(last)s.")
    return title, text % {"due": _moment(data["due"]), "last": _moment(data["last"])}


def _job_failed(data: dict[str, Any]) -> Words:
    return _("Job %(job)s failed") % data, data["error"]


def _days_to_full(data: dict[str, Any]) -> Words:
    title = _("%(instance)s will be full in %(left)d days") % data
    return title, _("On %(on)s, at the growth of these weeks.") % data


def _test(data: dict[str, Any]) -> Words:
    return _("This is a test"), _("Sent by %(user)s.") % data


WORDS: dict[str, Callable[[dict[str, Any]], Words]] = {
    Kind.NEW_ACCOUNT: _new_account,
    Kind.RISK_ROSE: _risk_rose,
    Kind.SESSION_FAILED: _session_failed,
    Kind.INSTANCE_STALE: _instance_stale,
    Kind.JOB_MISSED: _job_missed,
    Kind.JOB_FAILED: _job_failed,
    Kind.DAYS_TO_FULL: _days_to_full,
    "test": _test,
}
