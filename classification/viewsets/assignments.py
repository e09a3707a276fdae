"""`/accounts/classifications/assignments`: who has which classification now."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request

from classification import serializers as shapes
from classification.explain import explain
from classification.filters import (
    AssignmentFilter,
)
from classification.models import (
    AccountClassificationAssignment,
)
from whalefall.api import Answer, ApiError
from whalefall.models import User
from whalefall.viewsets import ViewSet


class AssignmentViewSet(mixins.ListModelMixin, ViewSet):
    """Who has which classification now."""

    queryset = AccountClassificationAssignment.objects.filter(
        is_active=True, account__instance__deleted_at=None
    )
    serializer_class = shapes.AssignmentSerializer
    filterset_class = AssignmentFilter
    write_right = "operate"
    sort_fields = {
        "assigned_at": "assigned_at",
        "username": "account__account__username",
        "classification": "classification__name",
    }

    def get_queryset(self) -> QuerySet[AccountClassificationAssignment]:
        found = (
            super()
            .get_queryset()
            .select_related(
                "account__account",
                "account__instance",
                "classification",
                "rule",
                "assigned_by",
                "acceptance__exception",
            )
        )
        if self.action == "explain":
            return found
        return found.defer(
            "account__permission_snapshot", "account__permission_facts", "account__fact_tokens"
        )

    @extend_schema(request=shapes.AssignSerializer, responses={201: shapes.AssignmentSerializer})
    def create(self, request: Request) -> Answer:
        """Give a classification by hand. It stays until a person ends it."""
        serializer = shapes.AssignSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        permission = getattr(given["account_id"], "permission", None)
        if permission is None:
            message = _("Nothing is known about the rights of %(name)s yet: synchronise first.")
            name = given["account_id"].username
            raise ApiError("SNAPSHOT_MISSING", message % {"name": name}, 409)
        assignment = AccountClassificationAssignment.objects.assign(
            permission, given["classification_id"], cast(User, request.user), given["note"]
        )
        return Answer(shapes.AssignmentSerializer(assignment).data, _("Assigned."), status=201)

    @extend_schema(responses=None)
    def destroy(self, request: Request, pk: str) -> Answer:
        """End it. What a rule gave stays off until the rule or the account's facts change."""
        self.get_object().deactivate(request.user)
        return Answer(None, _("Ended."))

    @extend_schema(responses=shapes.ExplanationSerializer)
    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Answer:
        """The rule, what each of its questions says about the account, and the paths."""
        return Answer(shapes.ExplanationSerializer(explain(self.get_object())).data)
