"""Pages of people, their roles and the logs. The site and the bases of all pages are in
`whalefall.console`.
"""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from whalefall import people
from whalefall.auth import ADMINISTRATOR, OPERATOR, ROLES, VIEWER
from whalefall.console import show
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, RoleAdmin, button
from whalefall.models import ApiToken, AuditEntry, LogEntry, User

ROLE_CHOICES = [
    ("", _("none: may not enter")),
    (VIEWER, _("viewer: sees everything but people and logs")),
    (OPERATOR, _("operator: also synchronises, classifies, tags")),
    (ADMINISTRATOR, _("administrator: everything")),
]
ROLE_TONES = {VIEWER: "neutral", OPERATOR: "info", ADMINISTRATOR: "warning"}


class PersonForm(UserChangeForm):
    """A person; the role stands for the groups of that name."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=ROLE_CHOICES,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields and self.instance.pk:
            names = set(self.instance.groups.values_list("name", flat=True))
            held = next((role for role in reversed(ROLES) if role in names), "")
            self.fields["role"].initial = held

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk and not _stays_administrator(cleaned):
            _refuse_last_administrator([self.instance])
        return cleaned


class PersonCreationForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)


def _stays_administrator(cleaned: dict[str, Any]) -> bool:
    has_role = cleaned.get("is_superuser") or cleaned.get("role") == ADMINISTRATOR
    return bool(cleaned.get("is_active") and has_role)


def _refuse_last_administrator(leaving: Any) -> None:
    if not people.somebody_stays(leaving):
        raise forms.ValidationError(_("Nobody would be an administrator any more."))


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RoleAdmin):  # type: ignore[misc]
    menu = "people"
    menu_icon = "group"
    menu_order = 10
    menu_title = _("People")
    view_right = "manage"
    form = PersonForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = (("groups", admin.RelatedOnlyFieldListFilter), "is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    readonly_fields = ("password_link", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password_link")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("role", "is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> Any:
        """Django shows parts of the hash here; who administers needs none of them."""
        return show.link("../password/", _("Set another password"))

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or show.EMPTY

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        held = people.held_role(user)
        return show.badge(held, ROLE_TONES[held]) if held else show.EMPTY

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (obj == request.user or not people.somebody_stays([obj])):
            return False
        return super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "role" in form.cleaned_data:
            people.give_role(form.instance, form.cleaned_data["role"])

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # one at a time, and never the last administrator
        return actions


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens of everybody. They are made through the API, by whom they stand for."""

    menu = "people"
    menu_icon = "token"
    menu_order = 22
    view_right = "manage"
    list_display = ("name", "user", "begins", "scope", "state", "used", "expires")
    list_filter = (("scope", ChoicesDropdownFilter), ("expires_at", TimeRangeFilter))
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)
    fields = (
        *("name", "user", "begins", "scope", "state"),
        *("created_at", "expires_at", "last_used_at", "revoked_at"),
    )
    readonly_fields = fields

    @admin.display(description=_("begins with"), ordering="prefix")
    def begins(self, token: ApiToken) -> str:
        return f"wf_{token.prefix}…"

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> Any:
        if token.is_live:
            return show.badge(_("valid"), "success")
        return show.badge(_("revoked") if token.revoked_at else _("expired"), "neutral")

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, token: ApiToken) -> Any:
        return show.ago(token.last_used_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        return f"{token.expires_at:%F}"

    @admin.action(description=_("Revoke"), permissions=["manage"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self._revoke(request, list(queryset))

    @button(_("Revoke"), _("Programs that use it are refused from now on."), right="manage")
    def revoke(self, request: HttpRequest, token: ApiToken) -> None:
        self._revoke(request, [token])

    def _revoke(self, request: HttpRequest, tokens: list[ApiToken]) -> None:
        revoked = [token for token in tokens if token.revoke()]
        for token in revoked:
            self.log_change(request, token, str(_("revoked")))
        text = ngettext("%(n)d token revoked.", "%(n)d tokens revoked.", len(revoked))
        self.message_user(request, text % {"n": len(revoked)})


@admin.register(AccessAttempt)
class LockoutAdmin(RoleAdmin):
    """Wrong passwords of late; deleting a row lets the person try again at once."""

    menu = "people"
    menu_icon = "lock_clock"
    menu_order = 25
    menu_title = _("Lockouts")
    view_right = "manage"
    list_display = ("username", "ip_address", "failures_since_start", "state", "time")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "state", "time")
    readonly_fields = ("state", "time")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("state"))
    def state(self, attempt: AccessAttempt) -> Any:
        until = attempt.attempt_time + settings.AXES_COOLOFF_TIME
        many = attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT
        if many and until > timezone.now():
            return show.badge(_("locked"), "danger")
        return show.badge(_("free"), "neutral")

    @admin.display(description=_("last try"), ordering="attempt_time")
    def time(self, attempt: AccessAttempt) -> Any:
        return show.ago(attempt.attempt_time)


admin.site.unregister(Group)


@admin.register(Group)
class RoleGroupAdmin(ReadOnlyAdmin):
    """Roles are fixed; this page tells how many people hold each."""

    menu = "people"
    menu_icon = "badge"
    menu_order = 20
    menu_title = _("Roles")
    view_right = "manage"
    list_display = ("name", "meaning", "people")
    search_fields = ("name",)
    fields = ("name", "meaning", "people")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(people_count=Count("user"))

    @admin.display(description=_("meaning"))
    def meaning(self, group: Group) -> Any:
        return dict(ROLE_CHOICES).get(group.name, _("gives no right here"))

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, group: Any) -> int:
        number: int = group.people_count
        return number


