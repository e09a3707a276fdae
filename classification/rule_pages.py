"""What the page of a rule does beside saving it: check, complete, copy, tell its history."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from classification.dsl.base import PREDICATES
from classification.dsl.errors import InvalidExpression
from classification.dsl.parser import parse
from classification.names import MOST, names
from classification.preview import preview
from classification.shape import shapes, texts
from whalefall.instances.models import DB_TYPE_CHOICES

SAMPLE = 10
ENGINES = dict(DB_TYPE_CHOICES)
CHECK = "classification_classificationrule_check"
NAMES = "classification_classificationrule_names"


class RulePages:
    """For the admin of rules: the builder, and the questions that it asks the server."""

    change_form_after_template = "classification/rule_check.html"

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("check/", view(self.check_view), name=CHECK),
            path("names/", view(self.names_view), name=NAMES),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """What the expression in the form says and would do, without saving it."""
        self._may_view(request)
        context = _checked(request) if request.POST.get("db_type") in ENGINES else {}
        return render(request, "classification/rule_checked.html", context)

    def names_view(self, request: HttpRequest) -> JsonResponse:
        """`{"names": [...]}` of the fleet for `db_type`, `kind` and the text `q`."""
        self._may_view(request)
        db_type, kind, text = (request.GET.get(key, "") for key in ("db_type", "kind", "q"))
        found = names(db_type, kind, text.replace("\0", "")[:200], MOST)
        return JsonResponse({"names": found})

    def _may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["predicates"] = sorted(PREDICATES.values(), key=lambda one: one.name)
        context["builder"] = {
            "shapes": shapes(),
            "texts": texts(),
            "check": reverse(f"admin:{CHECK}"),
            "names": reverse(f"admin:{NAMES}"),
            "rule": getattr(context.get("original"), "pk", None),
        }
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def _checked(request: HttpRequest) -> dict[str, Any]:
    """`preview` as `classification.preview` gives it, or the `faults`."""
    try:
        expression = parse(request.POST.get("rule_expression", ""), request.POST["db_type"])
    except InvalidExpression as exc:
        return {"faults": [fault.as_json() for fault in exc.faults]}
    classification, rule = (number(request.POST.get(key)) for key in ("classification", "rule"))
    found = preview(expression, classification, rule, SAMPLE)
    titles = {"add": _("New"), "drop": _("Would lose it"), "unknown": _("Cannot be known")}
    kinds = [
        {"title": title, "total": found[kind]["total"], "shown": found[kind]["items"]}
        for kind, title in titles.items()
    ]
    return {"preview": found, "kinds": kinds}


def number(text: str | None) -> int | None:
    """The key in a form's text, or None."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
