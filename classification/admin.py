"""Pages of classifications, rules and assignments, and what accounts are, on their pages."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    CheckboxFilter,
    ChoicesCheckboxFilter,
    RadioFilter,
)
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import facts
from accounts.models import WIDE, AccountPermission, InstanceAccount
from classification import risks
from classification.account_pages import ExplainedAccounts
from classification.classify import NothingToClassify, classify
from classification.dsl.nodes import describe
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
    RiskException,
    RiskLevel,
)
from classification.rule_pages import RulePages, number
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.pages import ReadOnlyAdmin, RoleAdmin, button, change_url, extend
from whalefall.instances.models import Instance

RISKS = list(RiskLevel.values)
SHOWN_TOKENS = 20
RISKIEST = 8


def risk_badge(classification: AccountClassification) -> Any:
    return show.state(classification.risk_level, classification.get_risk_level_display())


def classification_badge(classification: AccountClassification) -> Any:
    """The classification in its colour."""
    return format_html(
        '<span class="wf-badge wf-neutral" title="{}"><i class="wf-dot" style="background:{}"></i>'
        "{}</span>",
        classification.get_risk_level_display(),
        classification.color,
        classification,
    )


@admin.register(AccountClassification)
class AccountClassificationAdmin(RoleAdmin):
    menu = "accounts"
    menu_icon = "label"
    menu_order = 30
    list_display = ("badge", "name", "risk", "priority", "rules_link", "accounts_link", "is_active")
    list_display_links = ("badge", "name")
    list_filter = (("risk_level", ChoicesCheckboxFilter), "is_active", "is_system")
    search_fields = ("name", "display_name", "description")
    readonly_fields = ("is_system",)
    fieldsets = (
        (None, {"fields": (("name", "display_name"), "description")}),
        (None, {"fields": (("risk_level", "priority"), ("color", "icon_name"), "is_active")}),
        (None, {"fields": ("is_system",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountClassification]:
        active = Q(assignments__is_active=True)
        return (
            super()
            .get_queryset(request)
            .annotate(
                number_of_rules=Count("rules", distinct=True),
                number_of_accounts=Count("assignments", filter=active, distinct=True),
            )
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "color":
            kwargs["widget"] = UnfoldAdminColorInputWidget
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

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A classification in use, or a shipped one, stays; the page says why."""
        reasons: list[str] = []
        for classification in objs:
            try:
                classification.check_deletable()
            except ValidationError as exc:
                reasons += exc.messages
        return [str(one) for one in objs], {}, set(), reasons


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
    list_display = ("rule_name", "db_type", "classification_link", "risk", "matches", "is_active")
    list_filter = (
        ("db_type", ChoicesCheckboxFilter),
        ("classification", AutocompleteSelectFilter),
        "is_active",
    )
    list_select_related = ("classification",)
    search_fields = ("rule_name", "description", "pack_id")
    autocomplete_fields = ("classification",)
    readonly_fields = ("reading", "pack_id", "expression")
    fieldsets = (
        (None, {"fields": (("rule_name", "db_type"), "classification", "description")}),
        (_("Expression"), {"fields": ("rule_expression",)}),
        (_("More"), {"fields": ("references", "pack_id", "is_active")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return (
            self.fieldsets[0],
            (_("Expression"), {"fields": ("reading", "expression")}),
            self.fieldsets[2],
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClassificationRule]:
        active = Q(assignments__is_active=True)
        return (
            super()
            .get_queryset(request)
            .annotate(number_of_matches=Count("assignments", filter=active))
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if rows := {"rule_expression": 16, "description": 3, "references": 3}.get(db_field.name):
            style = "" if db_field.name == "description" else "wf-mono"
            attrs = {"rows": rows, "class": style, "spellcheck": "false"}
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs=attrs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

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

    @admin.display(description=_("in words"))
    def reading(self, rule: ClassificationRule) -> str:
        try:
            return describe(rule.parsed().root)
        except ValidationError as exc:
            return " ".join(exc.messages)

    @admin.display(description=_("expression"))
    def expression(self, rule: ClassificationRule) -> Any:
        return format_html('<pre class="wf-json">{}</pre>', indented(rule.rule_expression))


class AcceptForm(BaseDialogForm):
    """Why the risk of the assignment on the page is accepted, by whom, how long."""

    reason = forms.CharField(
        label=_("Why"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    approver = forms.CharField(
        label=_("Approved by"), max_length=150, widget=UnfoldAdminTextInputWidget
    )
    ends_on = forms.DateField(
        label=_("Last day (UTC)"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )

    def clean_ends_on(self) -> Any:
        day = self.cleaned_data["ends_on"]
        if day < risks.today():
            raise ValidationError(_("The last day lies in the past."))
        return day


def accepted_badge(assignment: AccountClassificationAssignment) -> Any:
    """That the risk is accepted, with the grounds on pointing; None when it is not."""
    found = assignment.accepted
    if found is None:
        return None
    text = _("accepted until %(day)s") % {"day": found.ends_on.isoformat()}
    return show.badge(text, "neutral", f"{found.exception.approver}: {found.exception.reason}")


EXCEPTION_STATES = {
    "holding": (_("holding"), "success"),
    "expired": (_("expired"), "warning"),
    "ended": (_("ended"), "neutral"),
}


class ExceptionStateFilter(RadioFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _tone) in EXCEPTION_STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found: Any = queryset
        return found.in_state(self.value()) if self.value() in EXCEPTION_STATES else queryset


@admin.register(RiskException)
class RiskExceptionAdmin(RoleAdmin):
    """Risks that people accept: made here, ended here, never changed."""

    menu = "accounts"
    menu_icon = "verified_user"
    menu_order = 60
    write_right = "operate"
    list_display = ("covers", "instance", "concerns", "state", "ends_on", "approver", "created_by")
    list_select_related = (
        "account",
        "account__instance",
        "instance",
        "classification",
        "rule",
        "created_by",
        "ended_by",
    )
    list_filter = (ExceptionStateFilter, ("classification", AutocompleteSelectFilter))
    search_fields = ("account__username", "username_pattern", "reason", "approver")
    autocomplete_fields = ("account", "instance", "classification", "rule")
    ordering = ("-pk",)
    actions_detail = ("end",)
    fieldsets = (
        (_("Whose"), {"fields": ("account", ("username_pattern", "instance"))}),
        (_("Which risk"), {"fields": (("classification", "rule"),)}),
        (_("Grounds"), {"fields": ("reason", ("approver", "ends_on"))}),
    )
    history = ("state", "created_by", "created_at", "ended_by", "ended_at")
    readonly_fields = history

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            (*self.fieldsets, (_("History"), {"fields": self.history})) if obj else self.fieldsets
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.created_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description=_("account or pattern"))
    def covers(self, exception: RiskException) -> str:
        return str(exception.account or exception.username_pattern)

    @admin.display(description=_("instance"))
    def instance(self, exception: RiskException) -> Any:
        account = exception.account
        return (account.instance if account else exception.instance) or _("every instance")

    @admin.display(description=_("risk"))
    def concerns(self, exception: RiskException) -> Any:
        if exception.classification:
            return classification_badge(exception.classification)
        return exception.rule

    @admin.display(description=_("state"))
    def state(self, exception: RiskException) -> Any:
        label, tone = EXCEPTION_STATES[exception.state]
        return show.badge(label, tone)

    @button(
        _("End"),
        _("The risk counts again at once."),
        icon="verified_user",
        variant=ActionVariant.WARNING,
    )
    def end(self, request: HttpRequest, exception: Any) -> None:
        if exception.end(request.user):
            self.log_change(request, exception, [{"changed": {"fields": ["ended_at"]}}])
            self.message_user(request, _("Ended."), messages.SUCCESS)
        else:
            self.message_user(request, _("It had ended before."), messages.WARNING)


class ManualAssignmentForm(forms.ModelForm):
    """Gives an account a classification by hand."""

    instance_account = forms.ModelChoiceField(
        InstanceAccount.objects.filter(permission__isnull=False),
        label=_("Account"),
        widget=AutocompleteSelect(AccountPermission._meta.get_field("account"), admin.site),
    )
    note = forms.CharField(
        label=_("Why"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = AccountClassificationAssignment
        fields = ("classification",)


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
        return queryset.filter(permission__risk__level__in=ranks)


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


@admin.register(AccountClassificationAssignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """Rules and people give assignments; here they are given by hand, and ended."""

    menu = "accounts"
    menu_icon = "assignment_ind"
    menu_order = 50
    list_display = (
        "account_link",
        "instance",
        "classification_link",
        "risk",
        "given",
        "rule",
        "assigned",
        "state",
    )
    list_display_links = ("assigned",)
    list_select_related = (
        "account__account",
        "account__instance",
        "classification",
        "rule",
        "acceptance__exception",
    )
    list_filter = (
        "is_active",
        ("assignment_type", ChoicesCheckboxFilter),
        ("classification", AutocompleteSelectFilter),
        ("account__instance", AutocompleteSelectFilter),
    )
    search_fields = ("account__account__username", "classification__name")
    ordering = ("-pk",)  # the order in which they were given, by an index
    actions = ("deactivate_selected",)
    actions_detail = ("accept_risk", "deactivate")
    fields = (
        "account_link",
        "instance",
        "classification_link",
        "risk",
        "given",
        "rule",
        "assigned_at",
        "assigned_by",
        "state",
        "deactivated_at",
        "deactivated_by",
        "accepted",
        "because",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountClassificationAssignment]:
        return super().get_queryset(request).defer(*(f"account__{column}" for column in WIDE))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_operate_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("instance_account", "classification", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = ManualAssignmentForm
            kwargs["fields"] = ("classification",)
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = AccountClassificationAssignment.objects.assign(
            form.cleaned_data["instance_account"].permission,
            form.cleaned_data["classification"],
            request.user,  # type: ignore[arg-type]
            form.cleaned_data["note"],
        )
        obj.__dict__.update(made.__dict__)

    @admin.display(description=_("account"), ordering="account__account__username")
    def account_link(self, assignment: AccountClassificationAssignment) -> Any:
        account = assignment.account.account
        return show.link(change_url(account), account)

    @admin.display(description=_("instance"), ordering="account__instance__name")
    def instance(self, assignment: AccountClassificationAssignment) -> Any:
        return assignment.account.instance

    @admin.display(description=_("classification"), ordering="classification__name")
    def classification_link(self, assignment: AccountClassificationAssignment) -> Any:
        return classification_badge(assignment.classification)

    @admin.display(description=_("risk"), ordering="classification__risk_level")
    def risk(self, assignment: AccountClassificationAssignment) -> Any:
        return risk_badge(assignment.classification)

    @admin.display(description=_("given"), ordering="assignment_type")
    def given(self, assignment: AccountClassificationAssignment) -> Any:
        return assignment.get_assignment_type_display()

    @admin.display(description=_("given at"), ordering="assigned_at")
    def assigned(self, assignment: AccountClassificationAssignment) -> Any:
        return show.ago(assignment.assigned_at)

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, assignment: AccountClassificationAssignment) -> Any:
        if not assignment.is_active:
            return show.badge(_("ended"), "neutral")
        return accepted_badge(assignment) or show.badge(_("active"), "success")

    @admin.display(description=_("risk accepted"))
    def accepted(self, assignment: AccountClassificationAssignment) -> Any:
        found = assignment.accepted
        return show.link(change_url(found.exception), found.exception) if found else show.EMPTY

    @admin.display(description=_("evidence"))
    def because(self, assignment: AccountClassificationAssignment) -> Any:
        lines = evidence_lines(assignment, assignment.account)
        return show.lines(lines) or show.pretty_json(assignment.evidence)

    @button(
        _("Accept the risk"),
        _("It stays visible, and counts for nothing until the end of the last day."),
        icon="verified_user",
        form_class=AcceptForm,
    )
    def accept_risk(self, request: HttpRequest, assignment: Any, form: Any) -> None:
        if not assignment.is_active:
            self.message_user(request, _("It had ended before."), messages.WARNING)
            return
        accepted = RiskException.objects.create(
            account=assignment.account.account,
            classification=assignment.classification,
            created_by=request.user,  # type: ignore[misc]
            **{name: form.cleaned_data[name] for name in ("reason", "approver", "ends_on")},
        )
        self.log_addition(request, accepted, [{"added": {}}])
        self.message_user(request, _("Accepted."), messages.SUCCESS)

    @admin.action(description=_("End"), permissions=["operate"])
    def deactivate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        ended = [self._deactivate(request, assignment) for assignment in queryset]
        text = ngettext("%(n)d assignment ended.", "%(n)d assignments ended.", sum(ended))
        self.message_user(request, text % {"n": sum(ended)})

    @button(
        _("End"),
        _(
            "The account loses this classification. One that a rule gave stays off until the rule "
            "or the account changes."
        ),
        icon="label_off",
        variant=ActionVariant.WARNING,
    )
    def deactivate(self, request: HttpRequest, assignment: Any) -> None:
        if self._deactivate(request, assignment):
            self.message_user(request, _("Ended."), messages.SUCCESS)
        else:
            self.message_user(request, _("It had ended before."), messages.WARNING)

    def _deactivate(self, request: HttpRequest, assignment: Any) -> bool:
        ended: bool = assignment.deactivate(request.user)
        if ended:
            self.log_change(request, assignment, [{"changed": {"fields": ["is_active"]}}])
        return ended


def evidence_lines(
    assignment: AccountClassificationAssignment, permission: AccountPermission
) -> list[str]:
    """The grounds in plain words: `alice -> team_rw -> dba_role: CREATE USER`, or the note."""
    if note := assignment.evidence.get("note"):
        return [note]
    rules = assignment.evidence.get("rules", ())
    found = list(dict.fromkeys(token for rule in rules for token in rule.get("tokens", ())))
    username = permission.account.username
    known = permission.permission_facts
    return [facts.explain(username, known, token) for token in found[:SHOWN_TOKENS]]


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
        return show.joined([classification_badge(one) for one in held[:4]])

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
        }
        for assignment in active
    ]
    return sorted(rows, key=lambda row: RISKS.index(row["assignment"].classification.risk_level))


@extend(Instance)
class ClassifiedInstances:
    """The button that applies the rules to instances."""

    actions = ("classify",)
    actions_detail = ("classify_now",)

    @admin.action(description=_("Classify accounts"), permissions=["operate"])
    def classify(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._classify(request, list(queryset))

    @button(_("Classify accounts"), _("Apply the active rules to its accounts?"), icon="label")
    def classify_now(self, request: HttpRequest, instance: Instance) -> None:
        self._classify(request, [instance])

    def _classify(self, request: HttpRequest, instances: list[Instance]) -> None:
        say: Any = self.message_user  # type: ignore[attr-defined]
        added = removed = 0
        for instance in instances:
            try:
                outcome = classify(instance_id=instance.pk)
            except NothingToClassify as exc:
                say(request, f"{instance}: {exc}", messages.WARNING)
                continue
            added, removed = added + outcome.added, removed + outcome.removed
            for rule in outcome.failed:
                say(request, f"{instance}: {rule.name}: {rule.error}", messages.ERROR)
        given = ngettext("%(n)d classification given", "%(n)d classifications given", added)
        ended = ngettext("%(n)d ended", "%(n)d ended", removed)
        say(request, f"{given % {'n': added}}, {ended % {'n': removed}}.", messages.SUCCESS)


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
