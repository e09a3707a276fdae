"""The page of assignments: given by hand, ended, their risk accepted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.search import SearchedByAccount
from accounts.models import WIDE, AccountPermission, InstanceAccount
from classification.admin.badges import (
    accepted_badge,
    classification_badge,
    evidence_lines,
    risk_badge,
)
from classification.admin.exceptions import AcceptForm
from classification.models import AccountClassificationAssignment, RiskException
from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.pages import ReadOnlyAdmin, button, change_url


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


@admin.register(AccountClassificationAssignment)
class AssignmentAdmin(SearchedByAccount, ReadOnlyAdmin):
    """Rules and people give assignments; here they are given by hand, and ended."""

    empty_hint = _("Rules give classifications after each sync; a person can give them by hand.")
    menu = "accounts"
    menu_icon = "assignment_ind"
    menu_order = 50
    list_display = (
        "account_link",
        "instance",
        "classification_link",
        "risk",
        "given_by",
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
    account_path = "account__account__"
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
        "by_rule",
        "assigned_at",
        "by_whom",
        "state",
        "deactivated_at",
        "ended_by",
        "accepted",
        "because",
    )
    readonly_fields = fields

    def row_title(self, row: AccountClassificationAssignment) -> str:
        return f"{row.account.account.username}: {row.classification}"

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

    @admin.display(description=_("given"), ordering="rule__rule_name")
    def given_by(self, assignment: AccountClassificationAssignment) -> Any:
        """The rule; by hand where there is none."""
        return assignment.rule or assignment.get_assignment_type_display()

    @admin.display(description=_("rule"))
    def by_rule(self, assignment: AccountClassificationAssignment) -> Any:
        rule = assignment.rule
        return show.link(change_url(rule), rule) if rule else show.EMPTY

    @admin.display(description=_("given by"))
    def by_whom(self, assignment: AccountClassificationAssignment) -> Any:
        return assignment.assigned_by or show.EMPTY

    @admin.display(description=_("ended by"))
    def ended_by(self, assignment: AccountClassificationAssignment) -> Any:
        return assignment.deactivated_by or show.EMPTY

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
    def accept_risk(self, request: HttpRequest, assignment: Any, form: Any) -> str | None:
        account = assignment.account.account
        back = change_url(account) if request.GET.get("from") == "account" else None
        if not assignment.is_active:
            self.message_user(request, _("It had ended before."), messages.WARNING)
            return back
        accepted = RiskException.objects.create(
            account=account,
            classification=assignment.classification,
            created_by=request.user,  # type: ignore[misc]
            **{name: form.cleaned_data[name] for name in ("reason", "approver", "ends_on")},
        )
        self.log_addition(request, accepted, [{"added": {}}])
        self.message_user(request, _("Accepted."), messages.SUCCESS)
        return back

    def _ended(self, request: HttpRequest, queryset: QuerySet[Any]) -> Consequences | None:
        active = queryset.filter(is_active=True)
        number = active.count()
        text = ngettext("End %(n)d assignment?", "End %(n)d assignments?", number)
        by_rule = active.exclude(rule=None).count()
        off = ngettext(
            "%(n)d that a rule gave stays off until the rule or the account changes.",
            "%(n)d that rules gave stay off until the rule or the account changes.",
            by_rule,
        )
        found = Consequences(
            question=text % {"n": number},
            verb=_("End"),
            happens=(_("The accounts lose these classifications."), off % {"n": by_rule}),
            stays=(_("What was given and ended when, in the history of the accounts."),),
            back=_("“Classify by hand” on the page of an account."),
        )
        return found if number else None

    @admin.action(description=_("End"), permissions=["operate"])
    @asks(_ended)
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
