"""The button that applies the rules to instances."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from classification.classify import NothingToClassify, classify
from whalefall.console.pages import button, extend
from whalefall.instances.models import Instance


@extend(Instance)
class ClassifiedInstances:
    """The button that applies the rules to instances."""

    actions = ("classify",)
    actions_detail = ("classify_now",)

    @admin.action(description=_("Classify accounts"), permissions=["operate"])
    def classify(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._classify(request, list(queryset))

    @button(_("Classify accounts"), _("Apply the active rules to its accounts?"), icon="label")
    def classify_now(self, request: HttpRequest, instance: Instance) -> None:
        self._classify(request, [instance])

    def _classify(self, request: HttpRequest, instances: list[Instance]) -> None:
        say: Any = self.message_user  # type: ignore[attr-defined]
        added = removed = 0
        for instance in instances:
            try:
                outcome = classify(instance_id=instance.pk)
            except NothingToClassify as exc:
                say(request, f"{instance}: {exc}", messages.WARNING)
                continue
            added, removed = added + outcome.added, removed + outcome.removed
            for rule in outcome.failed:
                say(request, f"{instance}: {rule.name}: {rule.error}", messages.ERROR)
        given = ngettext("%(n)d classification given", "%(n)d classifications given", added)
        ended = ngettext("%(n)d ended", "%(n)d ended", removed)
        say(request, f"{given % {'n': added}}, {ended % {'n': removed}}.", messages.SUCCESS)
