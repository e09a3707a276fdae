"""`/health/detailed` and `/health/cache`: what is well and what is not, for who may look."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from sync import queue
from sync.models import SyncSession
from whalefall import log_store
from whalefall.api import Answer
from whalefall.viewsets import ViewSet


class PartSerializer(serializers.Serializer):
    """`milliseconds` and further numbers where they apply; `message` says what is wrong."""

    status = serializers.ChoiceField(["ok", "degraded"])
    message = serializers.CharField(required=False)
    milliseconds = serializers.FloatField(required=False)
    alive = serializers.BooleanField(required=False)
    waiting = serializers.IntegerField(required=False)
    written = serializers.IntegerField(required=False)
    dropped = serializers.IntegerField(required=False)
    backend = serializers.CharField(required=False)


class HealthDetailSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["ok", "degraded"])
    store = PartSerializer()
    cache = PartSerializer()
    workers = PartSerializer()
    queue = PartSerializer()
    log = PartSerializer()


class HealthDetailViewSet(ViewSet):
    """`degraded`: it answers, but something does not do its part."""

    queryset = SyncSession.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=HealthDetailSerializer)
    @action(detail=False)
    def detailed(self, request: Request) -> Answer:
        """Store, cache, workers, queue and log, each with its state."""
        parts = {
            "store": _tried(_store),
            "cache": _tried(_cache),
            "workers": _tried(_workers),
            "queue": _tried(lambda: {"waiting": queue.waiting()}),
            "log": _tried(_log),
        }
        well = all(part["status"] == "ok" for part in parts.values())
        return Answer({"status": "ok" if well else "degraded", **parts})

    @extend_schema(responses=PartSerializer)
    @action(detail=False)
    def cache(self, request: Request) -> Answer:
        """Whether the cache gives back what was put in."""
        return Answer(_tried(_cache))


def _tried(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A part that raises is degraded; the message is the kind of error, the rest in no answer."""
    try:
        return {"status": "ok", **look()}
    except Exception as exc:  # store, cache and broker each have errors of their own
        return {"status": "degraded", "message": type(exc).__name__}


def _store() -> dict[str, Any]:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"milliseconds": _since(started)}


def _cache() -> dict[str, Any]:
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    started, key, value = time.perf_counter(), f"health-{uuid.uuid4().hex}", "well"
    cache.set(key, value, 10)
    found = cache.get(key)
    cache.delete(key)
    if found != value:  # Redis that is away is silent: it costs speed, never an answer
        message = _("What was put in does not come out.")
        return {"status": "degraded", "message": message, "backend": backend}
    return {"backend": backend, "milliseconds": _since(started)}


def _workers() -> dict[str, Any]:
    if queue.live_workers():
        return {"alive": True}
    message = _("No worker is alive: start one (manage.py qcluster).")
    return {"status": "degraded", "alive": False, "message": message}


def _log() -> dict[str, Any]:
    handler = log_store.handler()
    if handler is None:
        return {"message": _("It goes to stderr only.")}
    numbers = {"written": handler.written, "dropped": handler.dropped}
    if handler.dropped:
        message = _("Lines were lost: the store was away, or there were too many.")
        return {"status": "degraded", "message": message, **numbers}
    return numbers


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
