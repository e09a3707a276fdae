"""The cards of the start page: each number is that of the list behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import AccountChangeLog
from capacity import trend
from classification.models import RiskLevel
from sync.admin.parts import SESSION
from sync.dashboard import numbers, sizes
from sync.dashboard.glance import Glance
from sync.models import SyncInstanceRecord, SyncSession
from whalefall.console import show
from whalefall.console.cards import Card, cards, list_url
from whalefall.instances.models import Instance


@cards(10)
def fleet(request: HttpRequest) -> list[Card]:
    number = Instance.objects.statistics()
    return [
        Card(
            _("Instances"),
            number["total"],
            list_url("instances_instance"),
            "database",
            _t("%(n)d watched") % {"n": number["active"]},
        )
    ]


@cards(20)
def accounts(request: HttpRequest) -> list[Card]:
    found, earlier = Glance.of(request).numbers, Glance.of(request).earlier
    note = _t("%(n)s of them roles and groups") % {"n": grouped(found.roles)}
    if when := counted(found):
        note = format_html("{} · {}", note, when)
    superusers = Card(
        _("Superusers"),
        grouped(found.superusers),
        list_url("accounts_instanceaccount", superuser="1"),
        "shield_person",
        _("by what the server says of them"),
        tone="danger" if found.superusers else "",
    )
    everybody = list_url("accounts_instanceaccount")
    return [
        Card(_("Accounts"), grouped(found.accounts), everybody, "person_search", note),
        *(_risk(level, found, earlier[level.value]) for level in RISKY),
        superusers,
    ]


RISKY = (RiskLevel.CRITICAL, RiskLevel.HIGH)
RISK_CARDS = {
    RiskLevel.CRITICAL: (_("Critical accounts"), "emergency_home", "danger"),
    RiskLevel.HIGH: (_("High-risk accounts"), "warning", "warning"),
}


def _risk(level: RiskLevel, found: numbers.Numbers, then: numbers.Change) -> Card:
    title, icon, tone = RISK_CARDS[level]
    number = found.at(level.value)
    return Card(
        title,
        grouped(number),
        list_url("accounts_instanceaccount", risk=level.value),
        icon,
        tone=tone if number else "good",
        changes=(
            _t("%(n)s since yesterday") % {"n": difference(number, then.yesterday)},
            _t("%(n)s since last week") % {"n": difference(number, then.last_week)},
        ),
    )


def counted(found: numbers.Numbers) -> Any:
    """When the numbers of a big fleet were counted; empty where that is now."""
    if (timezone.now() - found.counted_at).total_seconds() < 5:
        return ""
    return format_html("{} {}", _("counted"), show.ago(found.counted_at))


def grouped(number: int) -> str:
    """1234567 as 1,234,567."""
    return f"{number:,}"


def difference(now: int, then: int | None) -> str:
    """With its sign; a dash where it is not known."""
    if then is None:
        return show.EMPTY
    change = now - then
    if not change:
        return "±0"
    return f"{'+' if change > 0 else '−'}{abs(change):,}"


@cards(30)
def changes(request: HttpRequest) -> list[Card]:
    since = timezone.now() - timedelta(days=1)
    number = AccountChangeLog.objects.filter(change_time__gte=since).count()
    return [
        Card(
            _("Changes"),
            grouped(number),
            list_url("accounts_accountchangelog", **since_parameters("change_time", since)),
            "published_with_changes",
            _("in the last 24 hours"),
        )
    ]


def since_parameters(column: str, since: Any) -> dict[str, str]:
    """Of a list with a TimeRangeFilter, in the reader's time zone."""
    return {
        f"{column}_from_0": timezone.localdate(since).isoformat(),
        f"{column}_from_1": timezone.localtime(since).strftime("%H:%M:%S"),
    }


@cards(40)
def syncs(request: HttpRequest) -> list[Card]:
    """What runs, and what fails and was not made good."""
    running = SyncSession.objects.filter(status=SESSION.RUNNING).count()
    reading = SyncInstanceRecord.objects.filter(status=SyncInstanceRecord.Status.RUNNING).count()
    failing = len(Glance.of(request).failed)
    words = ngettext("%(n)d instance being read", "%(n)d instances being read", reading)
    return [
        Card(
            _("Running sessions"),
            running,
            list_url("sync_syncsession", status__exact=SESSION.RUNNING.value),
            "sync",
            words % {"n": reading},
        ),
        Card(
            _("Failing syncs"),
            failing,
            list_url("sync_syncinstancerecord", failing="1"),
            "sync_problem",
            _("not made good by a later one"),
            "danger" if failing else "good",
        ),
    ]


@cards(50)
def capacity(request: HttpRequest) -> list[Card]:
    found = sizes.sizes()
    grows = "" if found.growth_per_day is None else trend.signed(found.growth_per_day)
    return [
        Card(
            _("Databases"),
            show.size(found.total_bytes),
            list_url("capacity_instancedatabase"),
            "storage",
            _t("%(size)s a day") % {"size": grows} if grows else _("growth not known yet"),
        ),
        Card(
            _("Full soon"),
            found.soon,
            list_url("instances_instance", full=sizes.SOON),
            "hourglass_bottom",
            _t("instances, within %(n)d days") % {"n": sizes.SOON},
            "warning" if found.soon else "good",
        ),
    ]
