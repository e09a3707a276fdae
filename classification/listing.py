"""What `manage.py accounts` can be narrowed by, and shows, because accounts are classified."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import listing
from accounts.models import AccountPermission, PermissionQuerySet
from classification import risks
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    RiskLevel,
)
from whalefall.commands import find

ACCEPTED = "accepted"


def register() -> None:
    """Called once, from `ready()`."""
    options = (
        ("classification", gettext_lazy("who has this classification (code or id)"), _classified),
        ("risk", gettext_lazy("at these risks that nobody accepted: critical,high"), _at_risk),
    )
    for name, help_, narrow in options:
        listing.register(listing.ListOption(name, help_, narrow))
    listing.show(listing.ListColumn("risk", gettext_lazy("risk"), _with_risk, _risk))
    heading = gettext_lazy("classifications")
    listing.show(listing.ListColumn("classifications", heading, _with_labels, _labels))


def _classified(rows: PermissionQuerySet, name: str) -> PermissionQuerySet:
    wanted = find(AccountClassification.objects.all(), name)
    given = AccountClassificationAssignment.objects.active().filter(classification=wanted)
    return rows.filter(pk__in=given.values("account"))


def _at_risk(rows: PermissionQuerySet, text: str) -> PermissionQuerySet:
    """`accepted` is: a risk there would be, all of it accepted."""
    ranks = {ACCEPTED: 0, **{level.value: level.rank for level in RiskLevel}}
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name not in ranks:
            message = _("Unknown risk: %(name)s. Must be one of: %(names)s")
            raise CommandError(message % {"name": name, "names": ", ".join(ranks)})
    risks.settle()
    return rows.filter(Q(risk__level__in=[ranks[name] for name in wanted]))


def _with_risk(rows: PermissionQuerySet) -> PermissionQuerySet:
    risks.settle()
    return rows.select_related("risk")


def _risk(permission: AccountPermission) -> str | None:
    """The highest that nobody accepted; `accepted` where somebody accepted all of it."""
    risk = getattr(permission, "risk", None)
    return None if risk is None else (RiskLevel.of_rank(risk.level) or ACCEPTED)


def _with_labels(rows: PermissionQuerySet) -> PermissionQuerySet:
    active = AccountClassificationAssignment.objects.active().select_related("classification")
    ordered = active.defer("evidence").order_by("-classification__priority", "pk")
    return rows.prefetch_related(Prefetch("assignments", ordered, to_attr="labels"))


def _labels(permission: Any) -> list[str]:
    return [label.classification.name for label in permission.labels]
