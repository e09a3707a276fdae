"""`/scheduler/jobs`: the built-in jobs, when they run and how the last run went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.utils.translation import gettext as _
from django_q.models import Schedule
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from sync import jobs, queue
from whalefall.api import Answer, ApiError
from whalefall.serializers import Serializer
from whalefall.viewsets import ViewSet


class LastRunSerializer(serializers.Serializer):
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    success = serializers.BooleanField()
    result = serializers.JSONField(allow_null=True, help_text="Its counts; the error when not.")


class JobSerializer(serializers.Serializer):
    id = serializers.CharField()
    title = serializers.CharField()
    cron = serializers.CharField()
    state = serializers.ChoiceField(["active", "paused"])
    next_run = serializers.DateTimeField(allow_null=True, help_text="Null while it is paused.")
    last_run = LastRunSerializer(allow_null=True)


class JobListSerializer(serializers.Serializer):
    jobs = JobSerializer(many=True)
    workers_alive = serializers.BooleanField(help_text="Without one nothing runs.")
    time_zone = serializers.CharField(help_text="Of the cron expressions.")


class CronSerializer(Serializer):
    cron = serializers.CharField(max_length=100, help_text="Five fields: 0 1 * * * is 01:00.")


class QueuedSerializer(serializers.Serializer):
    task_id = serializers.CharField()


class ReloadedSerializer(serializers.Serializer):
    created = serializers.IntegerField(help_text="Jobs whose schedule was missing.")


JOB_ID = OpenApiParameter("id", str, "path", enum=list(jobs.JOBS))


class JobViewSet(ViewSet):
    """Only the built-in jobs: none can be added or removed."""

    queryset = Schedule.objects.none()
    serializer_class = CronSerializer
    pagination_class = None
    filter_backends = ()
    lookup_url_kwarg = "id"
    lookup_value_regex = r"\w{1,50}"

    @extend_schema(
        operation_id="scheduler_jobs_list",
        responses=forced_singular_serializer(JobListSerializer),  # no list, whatever its name
    )
    def list(self, request: Request) -> Answer:
        """Every job, and whether a worker is alive."""
        jobs.create_schedules()
        return Answer(
            {
                "jobs": [_shown(found) for found in jobs.with_last_run()],
                "workers_alive": bool(queue.live_workers()),
                "time_zone": jobs.time_zone(),
            }
        )

    @extend_schema(parameters=[JOB_ID], responses=JobSerializer)
    def retrieve(self, request: Request, id: str) -> Answer:
        return Answer(_job(id))

    @extend_schema(parameters=[JOB_ID], request=CronSerializer, responses=JobSerializer)
    def update(self, request: Request, id: str) -> Answer:
        """Another time to run at."""
        _job(id)
        try:
            jobs.set_cron(id, self.validated()["cron"])
        except ModelValidationError as exc:
            raise ValidationError({"cron": exc.messages}) from exc
        return Answer(_job(id), _("Saved."))

    @extend_schema(parameters=[JOB_ID], request=None, responses={202: QueuedSerializer})
    @action(detail=True, methods=["post"], url_path="actions/run")
    def run(self, request: Request, id: str) -> Answer:
        """Now, whatever its schedule says. 409 when no worker is alive."""
        _job(id)
        _needs_a_worker()
        return Answer({"task_id": jobs.run(id)}, _("Queued."), status=202)

    @extend_schema(parameters=[JOB_ID], request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="actions/pause")
    def pause(self, request: Request, id: str) -> Answer:
        """Until it is resumed. A run that has begun goes on."""
        return self._step(id, jobs.pause, _("Paused."))

    @extend_schema(parameters=[JOB_ID], request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="actions/resume")
    def resume(self, request: Request, id: str) -> Answer:
        """From the next time on; what fell into the pause is not made up for."""
        return self._step(id, jobs.resume, _("Resumed."))

    @extend_schema(request=None, responses=ReloadedSerializer)
    @action(detail=False, methods=["post"], url_path="actions/reload")
    def reload(self, request: Request) -> Answer:
        """Make schedules that are missing; changed ones stay. 409 when no worker is alive."""
        _needs_a_worker()
        return Answer({"created": jobs.create_schedules()}, _("Reloaded."))

    def _step(self, name: str, step: Callable[[str], Any], message: str) -> Answer:
        _job(name)
        step(name)
        return Answer(_job(name), message)


def _needs_a_worker() -> None:
    if not queue.live_workers():
        message = _("No worker is alive: start one (manage.py qcluster).")
        raise ApiError("SYNC_DATA_ERROR", message, 409)


def _job(name: str) -> dict[str, Any]:
    """Raises ApiError (404) naming the choices."""
    try:
        jobs.schedule(name)
    except LookupError as exc:
        raise ApiError("RESOURCE_NOT_FOUND", str(exc), 404) from exc
    return _shown(jobs.with_last_run().get(name=name))


def _shown(found: Any) -> dict[str, Any]:
    paused = jobs.is_paused(found)
    return {
        "id": found.name,
        "title": str(jobs.JOBS[found.name].title),
        "cron": found.cron,
        "state": "paused" if paused else "active",
        "next_run": None if paused else found.next_run,
        "last_run": _last_run(found),
    }


def _last_run(found: Any) -> dict[str, Any] | None:
    if found.last_stopped is None:
        return None
    return {
        "started_at": found.last_started,
        "ended_at": found.last_stopped,
        "success": found.last_success,
        "result": jobs.readable(found.last_result, found.last_success),
    }
