"""Asks before what cannot be undone, or what begins something big: what goes with it, what stays,
and the way back. What is easily undone is not asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

SHOWN = 20
"""So many of the chosen rows are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """`question` is the title, `verb` what the button says. `happens`, `stays`: a line for each
    thing. `back`: how it is undone, or what to do where it cannot be.
    """

    question: Any = ""
    verb: Any = ""
    happens: tuple[Any, ...] = ()
    stays: tuple[Any, ...] = ()
    back: Any = ""
    is_loss: bool = True


Asked = Callable[[Any, HttpRequest, QuerySet[Any]], Consequences | None]


def asks(consequences: Asked) -> Callable[[Callable[..., Any]], Any]:
    """Makes an action of a list show `consequences(self, request, queryset)` first, and act when
    the person has confirmed. Where that gives None there is nothing to ask about.
    """

    def decorate(method: Callable[..., Any]) -> Any:
        @wraps(method)
        def asked(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            found = None if "confirmed" in request.POST else consequences(self, request, queryset)
            if found is None:
                done: HttpResponse | None = method(self, request, queryset)
                return done
            return _question(request, queryset, found)

        return asked

    return decorate


def _question(
    request: HttpRequest, queryset: QuerySet[Any], found: Consequences
) -> TemplateResponse:
    chosen = list(queryset[: SHOWN + 1])
    carried = {
        "action": [request.POST.get("action", "")],
        "select_across": [request.POST.get("select_across", "0")],
        ACTION_CHECKBOX_NAME: request.POST.getlist(ACTION_CHECKBOX_NAME),
        "confirmed": ["yes"],
    }
    context = {
        **admin.site.each_context(request),
        "title": found.question,
        "opts": queryset.model._meta,
        "back_url": request.get_full_path(),
        **shown(found, chosen, queryset.count() if len(chosen) > SHOWN else len(chosen), carried),
    }
    return TemplateResponse(request, "console/asking.html", context)


def shown(
    found: Consequences, chosen: Iterable[Any], number: int, carried: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What `console/asking.html` wants: `carried` are the fields that the answer brings along."""
    names = [str(one) for one in chosen][:SHOWN]
    return {
        "asked": found,
        "names": names,
        "more_names": number - len(names),
        "carried": [(name, value) for name, values in carried.items() for value in values],
        "verb": found.verb or _("Delete"),
    }
