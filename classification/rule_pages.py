"""What the page of a rule does beside saving it: check, complete, copy, tell its history."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from classification import history
from classification.dsl.base import PREDICATES
from classification.dsl.errors import InvalidExpression
from classification.dsl.parser import parse
from classification.guide import guide
from classification.models import ClassificationRule, RuleRevision
from classification.names import MOST, names
from classification.preview import preview
from classification.shape import shapes, texts
from whalefall.console.pages import button, change_url
from whalefall.instances.models import DB_TYPE_CHOICES

SAMPLE = 10
ENGINES = dict(DB_TYPE_CHOICES)
CHECK = "classification_classificationrule_check"
NAMES = "classification_classificationrule_names"
GUIDE = "classification_classificationrule_guide"
RESTORE = "classification_classificationrule_restore"


class RulePages:
    """For the admin of rules: the builder, and the questions that it asks the server."""

    change_form_after_template = "classification/rule_check.html"
    object_history_template = "classification/rule_history.html"
    actions = ("switch_on", "switch_off", "copy_selected")
    actions_detail = ("copy", "switch")

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("check/", view(self.check_view), name=CHECK),
            path("guide/", view(self.guide_view), name=GUIDE),
            path("names/", view(self.names_view), name=NAMES),
            path("<int:pk>/restore/", view(self.restore_view), name=RESTORE),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """What the expression in the form says and would do, without saving it."""
        self._may_view(request)
        context = _checked(request) if request.POST.get("db_type") in ENGINES else {}
        return render(request, "classification/rule_checked.html", context)

    def guide_view(self, request: HttpRequest) -> HttpResponse:
        """How rules are written: the page in `docs/`."""
        self._may_view(request)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Writing rules"),
            "guide": guide(),
        }
        return render(request, "classification/guide.html", context)

    def names_view(self, request: HttpRequest) -> JsonResponse:
        """`{"names": [...]}` of the fleet for `db_type`, `kind` and the text `q`."""
        self._may_view(request)
        db_type, kind, text = (request.GET.get(key, "") for key in ("db_type", "kind", "q"))
        found = names(db_type, kind, text.replace("\0", "")[:200], MOST)
        return JsonResponse({"names": found})

    def _may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request.rule_before = history.stored(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return history.record(request.user, obj, None)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return history.record(request.user, obj, request.rule_before)  # type: ignore[attr-defined]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rule = self.get_object(request, object_id)  # type: ignore[attr-defined]
        context = {
            "revisions": [_shown(each) for each in rule.revisions.all()] if rule else [],
            "has_change_permission": self.has_change_permission(request),  # type: ignore[attr-defined]
        }
        return super().history_view(request, object_id, context | (extra_context or {}))  # type: ignore[misc]

    @method_decorator(require_POST)
    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring back the state before or after a revision."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        rule = get_object_or_404(ClassificationRule, pk=pk)
        revision, side = number(request.POST.get("revision")), request.POST.get("side")
        state = _state(rule, revision, side)
        self._restore(request, rule, state)
        return HttpResponseRedirect(change_url(rule))

    def _restore(self, request: HttpRequest, rule: ClassificationRule, state: Any) -> None:
        say: Any = self.message_user  # type: ignore[attr-defined]
        try:
            done = history.restore(request.user, rule, state)
        except ValidationError as exc:
            say(request, " ".join(exc.messages), messages.ERROR)
            return
        text = _("The earlier state is back.") if done else _("The rule is in that state now.")
        say(request, text, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["manage"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, True)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["manage"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, False)

    @button(
        gettext_lazy("Switch on or off"),
        gettext_lazy("A rule that is off gives nothing from the next run on."),
        right="manage",
        icon="toggle_on",
    )
    def switch(self, request: HttpRequest, rule: ClassificationRule) -> None:
        same = ClassificationRule.objects.filter(pk=rule.pk)
        self._switch(request, same, not rule.is_active)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], active: bool) -> None:
        changed = list(ClassificationRule.objects.filter(pk__in=queryset.values("pk")))
        changed = [rule for rule in changed if rule.is_active != active]
        ClassificationRule.objects.filter(pk__in=[rule.pk for rule in changed]).update(
            is_active=active, updated_at=timezone.now()
        )
        for rule in changed:
            before = rule.content()
            rule.is_active = active
            history.record(request.user, rule, before)
        text = ngettext("%(n)d rule switched.", "%(n)d rules switched.", len(changed))
        self.message_user(request, text % {"n": len(changed)})  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Copy"), permissions=["manage"])
    def copy_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        copies = [copy(rule) for rule in queryset]
        for rule in copies:
            history.record(request.user, rule, None)
        text = ngettext("%(n)d rule copied.", "%(n)d rules copied.", len(copies))
        self.message_user(request, text % {"n": len(copies)})  # type: ignore[attr-defined]

    @button(
        gettext_lazy("Copy"),
        gettext_lazy("The copy is switched off until you switch it on."),
        right="manage",
        icon="content_copy",
    )
    def copy(self, request: HttpRequest, rule: ClassificationRule) -> str:
        made = copy(rule)
        history.record(request.user, made, None)
        return change_url(made)

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


def copy(rule: ClassificationRule) -> ClassificationRule:
    """A rule that asks the same, switched off, under the first free name."""
    names_taken = ClassificationRule.objects.filter(db_type=rule.db_type)
    taken = set(names_taken.values_list("rule_name", flat=True))
    wanted = (_("%(name)s (copy %(n)d)") % {"name": rule.rule_name[:120], "n": n} for n in count(1))
    state = rule.content() | {
        "rule_name": next(name for name in wanted if name not in taken),
        "is_active": False,
    }
    return ClassificationRule.objects.create(**state)


def _shown(revision: RuleRevision) -> dict[str, Any]:
    found = {"revision": revision, "told": history.told(revision)}
    return found | {"changes": history.changes(revision)}


def _state(rule: ClassificationRule, number: int | None, side: str | None) -> Any:
    revision = get_object_or_404(RuleRevision, rule=rule, pk=number)
    state = revision.before if side == "before" else revision.after
    if not state:
        raise Http404
    return state


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
