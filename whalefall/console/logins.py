"""The page on which a person sees where they are logged in, ends that, and sees what was done with
their account.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whalefall import logins
from whalefall.console import show
from whalefall.models import AuditEntry

SHOWN = 20
OWN = ("login", "logout", "change_password", "password_change", "logins")
KINDS = ("whalefall.apitoken", "whalefall.login")
TONES = {"done": "success", "refused": "warning", "failed": "danger"}


def logins_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """GET shows them, POST ends one (`end`) or all others and comes back."""
    if request.method == "POST":
        _end(request)
        return HttpResponseRedirect(reverse("admin:logins"))
    rows = [
        {
            "id": row.public_id,
            "is_current": logins.is_current(row, request),
            "address": row.address or show.EMPTY,
            "agent": row.agent or show.EMPTY,
            "began": show.ago(row.began_at),
            "seen": show.ago(row.seen_at),
        }
        for row in logins.live(request.user)
    ]
    shown = {"title": _("Logins"), "rows": rows, "entries": _entries(request.user)}
    return TemplateResponse(request, "console/logins.html", {**context, **shown})


def _end(request: HttpRequest) -> None:
    if chosen := request.POST.get("end"):
        if logins.end(request.user, chosen):
            messages.success(request, _("The login was ended."))
        else:
            messages.warning(request, _("There is no such login."))
        return
    count = logins.end_others(request)
    text = ngettext("%(n)d login ended.", "%(n)d logins ended.", count)
    messages.success(request, text % {"n": count})


def _entries(user: Any) -> list[dict[str, Any]]:
    """What was done lately with this person's account, by whomever."""
    by_them = Q(username=user.get_username())
    about = Q(object_type="whalefall.user", object_id=str(user.pk))
    own = by_them & (Q(action__in=OWN) | Q(object_type__in=KINDS))
    found = AuditEntry.objects.filter(own | about)
    return [
        {
            "when": show.ago(entry.time),
            "what": entry.action.replace("_", " "),
            "about": entry.object_name,
            "who": entry.username,
            "address": entry.address or show.EMPTY,
            "result": show.badge(entry.get_result_display(), TONES[entry.result]),
        }
        for entry in found[:SHOWN]
    ]
