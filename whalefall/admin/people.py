"""Pages of people, their roles and their lockouts."""

from __future__ import annotations

from collections.abc import Sequence
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
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from whalefall import people
from whalefall.auth import ADMINISTRATOR, OPERATOR, ROLES, VIEWER
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.confirm import ConfirmedPages
from whalefall.console.pages import ReadOnlyAdmin, RoleAdmin
from whalefall.models import ApiToken, SavedView, User

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
class UserAdmin(ConfirmedPages, DjangoUserAdmin, RoleAdmin):  # type: ignore[misc]
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
    readonly_fields = ("password_link", "signs_in_with", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password_link", "signs_in_with")}),
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

    @admin.display(description=_("signs in with"))
    def signs_in_with(self, user: User) -> Any:
        """What opens the door, each with since when."""
        ways = [
            _("%(way)s, since %(day)s, as %(subject)s")
            % {
                "way": identity.get_source_display(),
                "day": f"{identity.created_at:%F}",
                "subject": identity.subject,
            }
            for identity in user.identities.order_by("id")
        ]
        if user.has_usable_password():
            ways.insert(0, str(_("a password of WhaleFall's own")))
        return show.lines(ways) if ways else _("nothing yet: the first sign-in with this name")

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

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        tokens = ApiToken.objects.filter(user__in=objs).count()
        views = SavedView.objects.filter(owner__in=objs).count()
        of_api = ngettext(
            "%(n)d API token: programs that use it are refused.",
            "%(n)d API tokens: programs that use them are refused.",
            tokens,
        )
        kept = ngettext("%(n)d saved view.", "%(n)d saved views.", views)
        return Consequences(
            happens=(of_api % {"n": tokens}, kept % {"n": views}),
            stays=(_("What the person did: the audit log keeps it, by name."),),
            back=_("Switch the person off instead (“active”): no login then, and all of it stays."),
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "role" in form.cleaned_data:
            people.give_role(form.instance, form.cleaned_data["role"])

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # one at a time, and never the last administrator
        return actions


@admin.register(AccessAttempt)
class LockoutAdmin(RoleAdmin):
    """Wrong passwords of late; deleting a row lets the person try again at once."""

    empty_hint = _("Nobody is locked out: after too many wrong passwords a name waits here.")
    menu = "people"
    menu_icon = "lock_clock"
    menu_order = 25
    menu_title = _("Lockouts")
    view_right = "manage"
    list_display = ("username", "ip_address", "failures_since_start", "state", "time")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "state", "time")
    readonly_fields = ("state", "time")

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        return Consequences(
            happens=(_("The count of wrong passwords: who was locked may try again at once."),),
            stays=(_("The audit log, which names each wrong password."),),
            back=_("It is counted anew with the next wrong password."),
            is_loss=False,
        )

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
