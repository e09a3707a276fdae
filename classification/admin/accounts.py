"""What accounts are, in the list of accounts and on the page of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import CheckboxFilter
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import AccountPermission, InstanceAccount
from classification import risks
from classification.account_pages import ExplainedAccounts
from classification.admin.badges import (
    RISKS,
    accepted_badge,
    classification_badge,
    evidence_lines,
    risk_badge,
)
from classification.models import AccountClassification, AccountClassificationAssignment, RiskLevel
from classification.narrow import at_risk
from classification.rule_pages import number
from whalefall.console import show
from whalefall.console.pages import button, change_url, extend


class RiskFilter(CheckboxFilter):
    """Accounts whose highest risk that nobody accepted is one of these."""

    title = _("risk")
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(value), label) for value, label in RiskLevel.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        ranks = [RiskLevel(value).rank for value in self.value() if value in RISKS]
        return at_risk(queryset, ranks)


class ClassificationFilter(CheckboxFilter):
    """Accounts that have one of these classifications now."""

    title = _("classification")
    parameter_name = "classification"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(one.pk), str(one)) for one in AccountClassification.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = [key for text in self.value() or () if (key := number(text))]
        return queryset.filter(_has_classification(pk__in=wanted)) if wanted else queryset


def _has_classification(**conditions: Any) -> Exists:
    wanted = AccountClassification.objects.filter(**conditions).values("pk")
    return Exists(
        AccountClassificationAssignment.objects.filter(
            account=OuterRef("permission__pk"), is_active=True, classification__in=wanted
        )
    )


BADGES_SHOWN = 3
ACCEPT = "classification_accountclassificationassignment_accept_risk"


class ByHandForm(BaseDialogForm):
    """Which classification to give to the account of the page."""

    classification = forms.ModelChoiceField(
        AccountClassification.objects.filter(is_active=True),
        label=_("Classification"),
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label=_("Why"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget
    )


@extend(InstanceAccount)
class ClassifiedAccounts(ExplainedAccounts):
    """Risk and classifications in the list of accounts and on the page of one."""

    actions_detail = ("classify_by_hand",)
    page_top = ("classification/on_account.html",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstanceAccount]:
        risks.settle()
        current = (
            AccountClassificationAssignment.objects.filter(is_active=True)
            .select_related("classification")
            .defer("evidence")
            .order_by("-classification__priority", "pk")
        )
        prefetch = Prefetch("permission__assignments", queryset=current, to_attr="current")
        found = super().get_queryset(request).select_related("permission__risk")  # type: ignore[misc]
        return found.prefetch_related(prefetch)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Risk right after the name and the instance."""
        columns = super().get_list_display(request)  # type: ignore[misc]
        return (*columns[:2], "risk", "classifications", *columns[2:])

    def get_list_filter(self, request: HttpRequest) -> Any:
        """What people come for stands first."""
        filters = super().get_list_filter(request)  # type: ignore[misc]
        return (RiskFilter, ClassificationFilter, *filters)

    @admin.display(description=_("risk"), ordering=Coalesce("permission__risk__level", -1))
    def risk(self, account: InstanceAccount) -> Any:
        risk = getattr(getattr(account, "permission", None), "risk", None)
        if risk is None:
            return show.EMPTY
        level = RiskLevel.of_rank(risk.level)
        return show.state(level.value, level.label) if level else show.badge(_("accepted"))

    @admin.display(description=_("classifications"))
    def classifications(self, account: InstanceAccount) -> Any:
        held = [assignment.classification for assignment in _current(account)]
        badges = [classification_badge(one) for one in held[:BADGES_SHOWN]]
        if more := held[BADGES_SHOWN:]:
            badges.append(show.badge(f"+{len(more)}", title=", ".join(map(str, more))))
        return show.joined(badges)

    @button(
        _("Classify by hand"),
        icon="new_label",
        form_class=ByHandForm,
    )
    def classify_by_hand(self, request: HttpRequest, account: Any, form: Any) -> None:
        permission = AccountPermission.objects.filter(account=account).first()
        if permission is None:
            text = _("Its privileges have not been read yet.")
            self.message_user(request, text, messages.ERROR)  # type: ignore[attr-defined]
            return
        classification = form.cleaned_data["classification"]
        AccountClassificationAssignment.objects.assign(
            permission,
            classification,
            request.user,  # type: ignore[arg-type]
            form.cleaned_data["note"],
        )
        text = _("%(account)s is now: %(classification)s.")
        names = {"account": account, "classification": classification}
        self.message_user(request, text % names, messages.SUCCESS)  # type: ignore[attr-defined]
        self.log_change(request, account, f"{classification}")  # type: ignore[attr-defined]

    def page_context(self, request: HttpRequest, account: InstanceAccount) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, account)  # type: ignore[misc]
        permission = context["permission"]
        context["assignments"] = _assignments(permission, account) if permission else []
        context["may_accept"] = self.has_operate_permission(request)  # type: ignore[attr-defined]
        return context


def _current(account: InstanceAccount) -> list[AccountClassificationAssignment]:
    return getattr(getattr(account, "permission", None), "current", [])


def _assignments(permission: AccountPermission, account: InstanceAccount) -> list[dict[str, Any]]:
    """Active ones, the worst first, each with its evidence in words."""
    permission.account = account
    active = permission.assignments.filter(is_active=True).select_related(
        "classification", "rule", "assigned_by", "acceptance__exception"
    )
    rows = [
        {
            "assignment": assignment,
            "risk": risk_badge(assignment.classification),
            "badge": classification_badge(assignment.classification),
            "accepted": accepted_badge(assignment),
            "lines": evidence_lines(assignment, permission),
            "url": change_url(assignment),
            "accept_url": reverse(f"admin:{ACCEPT}", args=(assignment.pk,)),
        }
        for assignment in active
    ]
    return sorted(rows, key=lambda row: RISKS.index(row["assignment"].classification.risk_level))
