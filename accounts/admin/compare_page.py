"""Two accounts side by side, and one account as of a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts import account_page, compare
from accounts.as_of import AsOf, State, as_of, moment
from accounts.models import AccountPermission, InstanceAccount
from accounts.snapshot import Json
from whalefall.console import show
from whalefall.console.pages import page

COMPARE = "accounts_instanceaccount_compare"
AS_OF = "accounts_instanceaccount_as_of"
ROWS_SHOWN = 50
FOUND_SHOWN = 12
PARTS: dict[str, tuple[Any, Callable[..., list[compare.Row]]]] = {
    "privileges": (_("Privileges in effect"), compare.privileges),
    "catalog": (_("Given to themselves"), compare.catalog),
    "roles": (_("Roles"), compare.roles),
    "capabilities": (_("Capabilities"), compare.capabilities),
}
TONES = {
    State.PRESENT: "success",
    State.GONE: "neutral",
    State.NOT_YET: "neutral",
    State.UNKNOWN: "warning",
}


def compare_url(left: InstanceAccount, right: InstanceAccount) -> str:
    query = urlencode({"left": left.pk, "right": right.pk})
    return f"{reverse(f'admin:{COMPARE}')}?{query}"


class ComparedAccounts:
    """A mixin for the admin of accounts."""

    actions = ("compare_selected",)

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("compare/", view(self.compare_view), name=COMPARE),
            path("<int:pk>/as-of/", view(self.as_of_view), name=AS_OF),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @admin.action(description=_("Compare two"), permissions=["view"])
    def compare_selected(
        self, request: HttpRequest, queryset: QuerySet[InstanceAccount]
    ) -> HttpResponse | None:
        chosen = list(queryset.order_by("pk")[:3])
        if len(chosen) != 2:
            text = _("Choose two accounts to compare.")
            self.message_user(request, text, messages.WARNING)  # type: ignore[attr-defined]
            return None
        return HttpResponseRedirect(compare_url(*chosen))

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """`left` and `right` are ids; while one is missing it is searched for by `find`."""
        self._may_view(request)
        sides = {name: _chosen(request.GET.get(name)) for name in ("left", "right")}
        part = request.GET.get("of") if request.GET.get("of") in PARTS else "privileges"
        context = {
            "sides": sides,
            "parts": [(name, label) for name, (label, _rows) in PARTS.items()],
            "part": part,
            "show_all": request.GET.get("show") == "all",
            **_search(request, sides),
        }
        left, right = sides["left"], sides["right"]
        if left and right:
            context |= {"unread": [each for each in (left, right) if _permission(each) is None]}
            if not context["unread"]:
                context |= _comparison(request, _side(left), _side(right), PARTS[part or ""][1])
        return page(
            request, "accounts/compare.html", _("Compare accounts"), InstanceAccount, context
        )

    def as_of_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What stood in the catalog about it on `date`, and what differs from today."""
        self._may_view(request)
        account = get_object_or_404(InstanceAccount.objects.with_everything(), pk=pk)
        text = request.GET.get("date") or timezone.localdate().isoformat()
        context: dict[str, Any] = {"account": account, "date": text}
        try:
            context |= _told(request, account, moment(text))
        except ValueError as exc:
            context["error"] = str(exc)
        title = _("%(account)s as of a date") % {"account": account}
        return page(request, "accounts/as_of.html", title, InstanceAccount, context)

    def _may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied


def _chosen(text: str | None) -> InstanceAccount | None:
    if not text or not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return InstanceAccount.objects.with_everything().filter(pk=int(text)).first()


def _permission(account: InstanceAccount) -> AccountPermission | None:
    return getattr(account, "permission", None)


def _search(request: HttpRequest, sides: dict[str, InstanceAccount | None]) -> dict[str, Any]:
    """Accounts to put where one is missing; without a text those of the same name elsewhere."""
    missing = next((name for name, account in sides.items() if account is None), None)
    if missing is None:
        return {}
    text = request.GET.get("find", "").replace("\0", "").strip()[:200]
    other = next((account for account in sides.values() if account), None)
    found = InstanceAccount.objects.present().select_related("instance")
    if text:
        found = found.search(text)
    elif other:
        found = found.filter(username=other.username)
    else:
        found = found.none()
    if other:
        found = found.exclude(pk=other.pk)
    return {"missing": missing, "find": text, "found": list(found[:FOUND_SHOWN])}


def _side(account: InstanceAccount) -> compare.Side:
    permission = account.permission
    facts, snapshot = permission.permission_facts, permission.permission_snapshot
    return compare.Side(account.username, facts, snapshot)


def _comparison(
    request: HttpRequest,
    left: compare.Side,
    right: compare.Side,
    of: Callable[..., list[compare.Row]],
) -> dict[str, Any]:
    rows = of(left, right)
    shown = rows if request.GET.get("show") == "all" else compare.differing(rows)
    counts = compare.summary(rows)
    return {
        "page": Paginator(shown, ROWS_SHOWN).get_page(request.GET.get("p")),
        "counts": [(held, counts[held.value]) for held in compare.Held],
        "attributes": compare.attributes(left, right),
    }


def _told(request: HttpRequest, account: InstanceAccount, at: datetime) -> dict[str, Any]:
    told = as_of(account, at)
    context = {"told": told, "state": show.badge(told.state.label, TONES[told.state])}
    if told.snapshot is None:
        return context
    then = compare.Side(account.username, {}, told.snapshot)
    today = compare.Side(account.username, {}, account.permission.permission_snapshot)
    held = compare.catalog(then, then)
    return context | {
        "attributes": compare.attributes(then, today),
        "roles": _roles(account, told.snapshot),
        "page": Paginator(_given(held), ROWS_SHOWN).get_page(request.GET.get("p")),
        "changes": _since(told, then, today)[:ROWS_SHOWN],
        "unread": account_page.unread(told.snapshot),
    }


def _given(rows: list[compare.Row]) -> list[compare.Row]:
    return [row for row in rows if row.scope != "role"]


def _since(told: AsOf, then: compare.Side, today: compare.Side) -> list[compare.Row]:
    return compare.differing(compare.catalog(then, today)) if told.until else []


def _roles(account: InstanceAccount, snapshot: Json) -> list[dict[str, Any]]:
    """Its memberships of then, with the account of each role where there is one."""
    entries = snapshot["categories"]["memberships"]
    names = {entry["role"] for entry in entries}
    there = InstanceAccount.objects.filter(instance=account.instance_id, username__in=names)
    known = dict(there.values_list("username", "pk"))
    return [{"entry": entry, "pk": known.get(entry["role"])} for entry in entries]