LEVELS = [(level, level) for level in ("debug", "info", "warning", "error", "critical")]
LEVEL_TONES = {"warning": "warning", "error": "danger", "critical": "strong-danger"}


class LevelFilter(admin.SimpleListFilter):
    title = _("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return LEVELS

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(level__iexact=self.value()) if self.value() else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    menu = "people"
    menu_icon = "receipt_long"
    menu_order = 40
    menu_title = _("Logs")
    view_right = "manage"
    list_display = ("time", "level_badge", "module", "short_message")
    list_display_links = ("time", "short_message")
    list_filter = (
        LevelFilter,
        ("module", FieldTextFilter),
        ("timestamp", TimeRangeFilter),
    )
    search_fields = ("message", "module")
    search_help_text = _("Searches messages and modules.")
    fieldsets = (
        (None, {"fields": ("timestamp", "level_badge", "module", "message")}),
        (_("Context"), {"fields": ("context_json", "traceback_text")}),
    )
    readonly_fields = ("timestamp", "level_badge", "module", "context_json", "traceback_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return super().get_queryset(request).defer("traceback")

    @admin.display(description=_("time"), ordering="timestamp")
    def time(self, entry: LogEntry) -> Any:
        return show.ago(entry.timestamp)

    @admin.display(description=_("level"), ordering="level")
    def level_badge(self, entry: LogEntry) -> Any:
        return show.badge(entry.level, LEVEL_TONES.get(entry.level.lower(), "neutral"))

    @admin.display(description=_("message"))
    def short_message(self, entry: LogEntry) -> str:
        return entry.message if len(entry.message) <= 160 else entry.message[:159] + "…"

    @admin.display(description=_("context"))
    def context_json(self, entry: LogEntry) -> Any:
        return show.pretty_json(entry.context)

    @admin.display(description=_("traceback"))
    def traceback_text(self, entry: LogEntry) -> Any:
        if not entry.traceback:
            return show.EMPTY
        return format_html('<pre class="wf-json">{}</pre>', entry.traceback)


RESULT_TONES = {"done": "success", "refused": "warning", "failed": "danger"}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What people did, in the console and through the API."""

    menu = "people"
    menu_icon = "history"
    menu_order = 30
    menu_title = _("Audit log")
    view_right = "manage"
    list_display = ("when", "username", "via", "action", "object_type", "what", "result_badge")
    list_filter = (
        ("result", ChoicesDropdownFilter),
        ("via", ChoicesDropdownFilter),
        ("object_type", FieldTextFilter),
        ("time", TimeRangeFilter),
    )
    search_fields = ("username", "object_name", "action", "=request_id")
    search_help_text = _("Searches people, objects, actions and request ids.")
    fields = (
        *("time", "username", "token", "address", "via", "action"),
        *("object_type", "object_id", "object_name", "details_json"),
        *("result_badge", "status", "request_id"),
    )
    readonly_fields = ("details_json", "result_badge")

    @admin.display(description=_("time"), ordering="time")
    def when(self, entry: AuditEntry) -> Any:
        return show.ago(entry.time)

    @admin.display(description=_("object"), ordering="object_name")
    def what(self, entry: AuditEntry) -> str:
        return entry.object_name or entry.object_id or show.EMPTY

    @admin.display(description=_("result"), ordering="result")
    def result_badge(self, entry: AuditEntry) -> Any:
        return show.badge(entry.get_result_display(), RESULT_TONES[entry.result])

    @admin.display(description=_("details"))
    def details_json(self, entry: AuditEntry) -> Any:
        return show.pretty_json(entry.details)
