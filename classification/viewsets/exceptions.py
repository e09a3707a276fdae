"""`/accounts/classifications/exceptions`: risks that people accept."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from classification import serializers as shapes
from classification.filters import (
    ExceptionFilter,
)
from classification.models import (
    RiskException,
)
from whalefall import audit
from whalefall.api import Answer
from whalefall.viewsets import ReadOnlyViewSet


class ExceptionViewSet(ReadOnlyViewSet):
    """Risks that a person accepts for a while."""

    queryset = RiskException.objects.select_related(
        "account", "classification", "rule", "created_by", "ended_by"
    )
    serializer_class = shapes.ExceptionSerializer
    filterset_class = ExceptionFilter
    write_right = "operate"
    sort_fields = {"created_at": "created_at", "ends_on": "ends_on"}

    def create(self, request: Request) -> Answer:
        """Accept a risk. What it covers stays visible and counts for nothing until it ends."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(created_by=request.user)
        audit.note(serializer.instance)
        return Answer(serializer.data, _("Accepted."), status=201)

    @extend_schema(responses=shapes.ExceptionSerializer)
    def destroy(self, request: Request, pk: str) -> Answer:
        """End it: the risk counts again at once. Who accepted what, and why, stays on record."""
        found = self.get_object()
        ended = found.end(request.user)
        message = _("Ended.") if ended else _("It had ended before.")
        return Answer(self.get_serializer(found).data, message)
