"""The page of rules; what it does beside saving them is in `classification.rule_pages`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from classification import trend
from classification.admin.badges import classification_badge, risk_badge
from classification.admin.classifications import undeletable
from classification.dsl.nodes import describe
from classification.models import (
    AccountClassificationAssignment,
    ClassificationRule,
    RuleRevision,
)
from classification.rule_pages import RulePages
from classification.statistics import given
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.cards import list_url
from whalefall.console.pages import RoleAdmin


class RuleForm(forms.ModelForm):
    """The expression is shown indented; it is stored canonical."""

    class Meta:
        model = ClassificationRule
        fields = (
            "rule_name",
            "classification",
            "db_type",
            "description",
            "rule_expression",
            "references",
            "is_active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "rule_expression" in self.fields:
            self.initial["rule_expression"] = indented(self.instance.rule_expression)
        if "description" in self.fields and self.instance.explanation != self.instance.description:
            # What is stored stays English; who reads another language finds it below.
            self.fields["description"].help_text = self.instance.explanation


def indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


@admin.register(ClassificationRule)
class ClassificationRuleAdmin(RulePages, RoleAdmin):
    menu = "accounts"
    menu_icon = "rule"
    menu_order = 40
    form = RuleForm
    list_display = ("title", "db_type", "classification_link", "risk", "matches", "is_active")
    list_filter = (
        ("db_type", ChoicesCheckboxFilter),
        ("classification", AutocompleteSelectFilter),
        "is_active",
    )
    list_select_related = ("classification",)
    search_fields = ("rule_name", "description", "pack_id")
    autocomplete_fields = ("classification",)
    readonly_fields = ("reading", "pack_id", "expression", "counted")
    fieldsets = (
        (None, {"fields": (("rule_name", "db_type"), "classification", "description")}),
        (_("Expression"), {"fields": ("rule_expression",)}),
        (_("More"), {"fields": ("references", "pack_id", "is_active")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        expression: Any
        named, expression, more = self.fieldsets
        if not self.has_change_permission(request, obj):
            expression = (_("Expression"), {"fields": ("reading", "expression")})
        counted = [(_("Accounts"), {"fields": ("counted",)})] if obj else []
        return (named, expression, *counted, more)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClassificationRule]:
        found = super().get_queryset(request)
        return found.annotate(number_of_matches=given("rule", with_bin=True))

    def refusals(self, objs: Sequence[Any]) -> list[str]:
        """A shipped rule would come back with the next load."""
        return undeletable(objs)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        active = AccountClassificationAssignment.objects.filter(rule__in=objs, is_active=True)
        changes = RuleRevision.objects.filter(rule__in=objs).count()
        number = active.count()
        lost = ngettext(
            "%(n)d account loses what it gave with the next run, unless another rule gives it.",
            "%(n)d accounts lose what it gave with the next run, unless another rule gives it.",
            number,
        )
        history = ngettext("%(n)d change in its history.", "%(n)d changes in its history.", changes)
        return Consequences(
            happens=(lost % {"n": number}, history % {"n": changes}),
            stays=(_("Its classification, and what was given by hand."),),
            back=_("Switch it off instead: it gives nothing then, and can be switched on again."),
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if rows := {"rule_expression": 16, "description": 3, "references": 3}.get(db_field.name):
            style = "" if db_field.name == "description" else "wf-mono"
            attrs = {"rows": rows, "class": style, "spellcheck": "false"}
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs=attrs)
        if db_field.name == "rule_expression":
            kwargs["help_text"] = _("Click it together, or write it as JSON beside it.")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("name"), ordering="rule_name")
    def title(self, rule: ClassificationRule) -> str:
        return str(rule)

    @admin.display(description=_("classification"), ordering="classification__name")
    def classification_link(self, rule: ClassificationRule) -> Any:
        return classification_badge(rule.classification)

    @admin.display(description=_("risk"), ordering="classification__risk_level")
    def risk(self, rule: ClassificationRule) -> Any:
        return risk_badge(rule.classification)

    @admin.display(description=_("accounts"), ordering="number_of_matches")
    def matches(self, rule: Any) -> Any:
        key = {"rule__id__exact": rule.pk, "is_active__exact": 1}
        url = list_url("classification_accountclassificationassignment", **key)
        return show.link(url, rule.number_of_matches)

    @admin.display(description=_("day by day"))
    def counted(self, rule: ClassificationRule) -> Any:
        return trend.of_rule(rule)

    @admin.display(description=_("in words"))
    def reading(self, rule: ClassificationRule) -> str:
        try:
            return describe(rule.parsed().root)
        except ValidationError as exc:
            return " ".join(exc.messages)

    @admin.display(description=_("expression"))
    def expression(self, rule: ClassificationRule) -> Any:
        return format_html('<pre class="wf-json">{}</pre>', indented(rule.rule_expression))
