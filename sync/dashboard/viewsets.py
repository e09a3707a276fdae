"""`/dashboard`: what the start page of the console shows, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from classification import daily, risks
from sync import queue
from sync.dashboard import newest, numbers, sizes, state
from sync.dashboard import serializers as shapes
from sync.models import SyncSession
from whalefall.api import Answer
from whalefall.instances.models import Instance
from whalefall.viewsets import ViewSet

DAYS = 30


class DashboardViewSet(ViewSet):
    """The fleet at a glance."""

    queryset = SyncSession.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=shapes.OverviewSerializer)
    @action(detail=False)
    def overview(self, request: Request) -> Answer:
        """Instances by engine and state, accounts by risk with yesterday and last week, sizes.

        Accounts of big fleets are counted each minute: `counted_at` says when.
        """
        return Answer(shapes.OverviewSerializer(overview()).data)

    @extend_schema(responses=shapes.ChartsSerializer)
    @action(detail=False)
    def charts(self, request: Request) -> Answer:
        """Accounts by risk and the sum of all sizes, by day over 30 days."""
        curves = [
            {"risk_level": curve["key"], "points": curve["points"]}
            for curve in daily.curves("risk", DAYS)
        ]
        days = [{"day": day, "bytes": size} for day, size in sizes.by_day(DAYS)]
        return Answer(shapes.ChartsSerializer({"risks": curves, "sizes": days}).data)

    @extend_schema(responses=shapes.ActivitiesSerializer)
    @action(detail=False)
    def activities(self, request: Request) -> Answer:
        """The newest risky accounts, changes and sessions."""
        found = {
            "risky_accounts": newest.risky(),
            "changes": newest.changes(),
            "sessions": newest.sessions(),
        }
        return Answer(shapes.ActivitiesSerializer(found).data)

    @extend_schema(responses=shapes.StatusSerializer)
    @action(detail=False)
    def status(self, request: Request) -> Answer:
        """Sessions that run, syncs that fail by cause, what could not be read."""
        found = {
            "workers_alive": queue.live_workers(),
            "running": state.running(),
            "failing": state.causes(state.failed()),
            "coverage": state.coverage(),
        }
        return Answer(shapes.StatusSerializer(found).data)


def overview() -> dict[str, Any]:
    accounts, earlier, capacity = numbers.numbers(), numbers.earlier(), sizes.sizes()
    levels = [
        {"risk_level": level, "accounts": accounts.at(level), **asdict(earlier[level])}
        for level in reversed(risks.LEVELS)
    ]
    engines = [
        {**asdict(engine), "accounts": accounts.engines.get(engine.db_type, 0)}
        for engine in state.engines(state.failed())
    ]
    return {
        "instances": Instance.objects.statistics(),
        "engines": engines,
        "accounts": {
            "total": accounts.accounts,
            "roles": accounts.roles,
            "superusers": accounts.superusers,
            "risks": levels,
            "counted_at": accounts.counted_at,
        },
        "capacity": {
            "total_bytes": capacity.total_bytes,
            "growth_per_day": capacity.growth_per_day,
            "full_soon": capacity.soon,
            "soon_days": sizes.SOON,
        },
    }
