"""Views of lists that people keep: filters, search and order under a name, for themselves or for
everybody.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from whalefall import audit
from whalefall.auth import has_right
from whalefall.models import SavedView, User

# Where in the list somebody is belongs to no view.
NOT_KEPT = ("p", "_changelist_filters", "e")


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SavedView
        fields = ("page", "name", "query", "is_shared")

    def clean_page(self) -> str:
        page: str = self.cleaned_data["page"]
        try:
            reverse(f"admin:{page}_changelist")
        except NoReverseMatch as exc:
            raise forms.ValidationError("page") from exc
        return page

    def clean_query(self) -> str:
        return plain(QueryDict(self.cleaned_data["query"]))


def plain(query: QueryDict) -> str:
    """What of a list's address makes a view of it."""
    kept = query.copy()
    for name in NOT_KEPT:
        kept.pop(name, None)
    return kept.urlencode()


def context(request: HttpRequest, page: str) -> dict[str, Any]:
    """What the bar above a list shows, in one statement; `asked` is the view of now."""
    mine_or_shared = Q(owner=request.user) | Q(is_shared=True)
    views = list(SavedView.objects.filter(mine_or_shared, page=page).select_related("owner"))
    asked = plain(request.GET)  # type: ignore[arg-type]
    return {
        "page": page,
        "asked": asked,
        "is_kept": any(view.query == asked for view in views),
        "may_share": has_right(request.user, "operate"),
        "views": [
            {
                "view": view,
                "is_on": view.query == asked,
                "may_delete": view.owner_id == request.user.pk or has_right(request.user, "manage"),
            }
            for view in views
        ],
    }


@require_POST
def save(request: HttpRequest) -> HttpResponseRedirect:
    """Keep a view under a name, in place of one's own of that name."""
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A view needs a name of up to 100 letters."))
        return HttpResponseRedirect(reverse("admin:index"))
    chosen = form.cleaned_data
    if chosen["is_shared"] and not has_right(request.user, "operate"):
        raise PermissionDenied
    view, _new = SavedView.objects.update_or_create(
        owner=cast(User, request.user),
        page=chosen["page"],
        name=chosen["name"],
        defaults={"query": chosen["query"], "is_shared": chosen["is_shared"]},
    )
    audit.note(view)
    return HttpResponseRedirect(view.address)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """One's own; an administrator also what others share."""
    seen = SavedView.objects.filter(Q(owner=request.user) | Q(is_shared=True))
    view = get_object_or_404(seen, pk=pk)
    if view.owner_id != request.user.pk and not has_right(request.user, "manage"):
        raise PermissionDenied
    audit.note(view)
    view.delete()
    return HttpResponseRedirect(reverse(f"admin:{view.page}_changelist"))
