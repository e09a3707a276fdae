"""The list of accounts and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesCheckboxFilter,
)

from accounts import account_page, tree
from accounts.admin.access_page import ACCESS, AccessPage
from accounts.admin.account_parts import AccountParts, shown_branches
from accounts.admin.compare_page import COMPARE, ComparedAccounts
from accounts.admin.filters import (
    LockedFilter,
    LoginFilter,
    PresenceFilter,
    PrivilegeFilter,
    SuperuserFilter,
)
from accounts.admin.search import SearchedByAccount
from accounts.models import WIDE, AccountPermission, InstanceAccount
from accounts.snapshot import Json
from whalefall.console import show
from whalefall.console.cards import list_url
from whalefall.console.menu import MenuPage
from whalefall.console.pages import ReadOnlyAdmin, change_url

CHANGES_SHOWN = 50
ELSEWHERE_SHOWN = 8


@admin.register(InstanceAccount)
class InstanceAccountAdmin(
    AccountParts, ComparedAccounts, AccessPage, SearchedByAccount, ReadOnlyAdmin
):
    """`page_top` names templates that higher apps put on top of the page of an account."""

    empty_hint = _(
        "Choose instances under Fleet, then Synchronise accounts: what is read stands here."
    )
    menu = "accounts"
    menu_icon = "person_search"
    menu_order = 10
    menu_pages = (
        MenuPage(_("Who has access to …"), ACCESS, "manage_search", 12),
        MenuPage(_("Compare"), COMPARE, "compare_arrows", 14),
    )
    change_form_template = "accounts/account.html"
    page_top: tuple[str, ...] = ()
    list_display = (
        "username",
        "instance_link",
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
    search_help_text = _("Any part of an account's name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstanceAccount]:
        heavy = [f"permission__{column}" for column in WIDE]
        related = super().get_queryset(request).select_related("instance", "permission")
        return related.defer(*heavy)

    @admin.display(description=_("instance"), ordering="instance__name")
    def instance_link(self, account: InstanceAccount) -> Any:
        link = show.link(change_url(account.instance), account.instance)
        return show.with_small(link, account.get_db_type_display())

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
            "elsewhere": _elsewhere(account),
            "today": timezone.localdate().isoformat(),
            "marks": "" if (found := marks(account, permission)) == show.EMPTY else found,
            "page_top": self.page_top,
            "abilities": account_page.abilities(facts),
            "roles": account_page.roles(facts),
            "branches": shown_branches(account.pk, facts),
            "reach_branches": shown_branches(account.pk, facts, reach=True),
            "denials": _denials(account, facts),
            "unread": account_page.unread(snapshot),
            "changes": list(changes)[:CHANGES_SHOWN],
            "all_changes_url": list_url("accounts_accountchangelog", account__id__exact=account.pk)
            if len(changes) > CHANGES_SHOWN
            else "",
            "raw_parts": (("facts", _("Facts")), ("snapshot", _("Snapshot as read"))),
        }


def _elsewhere(account: InstanceAccount) -> list[InstanceAccount]:
    """The same name on other instances, to compare with."""
    same = InstanceAccount.objects.present().filter(username=account.username)
    return list(same.exclude(pk=account.pk).select_related("instance")[:ELSEWHERE_SHOWN])


def _denials(account: InstanceAccount, facts: Json) -> list[tree.Denial]:
    holders = {account.username, *facts.get("roles", ())}
    entries = AccountPermission.objects.denials(account.instance_id, holders)
    return tree.denials(account.username, facts, entries)


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
