"""Risks on the pages of instances."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest

from accounts.models import WIDE, AccountPermission
from classification import risks
from classification.admin.badges import classification_badge
from classification.models import AccountClassificationAssignment, RiskLevel
from whalefall.console import show
from whalefall.console.cards import list_url
from whalefall.console.pages import extend
from whalefall.instances.models import Instance

RISKIEST = 6


@extend(Instance)
class ClassifiedInstances:
    """Accounts by risk on the page of an instance; `sync.admin` has the button for the rules."""

    page_top = ("classification/on_instance.html",)

    def page_context(self, request: HttpRequest, instance: Instance) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, instance)  # type: ignore[misc]
        return context | _risks(instance)


def _risks(instance: Instance) -> dict[str, Any]:
    """How many accounts have which risk, as the list behind it shows them, and the worst ones."""
    risks.settle()
    shown = AccountPermission.objects.filter(instance=instance, account__is_active=True).shown()
    counted = dict(shown.order_by().values_list("risk__level").annotate(Count("pk")))
    return {
        "number_of_accounts": sum(counted.values()),
        "accounts_url": list_url("accounts_instanceaccount", instance__id__exact=instance.pk),
        "risk_counts": [
            (show.state(level.value, level.label), counted[level.rank], _with_risk(instance, level))
            for level in RiskLevel
            if counted.get(level.rank)
        ],
        "riskiest": _riskiest(shown),
    }


def _with_risk(instance: Instance, level: RiskLevel) -> str:
    of = {"instance__id__exact": instance.pk, "risk": level.value}
    return list_url("accounts_instanceaccount", **of)


def _riskiest(shown: QuerySet[AccountPermission]) -> list[tuple[Any, ...]]:
    current = (
        AccountClassificationAssignment.objects.filter(is_active=True)
        .select_related("classification")
        .defer("evidence")
        .order_by("-classification__priority", "pk")
    )
    labels = Prefetch("assignments", queryset=current, to_attr="current")
    worst = shown.filter(risk__level__gt=0).select_related("account", "risk").defer(*WIDE)
    rows = worst.prefetch_related(labels).order_by("-risk__level", "account__username")
    return [(row.account, _badge(row.risk.level), _labels(row)) for row in rows[:RISKIEST]]


def _badge(rank: int) -> Any:
    level = RiskLevel.of_rank(rank)
    return show.state(level.value, level.label) if level else show.EMPTY


def _labels(permission: Any) -> Any:
    return show.joined([classification_badge(each.classification) for each in permission.current])
