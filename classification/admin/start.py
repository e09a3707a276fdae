"""Risky accounts on the start page."""

from __future__ import annotations

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import WIDE, AccountPermission
from classification import risks
from classification.admin.badges import risk_badge
from classification.models import AccountClassification, AccountClassificationAssignment, RiskLevel
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.pages import change_url

RISKIEST = 8


@cards(30)
def risky_accounts(request: HttpRequest) -> list[Card]:
    """Accounts by risk, those that the list shows."""
    risks.settle()
    shown = AccountPermission.objects.present().shown()
    risky = [RiskLevel.CRITICAL.rank, RiskLevel.HIGH.rank]
    counted = dict(
        shown.filter(risk__level__in=risky)
        .order_by()
        .values_list("risk__level")
        .annotate(number=Count("pk"))
    )
    critical, high = (counted.get(rank, 0) for rank in risky)
    return [
        Card(
            _("Critical accounts"),
            critical,
            list_url("accounts_instanceaccount", risk=RiskLevel.CRITICAL.value),
            "emergency_home",
            tone="danger" if critical else "good",
        ),
        Card(
            _("High-risk accounts"),
            high,
            list_url("accounts_instanceaccount", risk=RiskLevel.HIGH.value),
            "warning",
            tone="warning" if high else "good",
        ),
    ]


def _latest(risk: RiskLevel) -> QuerySet[AccountClassificationAssignment]:
    """The newest ones of a risk, by the primary key: ordering by anything else sorts them all."""
    wide = (f"account__{column}" for column in WIDE)
    found = AccountClassificationAssignment.objects.filter(
        is_active=True,
        account__account__is_active=True,
        account__instance__deleted_at=None,
        classification__in=AccountClassification.objects.filter(risk_level=risk).values("pk"),
    )
    found = found.exclude(acceptance__ends_on__gte=risks.today())
    related = found.select_related("classification", "account__account", "account__instance")
    return related.defer("evidence", *wide).order_by("-pk")[:RISKIEST]


@panels(10)
def riskiest(request: HttpRequest) -> list[Panel]:
    latest = [*_latest(RiskLevel.CRITICAL), *_latest(RiskLevel.HIGH)][:RISKIEST]
    rows = [
        [
            risk_badge(one.classification),
            show.link(change_url(one.account.account), one.account.account),
            one.account.instance,
            one.classification,
        ]
        for one in latest
    ]
    return [
        Panel(
            _("Riskiest accounts"),
            [_("Risk"), _("Account"), _("Instance"), _("Classification")],
            rows,
            list_url("accounts_instanceaccount", risk=RiskLevel.CRITICAL.value),
            _("Nothing is classified as critical or high."),
        )
    ]
