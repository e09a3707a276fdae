"""`/accounts/classifications/rules`: rules, and drafts of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import IntegrityError
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from classification import history, statistics
from classification import serializers as shapes
from classification.dsl.nodes import describe
from classification.filters import (
    RuleFilter,
)
from classification.models import (
    ClassificationRule,
    ShippedRule,
)
from classification.preview import preview
from classification.viewsets.classifications import WRITABLE
from whalefall.api import Answer, ApiError
from whalefall.filters import NumberListField
from whalefall.paging import Pagination
from whalefall.viewsets import ModelViewSet


class RuleViewSet(ModelViewSet):
    """Expressions over an account's facts. A change counts from the next run on."""

    queryset = ClassificationRule.objects.select_related("classification")
    serializer_class = shapes.RuleSerializer
    filterset_class = RuleFilter
    http_method_names = WRITABLE
    pagination_class = None  # of the list, which is whole
    sort_fields = {"rule_name": "rule_name", "db_type": "db_type", "updated_at": "updated_at"}
    rights = {"validate_expression": "view", "preview": "view"}

    def get_serializer_class(self) -> Any:
        if self.action == "retrieve":
            return shapes.RuleDetailSerializer
        return super().get_serializer_class()

    @extend_schema(
        responses=forced_singular_serializer(shapes.RulesByEngineSerializer), filters=True
    )
    def list(self, request: Request) -> Answer:
        """All rules by engine; those of one page are at /rules/filter."""
        found = self.filter_queryset(self.get_queryset())
        grouped: dict[str, list[Any]] = {}
        for rule in self.get_serializer(found, many=True).data:
            grouped.setdefault(rule["db_type"], []).append(rule)
        total = sum(len(rules) for rules in grouped.values())
        return Answer({"rules_by_db_type": grouped, "total": total})

    @extend_schema(responses=shapes.RuleSerializer(many=True), filters=True)
    @action(detail=False, pagination_class=Pagination)
    def filter(self, request: Request) -> Any:
        """One page of rules."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("rule_ids", str, description="1,2,3; all without it.")],
        responses=shapes.RuleStatsSerializer(many=True),
        filters=False,
    )
    @action(detail=False, pagination_class=None, filter_backends=())
    def stats(self, request: Request) -> Answer:
        """How many accounts each rule gives its classification to."""
        try:
            ids = NumberListField(required=False).clean(request.query_params.get("rule_ids"))
        except forms.ValidationError as exc:
            raise ValidationError({"rule_ids": exc.messages}) from exc
        return Answer(statistics.rules(ids or None))

    @extend_schema(responses=shapes.CheckedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/validate-expression",
        serializer_class=shapes.DraftSerializer,
    )
    def validate_expression(self, request: Request) -> Answer:
        """The canonical form and what it says in words; else every error with its path."""
        expression = self._draft()
        reads_as = describe(expression.root)
        data = {"valid": True, "canonical": expression.canonical(), "reads_as": reads_as}
        return Answer(data, _("The expression is valid."))

    @extend_schema(responses=shapes.PreviewSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/preview",
        serializer_class=shapes.PreviewRequestSerializer,
    )
    def preview(self, request: Request) -> Answer:
        """Which accounts a draft would add, drop and leave unknown, with evidence."""
        given = self.validated()
        expression = self._draft(given)
        rule_id, chosen = given.get("rule_id"), given.get("classification")
        classification_id = chosen.pk if chosen else None
        if rule_id is not None:
            rule = self.get_queryset().filter(pk=rule_id).first()
            if rule is None:
                raise ValidationError({"rule_id": _("No such rule: %(id)s.") % {"id": rule_id}})
            classification_id = classification_id or rule.classification_id
        return Answer(preview(expression, classification_id, rule_id, given["limit"]))

    def _draft(self, given: dict[str, Any] | None = None) -> Any:
        given = given or self.validated()
        draft = ClassificationRule(
            db_type=given["db_type"], rule_expression=given["rule_expression"]
        )
        return shapes.parsed_or_refused(draft)

    def perform_destroy(self, rule: ClassificationRule) -> None:
        try:
            rule.delete()
        except ShippedRule as exc:
            raise ApiError("SYSTEM_RULE", exc.messages[0]) from exc

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer)

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer)

    def _save(self, serializer: Any) -> None:
        before = serializer.instance.content() if serializer.instance else None
        try:
            rule = serializer.save()
        except IntegrityError as exc:  # somebody took the name between the check and now
            raise shapes.name_exists("rule_name", serializer.validated_data["rule_name"]) from exc
        history.record(self.request.user, rule, before)
