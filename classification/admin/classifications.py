"""The page of classifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from classification import trend
from classification.admin.badges import classification_badge, risk_badge
from classification.colors import LABELS
from classification.models import AccountClassification, AccountClassificationAssignment
from classification.statistics import given
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.cards import list_url
from whalefall.console.pages import RoleAdmin


@admin.register(AccountClassification)
class AccountClassificationAdmin(RoleAdmin):
    menu = "accounts"
    menu_icon = "label"
    menu_order = 30
    list_display = ("badge", "name", "risk", "priority", "rules_link", "accounts_link", "is_active")
    list_display_links = ("badge", "name")
    list_filter = (("risk_level", ChoicesCheckboxFilter), "is_active", "is_system")
    search_fields = ("name", "display_name", "description")
    readonly_fields = ("is_system", "counted")
    list_before_template = "classification/risk_history.html"
    fieldsets = (
        (None, {"fields": (("name", "display_name"), "description")}),
        (None, {"fields": (("risk_level", "priority"), ("color", "icon_name"), "is_active")}),
        (None, {"fields": ("is_system",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountClassification]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                number_of_rules=Count("rules"),
                number_of_accounts=given("classification", with_bin=True),
            )
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"risk_history": trend.of_risks()} | (extra_context or {})
        return super().changelist_view(request, context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        counted = (_("Accounts"), {"fields": ("counted",)})
        return (*self.fieldsets, counted) if obj else self.fieldsets

    @admin.display(description=_("day by day"))
    def counted(self, classification: AccountClassification) -> Any:
        return trend.of_classification(classification)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "color":
            return forms.ChoiceField(
                choices=LABELS.items(), widget=UnfoldAdminSelectWidget, label=_("Colour")
            )
        if db_field.name == "description":
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("classification"), ordering="display_name")
    def badge(self, classification: AccountClassification) -> Any:
        return classification_badge(classification)

    @admin.display(description=_("risk"), ordering="risk_level")
    def risk(self, classification: AccountClassification) -> Any:
        return risk_badge(classification)

    @admin.display(description=_("rules"), ordering="number_of_rules")
    def rules_link(self, classification: Any) -> Any:
        key = {"classification__id__exact": classification.pk}
        url = list_url("classification_classificationrule", **key)
        return show.link(url, classification.number_of_rules)

    @admin.display(description=_("accounts"), ordering="number_of_accounts")
    def accounts_link(self, classification: Any) -> Any:
        key = {"classification__id__exact": classification.pk, "is_active__exact": 1}
        url = list_url("classification_accountclassificationassignment", **key)
        return show.link(url, classification.number_of_accounts)

    def refusals(self, objs: Sequence[Any]) -> list[str]:
        """A classification in use, or a shipped one, stays."""
        return undeletable(objs)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        ended = AccountClassificationAssignment.objects.filter(classification__in=objs).count()
        text = ngettext(
            "%(n)d ended assignment, which is its history.",
            "%(n)d ended assignments, which are its history.",
            ended,
        )
        return Consequences(
            happens=(text % {"n": ended},),
            stays=(_("The accounts and their privileges; no account has it now."),),
            back=_("Switch it off instead: its history stays, and it can be switched on again."),
        )


def undeletable(objs: Sequence[Any]) -> list[str]:
    """Why classifications or rules among these cannot be deleted."""
    reasons: list[str] = []
    for each in objs:
        try:
            each.check_deletable()
        except ValidationError as exc:
            reasons += exc.messages
    return reasons
