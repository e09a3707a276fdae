"""Rules looked at, one after the other: what is new becomes alerts and deliveries, in one
transaction per rule, so that a worker that is killed tells nothing twice and forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notify.findings import Finding, look
from notify.models import Alert, Channel, Delivery, Rule
from whalefall.logs import mask

logger = structlog.get_logger(__name__)

# How often a rule is looked at whose answer does not change by the minute, or costs much.
EVERY = {
    Rule.Kind.INSTANCE_STALE: timedelta(minutes=10),
    Rule.Kind.JOB_MISSED: timedelta(minutes=10),
    Rule.Kind.DAYS_TO_FULL: timedelta(hours=6),
}
MOST_NOTICES = 200
"""In one delivery; what is left out is counted."""


def watch(now: datetime | None = None) -> dict[str, int]:
    """How many rules were `checked`, how many alerts `told` and `closed`, and how many rules
    `failed`.
    """
    now = now or timezone.now()
    done = {"checked": 0, "told": 0, "closed": 0, "failed": 0}
    for rule in Rule.objects.active().prefetch_related("tags", "channels"):
        if not _is_due(rule, now):
            continue
        try:
            with transaction.atomic():
                told, closed = check(rule, now)
        except Exception as exc:  # one rule that cannot be looked at must not silence the others
            logger.exception("notification_rule_failed", rule=rule.pk)
            Rule.objects.filter(pk=rule.pk).update(last_error=mask(str(exc))[:500], checked_at=now)
            done["failed"] += 1
            continue
        done["checked"] += 1
        done["told"] += told
        done["closed"] += closed
    return done


def _is_due(rule: Rule, now: datetime) -> bool:
    every = EVERY.get(Rule.Kind(rule.kind), timedelta(0))
    return rule.checked_at is None or now - rule.checked_at >= every


def check(rule: Rule, now: datetime) -> tuple[int, int]:
    """Look, and hand over what is new: (alerts told, alerts closed). In one transaction."""
    findings = {found.key: found for found in look(rule, now)}
    closed = 0
    if rule.lasts:
        known = {alert.key: alert for alert in rule.alerts.filter(closed_at=None)}
        closed = _close(known, findings, now)
        new = [found for key, found in findings.items() if key not in known]
        told = _open(rule, new, now) + _remind(rule, known, findings, now)
    else:
        told = _open(rule, list(findings.values()), now)
    for channel in rule.channels.all():
        if told and channel.is_active:
            post(channel, [alert.notice(now) for alert in told], now)
    Rule.objects.filter(pk=rule.pk).update(checked_at=now, last_error="")
    return len(told), closed


def _open(rule: Rule, found: list[Finding], now: datetime) -> list[Alert]:
    return Alert.objects.bulk_create(
        Alert(rule=rule, key=each.key, data=each.data, found_at=now, told_at=now) for each in found
    )


def _close(known: dict[str, Alert], findings: dict[str, Any], now: datetime) -> int:
    ended = [alert.pk for key, alert in known.items() if key not in findings]
    return Alert.objects.filter(pk__in=ended).update(closed_at=now)


def _remind(
    rule: Rule, known: dict[str, Alert], findings: dict[str, Finding], now: datetime
) -> list[Alert]:
    """Those that still last and were told long ago, with what is true of them now."""
    if not rule.remind_days:
        return []
    before = now - timedelta(days=rule.remind_days)
    due = [alert for key, alert in known.items() if key in findings and alert.told_at <= before]
    for alert in due:
        alert.data, alert.told_at, alert.rule = findings[alert.key].data, now, rule
    Alert.objects.bulk_update(due, ("data", "told_at"))
    return due


def post(channel: Channel, notices: Iterable[dict[str, Any]], now: datetime) -> Delivery:
    """Into the delivery that the channel still collects for, or a new one."""
    collecting = Delivery.objects.filter(
        channel=channel, status=Delivery.Status.WAITING, tries=0, is_test=False
    )
    found = collecting.filter(next_try_at__gt=now).select_for_update().last()
    if found is None:
        until = now + timedelta(minutes=channel.digest_minutes)
        found = Delivery(channel=channel, next_try_at=until, created_at=now)
    whole = [*found.notices, *notices]
    found.notices = whole[:MOST_NOTICES]
    found.left_out += len(whole) - len(found.notices)
    found.save()
    return found


def prune(now: datetime) -> int:
    """Delete what ended longer ago than logs are kept; alerts of events, once they are too old to
    be found again.
    """
    if not settings.KEEP_LOGS:
        return 0
    old = now - timedelta(days=max(settings.KEEP_LOGS, 7))
    deleted, _by_model = Delivery.objects.filter(created_at__lt=old).delete()
    events = Alert.objects.filter(found_at__lt=old).exclude(
        rule__kind__in=Rule.LASTING, closed_at=None
    )
    alerts, _by_model = events.delete()
    return deleted + alerts
