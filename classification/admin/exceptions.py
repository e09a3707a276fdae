"""The page of accepted risks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import WIDE
from classification import risks
from classification.admin.badges import classification_badge
from classification.models import AccountClassificationAssignment, RiskException
from whalefall.console import show
from whalefall.console.pages import RoleAdmin, button, change_url


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


MOST = 30  # accounts shown on the page of an exception

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

    empty_hint = _(
        "Some risks are meant to be: on the page of an account, Accept the risk says why "
        "and until when."
    )
    menu = "accounts"
    menu_icon = "verified_user"
    menu_order = 60
    write_right = "operate"
    list_display = (
        "covers",
        "where",
        "concerns",
        "number_covered",
        "state",
        "last_day",
        "approver",
        "created_by",
    )
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
    history = ("state", ("created_by", "created_at"), ("ended_by", "ended_at"))
    readonly_fields = ("state", "created_by", "created_at", "ended_by", "ended_at", "covered")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fieldsets
        covered = (_("Accounts whose risk it covers now"), {"fields": ("covered",)})
        return (*self.fieldsets, covered, (_("History"), {"fields": self.history}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskException]:
        holding = Q(acceptances__ends_on__gte=risks.today())
        found = super().get_queryset(request)
        return found.annotate(covering=Count("acceptances", filter=holding))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "reason":
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

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
    def where(self, exception: RiskException) -> Any:
        account = exception.account
        return (account.instance if account else exception.instance) or _("every instance")

    @admin.display(description=_("risk"))
    def concerns(self, exception: RiskException) -> Any:
        if exception.classification:
            return classification_badge(exception.classification)
        return exception.rule

    @admin.display(description=_("accounts"), ordering="covering")
    def number_covered(self, exception: Any) -> int:
        number: int = exception.covering
        return number

    @admin.display(description=_("accounts"))
    def covered(self, exception: RiskException) -> Any:
        """Up to MOST of them, with their classification."""
        given = AccountClassificationAssignment.objects.accepted().filter(
            is_active=True, acceptance__exception=exception
        )
        wide = (f"account__{column}" for column in WIDE)
        rows = given.select_related("account__account", "account__instance", "classification")
        some = rows.defer("evidence", *wide).order_by("account__account__username", "pk")[:MOST]
        texts: list[str] = [
            format_html(
                "{} · {} {}",
                show.link(change_url(each.account.account), each.account.account),
                each.account.instance,
                classification_badge(each.classification),
            )
            for each in some
        ]
        if (rest := given.count() - len(texts)) > 0:
            texts.append(ngettext("and %(n)d more", "and %(n)d more", rest) % {"n": rest})
        return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts)) or show.EMPTY

    @admin.display(description=_("last day"), ordering="ends_on")
    def last_day(self, exception: RiskException) -> Any:
        """With the days that are left."""
        left = (exception.ends_on - risks.today()).days
        if exception.state != "holding":
            return exception.ends_on.isoformat()
        days = ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left}
        text = days if left else _("ends today")
        quiet = format_html('<span class="wf-quiet">{}</span>', text)
        return format_html("{} {}", exception.ends_on.isoformat(), quiet)

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
