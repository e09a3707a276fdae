"""Parts of the page of an account that are fetched when they are opened: an account may hold tens
of thousands of privileges.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import tree
from accounts.models import AccountPermission
from accounts.snapshot import Json
from whalefall.console import show

PRIVILEGES = "accounts_instanceaccount_privileges"
RAW = "accounts_instanceaccount_raw"
# A branch with so few objects is shown at once; a longer one is fetched page by page.
AT_ONCE = 12
OBJECTS_SHOWN = 100
COLUMNS = {"snapshot": "permission_snapshot", "facts": "permission_facts"}


@dataclass(frozen=True, slots=True)
class ShownBranch:
    """A scope of the tree: `rights` is None where they are fetched from `url` on opening."""

    branch: tree.Branch
    url: str
    rights: list[tree.Rights] | None


def shown_branches(account_id: int, facts: Json, reach: bool = False) -> list[ShownBranch]:
    """The branches of the tree, small ones with what they hold."""
    return [_shown(account_id, facts, each, reach) for each in tree.branches(facts, reach)]


def _shown(account_id: int, facts: Json, branch: tree.Branch, reach: bool) -> ShownBranch:
    url = reverse(f"admin:{PRIVILEGES}", args=(account_id,))
    url += f"?scope={branch.scope}{'&reach=1' if reach else ''}"
    rights = None
    if branch.objects <= AT_ONCE:
        held = tree.objects(facts, branch.scope, reach=reach)
        rights = list(tree.rights(facts, branch.scope, held, reach))
    return ShownBranch(branch, url, rights)


class AccountParts:
    """A mixin for the admin of accounts."""

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("<int:pk>/privileges/", view(self.privileges_view), name=PRIVILEGES),
            path("<int:pk>/raw/", view(self.raw_view), name=RAW),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def privileges_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A page of one branch: `scope`, `reach`, `text` to search for, `p`."""
        facts = self._column(request, pk, "permission_facts")
        scope, text = request.GET.get("scope", ""), request.GET.get("text", "").strip()
        reach = "reach" in request.GET
        held = tree.objects(facts, scope, text, reach)
        page: Page[Any] = Paginator(list(held), OBJECTS_SHOWN).get_page(request.GET.get("p"))
        shown = {place: held[place] for place in page}
        context = {
            "rights": list(tree.rights(facts, scope, shown, reach)),
            "page": page,
            "text": text,
            "scope": scope,
            "reach": reach,
        }
        return render(request, "accounts/branch.html", context)

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The snapshot as read or the facts (`part`), as a part of the page or to `download`."""
        part = request.GET.get("part", "")
        if part not in COLUMNS:
            raise Http404
        value = self._column(request, pk, COLUMNS[part])
        if "download" not in request.GET:
            link = show.link(f"{request.path}?part={part}&download=1", _("download"))
            return HttpResponse(format_html("<p>{}</p>{}", link, show.pretty_json(value)))
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        response = HttpResponse(text, content_type="application/json; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="account-{pk}-{part}.json"'
        return response

    def _column(self, request: HttpRequest, pk: int, name: str) -> Json:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        permission = get_object_or_404(AccountPermission.objects.only(name), account=pk)
        found: Json = getattr(permission, name)
        return found
