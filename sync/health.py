"""`/health/detailed` and `/health/cache`: what is well and what is not, for who may look."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs, queue
from sync.models import SyncSession
from whalefall import log_store
from whalefall.api import Answer, failure, request_id_of
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
    schedules = PartSerializer()
    log = PartSerializer()


OVERDUE = timedelta(minutes=5)
# Without one of these the system does not do what it is there for.
VITAL = ("store", "cache", "workers", "queue")
UNWELL = {
    "allOf": [
        {"$ref": "#/components/schemas/Failure"},
        {"type": "object", "properties": {"data": {"type": "object"}}},
    ]
}


class HealthDetailViewSet(ViewSet):
    """`degraded`: it answers, but something does not do its part."""

    queryset = SyncSession.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses={200: HealthDetailSerializer, (503, "application/json"): UNWELL})
    @action(detail=False)
    def detailed(self, request: Request) -> Response:
        """Store, cache, workers, queue, schedules and log, each with its state. 503 when one of the
        first four is away.
        """
        parts = {
            "store": _tried(_store),
            "cache": _tried(_cache),
            "workers": _tried(_workers),
            "queue": _tried(lambda: {"waiting": queue.waiting()}),
            "schedules": _tried(_schedules),
            "log": _tried(_log),
        }
        away = {name: part for name, part in parts.items() if part["status"] != "ok"}
        data = {"status": "degraded" if away else "ok", **parts}
        if vital := {name: part for name, part in away.items() if name in VITAL}:
            return _unwell(request, vital, data)
        return Answer(data)

    @extend_schema(responses={200: PartSerializer, (503, "application/json"): UNWELL})
    @action(detail=False)
    def cache(self, request: Request) -> Response:
        """Whether the cache gives back what was put in; 503 when it does not."""
        part = _tried(_cache)
        return Answer(part) if part["status"] == "ok" else _unwell(request, {"cache": part}, part)


def _unwell(request: Request, away: dict[str, dict[str, Any]], data: Any) -> Response:
    """A 503 that names what is away, with all that is known as its `data`."""
    errors = [
        {"path": name, "message": part.get("message", ""), "code": "degraded"}
        for name, part in away.items()
    ]
    message = _("Not well: %(parts)s.") % {"parts": ", ".join(away)}
    body = failure("SERVICE_UNAVAILABLE", message, request_id_of(request), errors)
    response = Response(body | {"data": data}, status=503)
    response.is_envelope = True  # type: ignore[attr-defined]
    return response


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


def _schedules() -> dict[str, Any]:
    """A job whose time is minutes past was seen by no worker's scheduler, which ticks twice a
    minute.
    """
    overdue = jobs.schedules().exclude(repeats=0).filter(next_run__lt=timezone.now() - OVERDUE)
    if names := list(overdue.values_list("name", flat=True)):
        message = _("Overdue: %(names)s.") % {"names": ", ".join(names)}
        return {"status": "degraded", "message": message}
    return {}


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
