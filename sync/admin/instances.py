"""How the last sync went, on the pages of instances, and what starts one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.enums import ActionVariant

from sync.admin.parts import RECORD
from sync.models import (
    SyncCategory,
    SyncInstanceRecord,
    SyncSession,
    SyncType,
)
from whalefall.console import show
from whalefall.console.cards import list_url
from whalefall.console.pages import button, change_url, extend
from whalefall.instances.models import Instance


@extend(Instance)
class SyncedInstances:
    """How the last sync went, and the button that starts one."""

    list_display = ("last_sync",)
    actions = ("sync_accounts", "measure")
    actions_detail = ("sync_now", "measure_now")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        newest = SyncInstanceRecord.objects.filter(instance=OuterRef("pk")).order_by("-id")
        last = newest.values(
            found=JSONObject(
                pk="pk",
                status="status",
                error="error_message",
                at="completed_at",
                begun="started_at",
            )
        )[:1]
        return super().get_queryset(request).annotate(last_record=Subquery(last))  # type: ignore[misc]

    @admin.display(description=_("last sync"))
    def last_sync(self, instance: Any) -> Any:
        last = instance.last_record
        if not last:
            return show.EMPTY
        moment = last["at"] or last["begun"]
        badge = show.state(last["status"], RECORD(last["status"]).label, last["error"])
        return format_html("{} {}", badge, show.ago(parse_datetime(moment) if moment else None))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "last_result")  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None:
            return fieldsets
        return (*fieldsets, (_("Last sync"), {"fields": ("last_result",)}))

    @admin.display(description=_("result"))
    def last_result(self, instance: Any) -> Any:
        last = instance.last_record
        if not last:
            return _("It has not been synchronised yet.")
        url = list_url("sync_syncinstancerecord", instance__id__exact=instance.pk)
        return format_html(
            "{} {} {}", self.last_sync(instance), last["error"], show.link(url, _("all records"))
        )

    @admin.action(description=_("Synchronise accounts"), permissions=["operate"])
    def sync_accounts(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._start(request, list(queryset.watched()))  # type: ignore[attr-defined]

    @button(
        _("Synchronise accounts"),
        _("A worker reads the accounts of this instance now."),
        icon="sync",
        variant=ActionVariant.PRIMARY,
    )
    def sync_now(self, request: HttpRequest, instance: Instance) -> str | None:
        watched = Instance.objects.watched().filter(pk=instance.pk)
        session = self._start(request, list(watched))
        return change_url(session) if session else None

    @admin.action(description=_("Measure databases"), permissions=["operate"])
    def measure(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        watched = list(queryset.watched())  # type: ignore[attr-defined]
        self._start(request, watched, SyncCategory.CAPACITY)

    @button(
        _("Measure databases"),
        _("A worker reads the sizes of this instance's databases now."),
        icon="straighten",
    )
    def measure_now(self, request: HttpRequest, instance: Instance) -> str | None:
        watched = Instance.objects.watched().filter(pk=instance.pk)
        session = self._start(request, list(watched), SyncCategory.CAPACITY)
        return change_url(session) if session else None

    def _start(
        self,
        request: HttpRequest,
        instances: list[Instance],
        category: SyncCategory = SyncCategory.ACCOUNT,
    ) -> SyncSession | None:
        say: Any = self.message_user  # type: ignore[attr-defined]
        if not instances:
            say(request, _("None of these instances is watched."), messages.WARNING)
            return None
        session = SyncSession.objects.start(
            SyncType.MANUAL_BATCH, instances, sync_category=category, created_by=request.user
        )
        text = ngettext(
            "%(n)d instance is being synchronised.",
            "%(n)d instances are being synchronised.",
            len(instances),
        )
        link = show.link(change_url(session), _("Watch the session"))
        say(request, format_html("{} {}", text % {"n": len(instances)}, link), messages.SUCCESS)
        return session
