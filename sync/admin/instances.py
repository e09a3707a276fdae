"""How the last sync went, on the pages of instances, and what starts one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.enums import ActionVariant

from classification.classify import NothingToClassify
from sync import classifying
from sync.admin.filters import CoverageFilter, FullFilter, SyncStateFilter
from sync.admin.parts import RECORD, lasted
from sync.models import (
    SyncCategory,
    SyncInstanceRecord,
    SyncSession,
    SyncType,
)
from whalefall import audit
from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.cards import list_url
from whalefall.console.pages import button, change_url, extend
from whalefall.instances.models import Instance
from whalefall.words import said

RECORDS_SHOWN = 8
BIG = 2
"""From so many instances on a session is announced before it begins."""
MOST_NOTED = 100
"""So many instances of a session are named in the audit log."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an action over many instances says before it begins; `question` counts `%(n)d`."""

    verb: Any
    question: Any
    happens: Any
    stays: Any


BEGUN = {
    "sync_accounts": Begun(
        _("Synchronise accounts"),
        _("Synchronise the accounts of %(n)d instances?"),
        _("Workers log in to each of these servers and read all accounts and privileges."),
        _("The servers are only read. What an instance does not answer stays as it is known."),
    ),
    "measure": Begun(
        _("Measure databases"),
        _("Measure the databases of %(n)d instances?"),
        _("Workers log in to each of these servers and read the sizes of databases and tables."),
        _("The servers are only read. Earlier sizes stay; today's are written again."),
    ),
    "classify": Begun(
        _("Classify accounts"),
        _("Classify the accounts of %(n)d instances?"),
        _("Workers apply every active rule: accounts get classifications, and lose others."),
        _("What was given by hand, and the history of each account."),
    ),
}


@extend(Instance)
class SyncedInstances:
    """How the last sync went, and the button that starts one."""

    list_display = ("last_sync",)
    page_top = ("sync/history.html",)
    list_filter = (SyncStateFilter, CoverageFilter, FullFilter)
    actions = ("sync_accounts", "measure", "classify")
    actions_detail = ("sync_now", "measure_now", "classify_now")

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
        badge = show.state(last["status"], RECORD(last["status"]).label, said(last["error"]))
        return format_html("{} {}", badge, show.ago(parse_datetime(moment) if moment else None))

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view(self.syncs_view)  # type: ignore[attr-defined]
        return [path("<int:pk>/syncs/", view, name="instances_instance_syncs"), *super().get_urls()]  # type: ignore[misc]

    def syncs_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is fetched again and again while a sync runs. After it the
        whole page is loaded once more, with what was read.
        """
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        context = _history(get_object_or_404(Instance, pk=pk))
        if not context["is_running"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "sync/history.html", context)

    def page_context(self, request: HttpRequest, instance: Instance) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, instance)  # type: ignore[misc]
        return context | _history(instance)

    def _begun(self, request: HttpRequest, queryset: QuerySet[Any]) -> Consequences | None:
        """What a session over these does. One instance is no big thing: it begins at once."""
        chosen, watched = queryset.count(), queryset.watched()  # type: ignore[attr-defined]
        number = watched.count()
        if number < BIG:
            return None
        what = BEGUN[request.POST.get("action", "")]
        happens = [what.happens, _("A new session is made; its page shows how it goes.")]
        if number < chosen:
            text = ngettext(
                "%(n)d is left out: it is paused or in the recycle bin.",
                "%(n)d are left out: they are paused or in the recycle bin.",
                chosen - number,
            )
            happens.append(text % {"n": chosen - number})
        return Consequences(
            question=what.question % {"n": number},
            verb=what.verb,
            happens=tuple(happens),
            stays=(what.stays,),
            back=_("“Cancel” on the page of the session: what has not begun is not done."),
            is_loss=False,
        )

    @admin.action(description=_("Synchronise accounts"), permissions=["operate"])
    @asks(_begun)
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
    @asks(_begun)
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

    @admin.action(description=_("Classify accounts"), permissions=["operate"])
    @asks(_begun)
    def classify(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._start(request, list(queryset.watched()), SyncCategory.CLASSIFICATION)  # type: ignore[attr-defined]

    @button(
        _("Classify accounts"),
        _("A worker applies the active rules to the accounts of this instance now."),
        icon="label",
    )
    def classify_now(self, request: HttpRequest, instance: Instance) -> str | None:
        watched = Instance.objects.watched().filter(pk=instance.pk)
        session = self._start(request, list(watched), SyncCategory.CLASSIFICATION)
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
        try:
            session = _session(instances, category, request.user)
        except NothingToClassify as exc:
            say(request, str(exc), messages.WARNING)
            return None
        for instance in instances[:MOST_NOTED]:
            audit.note(instance, str(category.label))
        if category == SyncCategory.CLASSIFICATION:
            text = ngettext(
                "%(n)d instance is being classified.",
                "%(n)d instances are being classified.",
                len(instances),
            )
        else:
            text = ngettext(
                "%(n)d instance is being synchronised.",
                "%(n)d instances are being synchronised.",
                len(instances),
            )
        link = show.link(change_url(session), _("Watch the session"))
        say(request, format_html("{} {}", text % {"n": len(instances)}, link), messages.SUCCESS)
        return session


def _session(instances: list[Instance], category: SyncCategory, user: Any) -> SyncSession:
    if category == SyncCategory.CLASSIFICATION:
        return classifying.start_for(instances, user)
    return SyncSession.objects.start(
        SyncType.MANUAL_BATCH, instances, sync_category=category, created_by=user
    )


def _history(instance: Instance) -> dict[str, Any]:
    """Its latest records, of whatever category. For `sync/history.html`."""
    of = SyncInstanceRecord.objects.filter(instance=instance).select_related("session")
    records = list(of.defer("sync_details").order_by("-id")[:RECORDS_SHOWN])
    return {
        "instance_id": instance.pk,
        "history": [_row(record) for record in records],
        "history_url": list_url("sync_syncinstancerecord", instance__id__exact=instance.pk),
        "is_running": any(not record.has_ended for record in records),
    }


def _row(record: SyncInstanceRecord) -> dict[str, Any]:
    return {
        "record": record,
        "when": show.ago(record.completed_at or record.started_at or record.created_at),
        "state": show.state(record.status, record.get_status_display()),
        "duration": lasted(record),
        "session_url": change_url(record.session),
    }
