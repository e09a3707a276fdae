"""`/metrics` for Prometheus: asked of the store at each scrape, so that all processes say the same.

A scraper comes with an API token of a viewer (`Authorization: Bearer`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, Max
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import InstanceAccount
from classification.models import AccountClassificationAssignment
from sync import queue
from sync.models import SyncInstanceRecord, SyncSession
from whalefall import log_store
from whalefall.exports import AnyAccept
from whalefall.instances.models import Instance

KEPT = 15
"""Seconds that the counts of big tables are good for."""
Rows = list[tuple[Any, ...]]


class WhaleFallCollector(Collector):
    """Counts of the tables, and what this process knows of its log."""

    def collect(self) -> Iterator[Any]:
        yield from self._tables(cache.get_or_set("whalefall-metrics", counts, KEPT) or counts())
        yield GaugeMetricFamily(
            "whalefall_queue_depth", "Tasks that wait for a worker.", queue.waiting()
        )
        yield GaugeMetricFamily(
            "whalefall_workers_alive", "1 while a worker is alive.", min(queue.live_workers(), 1)
        )
        yield from self._log()

    def _tables(self, found: dict[str, Rows]) -> Iterator[Any]:
        for name, text, labels in TABLES:
            yield _gauge(name, text, labels, found[name])

    def _log(self) -> Iterator[Any]:
        handler = log_store.handler()
        labels = ("process",)
        for name in ("written", "dropped"):
            metric = CounterMetricFamily(
                f"whalefall_log_lines_{name}", f"Log lines {name} by this process.", labels=labels
            )
            metric.add_metric([str(os.getpid())], getattr(handler, name, 0))
            yield metric


TABLES = (
    ("whalefall_instances", "Instances, without the recycle bin.", ("db_type", "active")),
    ("whalefall_accounts", "Active accounts.", ("db_type",)),
    ("whalefall_classifications", "Active classifications of accounts.", ("risk",)),
    ("whalefall_sessions", "Sessions that are kept.", ("category", "status")),
    ("whalefall_records", "Records that are kept, by outcome.", ("category", "status")),
    ("whalefall_record_seconds_avg", "Mean time of a day's records.", ("category",)),
    ("whalefall_record_seconds_max", "Longest time of a day's records.", ("category",)),
)


def _gauge(name: str, text: str, labels: Iterable[str], rows: Rows) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, text, labels=list(labels))
    for *values, number in rows:
        metric.add_metric([str(value).lower() for value in values], number)
    return metric


def counts() -> dict[str, Rows]:
    """Name of the metric -> rows of its labels and its number."""
    lasted = _durations()
    risk = AccountClassificationAssignment.objects.filter(is_active=True)
    found = (
        _counted(Instance.objects.present(), "db_type", "is_active"),
        _counted(InstanceAccount.objects.filter(is_active=True), "db_type"),
        _counted(risk, "classification__risk_level"),
        _counted(SyncSession.objects.all(), "sync_category", "status"),
        _counted(SyncInstanceRecord.objects.all(), "session__sync_category", "status"),
        [(category, avg.total_seconds()) for category, avg, _longest in lasted],
        [(category, longest.total_seconds()) for category, _avg, longest in lasted],
    )
    return {name: rows for (name, _text, _labels), rows in zip(TABLES, found, strict=True)}


def _counted(rows: Any, *labels: str) -> Rows:
    return list(rows.order_by().values_list(*labels).annotate(Count("pk")))


def _durations() -> Rows:
    since = timezone.now() - timedelta(days=1)
    ended = SyncInstanceRecord.objects.filter(completed_at__gte=since, started_at__isnull=False)
    took = F("completed_at") - F("started_at")
    per_category = ended.order_by().values_list("session__sync_category")
    return list(per_category.annotate(avg=Avg(took), longest=Max(took)))


class MetricsView(APIView):
    """Needs the right `view`."""

    schema = None
    content_negotiation_class = AnyAccept

    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        registry.register(WhaleFallCollector())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


urlpatterns = [path("", MetricsView.as_view(), name="metrics")]
