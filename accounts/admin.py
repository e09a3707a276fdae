"""Pages of accounts and their changes, and the accounts on the page of an instance."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
    RadioFilter,
    TextFilter,
)

from accounts import account_page, tokens
from accounts.access import Access, UnknownQuestion
from accounts.models import WIDE, AccountChangeLog, AccountPermission, InstanceAccount
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, change_url, extend
from whalefall.engines.observed import Scope
from whalefall.instances.models import Instance

CHANGES_SHOWN = 50


class PresenceFilter(RadioFilter):
    """Without a choice: present accounts of instances that are not deleted, those that come with
    the product left out.
    """

    title = _("presence")
    parameter_name = "presence"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("present", _("Present")),
            ("product", _("Present, with the product's own")),
            ("gone", _("Gone")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "present"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: Any = queryset
        if self.value() == "gone":
            return rows.filter(is_active=False)
        if self.value() == "all":
            return rows
        return rows.present() if self.value() == "product" else rows.present().shown()


class PermissionFlagFilter(RadioFilter):
    """Yes or no in a typed column of the permission."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(**{f"permission__{self.column}": self.value() == "1"})


class SuperuserFilter(PermissionFlagFilter):
    title, parameter_name, column = _("superuser"), "superuser", "is_superuser"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "1":
            return super().queryset(request, queryset)
        # The token index knows; the column would be looked up in every row.
        superuser = [tokens.capability("SUPERUSER")]
        return queryset.filter(permission__fact_tokens__contains=superuser)


class LockedFilter(PermissionFlagFilter):
    title, parameter_name, column = _("locked"), "locked", "is_locked"


class LoginFilter(PermissionFlagFilter):
    title, parameter_name, column = _("can log in"), "login", "can_login"


class PrivilegeFilter(TextFilter):
    """`UPDATE` anywhere, or `UPDATE ON sales.orders` with whatever gives it (ownership, wider
    rights, power).
    """

    title = _("privilege (UPDATE, or UPDATE ON sales.orders)")
    parameter_name = "privilege"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        privilege, place = _question(self.value() or "")
        if not privilege:
            return queryset
        if not place:
            wanted = [tokens.privilege(scope, privilege) for scope in Scope]
            return queryset.filter(permission__fact_tokens__overlap=wanted)
        try:
            found = Access(privilege, place).accounts()
        except UnknownQuestion as exc:
            messages.error(request, str(exc))
            return queryset.none()
        return queryset.filter(permission__in=found.order_by().values("pk"))


def _question(words: str) -> tuple[str, str]:
    """(privilege, object) of `update on sales.orders`."""
    parts = re.split(r"\s+on\s+", words.strip(), maxsplit=1, flags=re.IGNORECASE)
    return " ".join(parts[0].upper().split()), parts[1] if len(parts) > 1 else ""


