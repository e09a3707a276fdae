"""`/sync-sessions`, and the actions of `/instances` that start a sync."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sync.filters import SessionFilter
from sync.models import SyncInstanceRecord, SyncSession, WrongTransition
from sync.serializers import (
    CancelledSerializer,
    RecordSerializer,
    SessionDetailSerializer,
    SessionSerializer,
    StartedSerializer,
)
from whalefall.api import Answer, ApiError
from whalefall.viewsets import ReadOnlyViewSet

PAGE = [
    OpenApiParameter("page", int, description="Of the records."),
    OpenApiParameter("limit", int, description="Of the records, up to 200."),
]


class SessionViewSet(ReadOnlyViewSet):
    """One run over many instances. An ended session never changes."""

    queryset = SyncSession.objects.select_related("created_by", "retry_of")
    serializer_class = SessionSerializer
    filterset_class = SessionFilter
    lookup_field = "session_id"
    lookup_value_regex = "[0-9a-fA-F-]{36}"
    sort_fields = {name: name for name in ("started_at", "completed_at", "status", "sync_type")}
    rights = {"cancel": "operate", "retry_failed": "operate"}

    @extend_schema(responses=SessionDetailSerializer, parameters=PAGE)
    def retrieve(self, request: Request, session_id: str) -> Answer:
        """The session, how far it is, and a page of its records (`page`, `limit`)."""
        session = self.get_object()
        data = SessionSerializer(session).data
        data["progress"] = session.progress()
        data["records"] = self._records(session.records.all()).data
        return Answer(data)

    @extend_schema(responses=RecordSerializer(many=True), filters=False)
    @action(detail=True, url_path="error-logs")
    def error_logs(self, request: Request, session_id: str) -> Response:
        """The records that failed, with what the servers said."""
        failed = self.get_object().records.filter(status=SyncInstanceRecord.Status.FAILED)
        return self._records(failed)

    @extend_schema(request=None, responses=CancelledSerializer)
    @action(detail=True, methods=["post"], url_path="actions/cancel")
    def cancel(self, request: Request, session_id: str) -> Answer:
        """What has not begun is cancelled; running records finish. 409 when it has ended."""
        session = self.get_object()
        try:
            cancelled = session.cancel()
        except WrongTransition as exc:
            raise refused(exc) from exc
        data = {"session_id": session.session_id, "cancelled_records": cancelled}
        return Answer(data, _("Cancelled: %(count)d records.") % {"count": cancelled})

    @extend_schema(request=None, responses={202: StartedSerializer})
    @action(detail=True, methods=["post"], url_path="actions/retry-failed")
    def retry_failed(self, request: Request, session_id: str) -> Answer:
        """A new session for the instances that failed. 409 when none did, or while it runs."""
        try:
            session = self.get_object().retry_failed(created_by=request.user)
        except WrongTransition as exc:
            raise refused(exc) from exc
        return started(session)

    def _records(self, records: QuerySet[SyncInstanceRecord]) -> Response:
        page = self.paginate_queryset(records)
        return self.get_paginated_response(RecordSerializer(page, many=True).data)


def refused(exc: WrongTransition) -> ApiError:
    """The state does not allow what was asked for."""
    return ApiError("SYNC_DATA_ERROR", str(exc), 409)


def started(session: SyncSession) -> Answer:
    """A session is on its way: follow it under /sync-sessions."""
    data: dict[str, Any] = {
        "session_id": session.session_id,
        "total_instances": session.total_instances,
    }
    return Answer(data, _("Started for %(total_instances)d instances.") % data, status=202)
