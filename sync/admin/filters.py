"""Filters of instances and records that the start page leads to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RadioFilter

from classification.rule_pages import number
from sync.dashboard import sizes, state
from sync.models import SyncCategory, SyncInstanceRecord
from whalefall.engines import DB_TYPES
from whalefall.section_names import section_name

FAILING = (
    ("1", _("Still failing")),
    (SyncCategory.ACCOUNT.value, _("Still failing: accounts")),
    (SyncCategory.CAPACITY.value, _("Still failing: capacity")),
)


class FailingFilter(RadioFilter):
    """Failed records that no later sync made good."""

    title = _("failing")
    parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return FAILING

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(FAILING):
            return queryset
        found = queryset.filter(pk__in=SyncInstanceRecord.objects.failing().values("pk"))
        if self.value() == "1":
            return found
        return found.filter(session__sync_category=self.value())


class CauseFilter(RadioFilter):
    """By the kind of error."""

    title = _("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [*state.CAUSES.items(), ("none", _("not told"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        told = queryset.annotate(cause=KT("sync_details__error__type"))
        if self.value() == "none":
            return told.filter(cause=None)
        return told.filter(cause=self.value())


class SyncStateFilter(RadioFilter):
    """Watched instances by how their last syncs went."""

    title = _("last sync")
    parameter_name = "sync"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("failing", _("Failing")), ("never", _("Never connected"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "failing":
            failing = SyncInstanceRecord.objects.failing()
            return queryset.filter(pk__in=failing.values("instance"))
        return queryset.filter(last_connected_at=None) if self.value() == "never" else queryset


class CoverageFilter(RadioFilter):
    """Watched instances by what could be read; `mysql:routine` are those with that gap."""

    title = _("read")
    parameter_name = "coverage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        choices = [("full", _("In full")), ("partial", _("In part")), ("never", _("Never"))]
        asked = request.GET.get(self.parameter_name, "")
        if ":" not in asked:
            return choices
        db_type, _colon, section = asked.partition(":")
        words = _("%(engine)s: not %(part)s") % {
            "engine": DB_TYPES.get(db_type, db_type),
            "part": section_name(section),
        }
        return [*choices, (asked, words)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        watched = queryset.filter(deleted_at=None, is_active=True)
        if value == "never":
            return watched.filter(last_connected_at=None)
        partial = {
            pk
            for gap in state.coverage().gaps
            if value in ("full", "partial", f"{gap.db_type}:{gap.section}")
            for pk in gap.instances
        }
        if value == "full":
            return watched.exclude(pk__in=partial).exclude(last_connected_at=None)
        return watched.filter(pk__in=partial)


class FullFilter(RadioFilter):
    """Instances that are full within so many days, by their outlook."""

    title = _("full within")
    parameter_name = "full"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(str(days), _("%(n)d days") % {"n": days}) for days in (30, sizes.SOON, 365)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = number(self.value() or "")
        return queryset.filter(outlook__days_to_full__lte=days) if days else queryset