@admin.register(InstanceAccount)
class InstanceAccountAdmin(ReadOnlyAdmin):
    """`page_top` names templates that higher apps put on top of the page of an account."""

    menu = "accounts"
    menu_icon = "person_search"
    menu_order = 10
    change_form_template = "accounts/account.html"
    page_top: tuple[str, ...] = ()
    list_display = (
        "username",
        "instance_link",
        "engine",
        "kind_label",
        "marks",
        "last_login",
        "last_change",
    )
    list_filter = (
        PrivilegeFilter,
        ("instance", AutocompleteSelectFilter),
        PresenceFilter,
        ("db_type", ChoicesCheckboxFilter),
        ("kind", ChoicesCheckboxFilter),
        SuperuserFilter,
        LockedFilter,
        LoginFilter,
    )
    search_fields = ("username",)
    search_help_text = _("Searches account names.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstanceAccount]:
        heavy = [f"permission__{column}" for column in WIDE]
        related = super().get_queryset(request).select_related("instance", "permission")
        return related.defer(*heavy)

    @admin.display(description=_("instance"), ordering="instance__name")
    def instance_link(self, account: InstanceAccount) -> Any:
        return show.link(change_url(account.instance), account.instance)

    @admin.display(description=_("engine"), ordering="db_type")
    def engine(self, account: InstanceAccount) -> Any:
        return account.get_db_type_display()

    @admin.display(description=_("kind"), ordering="kind")
    def kind_label(self, account: InstanceAccount) -> Any:
        return account.get_kind_display()

    @admin.display(description=_("state"))
    def marks(self, account: InstanceAccount) -> Any:
        return marks(account)

    @admin.display(description=_("last login"), ordering="permission__last_login_at")
    def last_login(self, account: InstanceAccount) -> Any:
        permission = permission_of(account)
        return show.ago(permission.last_login_at) if permission else show.EMPTY

    @admin.display(description=_("last change"), ordering="permission__last_change_time")
    def last_change(self, account: InstanceAccount) -> Any:
        permission = permission_of(account)
        return show.ago(permission.last_change_time) if permission else show.EMPTY

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()  # the template shows the account

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        account = kwargs.get("obj")
        if account is not None:
            context.update(self.page_context(request, account))
        return super().render_change_form(request, context, *args, **kwargs)

    def page_context(self, request: HttpRequest, account: InstanceAccount) -> dict[str, Any]:
        """What the template of the page is given; higher apps add to it."""
        permission = AccountPermission.objects.filter(account=account).first()
        facts = permission.permission_facts if permission else {}
        snapshot = permission.permission_snapshot if permission else {}
        changes = account.changes.order_by("-change_time", "-id")[: CHANGES_SHOWN + 1]
        return {
            "subtitle": f"{account.username} · {account.instance}",
            "account": account,
            "permission": permission,
            "marks": "" if (found := marks(account, permission)) == show.EMPTY else found,
            "page_top": self.page_top,
            "abilities": account_page.abilities(facts),
            "roles": account_page.roles(facts),
            "scopes": account_page.scopes(facts),
            "unread": account_page.unread(snapshot),
            "changes": list(changes)[:CHANGES_SHOWN],
            "all_changes_url": list_url("accounts_accountchangelog", account__id__exact=account.pk)
            if len(changes) > CHANGES_SHOWN
            else "",
            "raw_snapshot": show.pretty_json(snapshot),
            "raw_facts": show.pretty_json(facts),
        }


def permission_of(account: InstanceAccount) -> AccountPermission | None:
    """None before the first complete read."""
    return getattr(account, "permission", None)


def marks(account: InstanceAccount, permission: AccountPermission | None = None) -> Any:
    """Badges: gone, superuser, locked, no login, expired."""
    permission = permission or permission_of(account)
    found = []
    if not account.is_active:
        found.append(show.badge(_("gone"), "neutral"))
    if permission is not None:
        found += _permission_marks(permission)
    return show.joined(found)


def _permission_marks(permission: AccountPermission) -> list[Any]:
    found = []
    if permission.is_superuser:
        found.append(show.badge(_("superuser"), "danger"))
    if permission.is_locked:
        found.append(show.badge(_("locked"), "neutral"))
    if permission.can_login is False:
        found.append(show.badge(_("no login"), "neutral"))
    if permission.valid_until and permission.valid_until <= timezone.now():
        found.append(show.badge(_("expired"), "warning"))
    return found


@admin.register(AccountChangeLog)
class AccountChangeLogAdmin(ReadOnlyAdmin):
    menu = "accounts"
    menu_icon = "published_with_changes"
    menu_order = 20
    menu_title = _("Changes")
    change_form_template = "accounts/change.html"
    list_display = ("time", "kind_of_change", "account_link", "instance", "summary", "risk")
    list_display_links = ("time",)
    list_select_related = ("account", "instance")
    list_filter = (
        ("change_type", ChoicesCheckboxFilter),
        ("instance", AutocompleteSelectFilter),
        ("change_time", TimeRangeFilter),
    )
    search_fields = ("account__username", "message")
    search_help_text = _("Searches account names and messages.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountChangeLog]:
        return super().get_queryset(request).defer("privilege_diff", "other_diff")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()  # the template shows the change

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["change_row"] = kwargs.get("obj")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("time"), ordering="change_time")
    def time(self, change: AccountChangeLog) -> Any:
        return show.ago(change.change_time)

    @admin.display(description=_("change"), ordering="change_type")
    def kind_of_change(self, change: AccountChangeLog) -> Any:
        return show.state(change.change_type, change.get_change_type_display())

    @admin.display(description=_("account"), ordering="account__username")
    def account_link(self, change: AccountChangeLog) -> Any:
        return show.link(change_url(change.account), change.account)

    @admin.display(description=_("what"))
    def summary(self, change: AccountChangeLog) -> str:
        text = change.message or show.EMPTY
        return text if len(text) <= 160 else text[:159] + "…"

    @admin.display(description=_("risk"))
    def risk(self, change: AccountChangeLog) -> Any:
        if change.risk_before == change.risk_after:
            return change.risk_after or show.EMPTY
        before, after = change.risk_before or show.EMPTY, change.risk_after or show.EMPTY
        return format_html("{} → {}", before, after)


@extend(Instance)
class InstancesWithAccounts:
    """The number of accounts in the list of instances."""

    list_display = ("accounts",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        counted = (
            InstanceAccount.objects.filter(instance=OuterRef("pk"), is_active=True)
            .order_by()
            .values("instance")
            .annotate(number=Count("pk"))
            .values("number")
        )
        number = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        return super().get_queryset(request).annotate(number_of_accounts=number)  # type: ignore[misc]

    @admin.display(description=_("accounts"), ordering="number_of_accounts")
    def accounts(self, instance: Any) -> Any:
        url = list_url("accounts_instanceaccount", instance__id__exact=instance.pk)
        return show.link(url, instance.number_of_accounts)


@cards(20)
def account_numbers(request: HttpRequest) -> list[Card]:
    """As the list shows them: present, the product's own left out."""
    present = InstanceAccount.objects.present().shown()
    number = present.aggregate(accounts=Count("pk"), kinds=Count("pk", filter=~Q(kind="user")))
    # By the token index: the column would have to be read from every wide row.
    superuser = [tokens.capability("SUPERUSER")]
    superusers = present.filter(permission__fact_tokens__contains=superuser).count()
    since = timezone.now() - timedelta(days=1)
    changes = AccountChangeLog.objects.filter(change_time__gte=since).count()
    return [
        Card(
            _("Accounts"),
            number["accounts"],
            list_url("accounts_instanceaccount"),
            "person_search",
            _("%(n)d of them roles and groups") % {"n": number["kinds"]},
        ),
        Card(
            _("Superusers"),
            superusers,
            list_url("accounts_instanceaccount", superuser="1"),
            "shield_person",
            tone="danger" if superusers else "",
        ),
        Card(
            _("Changes"),
            changes,
            list_url(
                "accounts_accountchangelog",
                change_time_from_0=timezone.localdate(since).isoformat(),
                change_time_from_1=timezone.localtime(since).strftime("%H:%M:%S"),
            ),
            "published_with_changes",
            _("in the last 24 hours"),
        ),
    ]


@panels(20)
def latest_changes(request: HttpRequest) -> list[Panel]:
    latest = (
        AccountChangeLog.objects.select_related("account", "instance")
        .defer("privilege_diff", "other_diff")
        .order_by(F("change_time").desc(), "-id")[:8]
    )
    rows = [
        [
            show.ago(change.change_time),
            show.state(change.change_type, change.get_change_type_display()),
            show.link(change_url(change.account), change.account),
            change.instance,
        ]
        for change in latest
    ]
    return [
        Panel(
            _("Latest changes"),
            [_("When"), _("Change"), _("Account"), _("Instance")],
            rows,
            list_url("accounts_accountchangelog"),
            _("No account has changed yet."),
        )
    ]
