"""`/accounts/classifications`, their rules and assignments, and what is counted about them."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import InstanceAccount
from classification import daily, history, statistics
from classification import rules as rule_cache
from classification import serializers as shapes
from classification.colors import COLORS
from classification.dsl.nodes import describe
from classification.dsl.predicates import PREDICATES, SCOPES, engine_rules
from classification.explain import explain
from classification.filters import (
    AssignmentFilter,
    ClassificationFilter,
    ExceptionFilter,
    RuleFilter,
)
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationInUse,
    ClassificationRule,
    RiskException,
    ShippedRule,
    SystemClassification,
)
from classification.preview import preview
from whalefall import audit
from whalefall.api import Answer, ApiError
from whalefall.engines import DB_TYPES
from whalefall.engines.observed import Kind
from whalefall.filters import NumberListField
from whalefall.models import User
from whalefall.paging import Pagination, unknown
from whalefall.viewsets import ModelViewSet, ReadOnlyViewSet, ViewSet

WRITABLE = ("get", "post", "put", "delete", "head", "options")
MOST_ROLES = 1000


class ClassificationViewSet(ModelViewSet):
    """Labels for accounts, each with a risk."""

    queryset = AccountClassification.objects.annotate(
        rule_count=Count("rules"), account_count=statistics.given("classification")
    ).order_by("-priority", "name")
    serializer_class = shapes.ClassificationSerializer
    filterset_class = ClassificationFilter
    http_method_names = WRITABLE
    sort_fields = {"priority": "priority", "name": "name", "risk_level": "risk_level"}

    def perform_destroy(self, classification: AccountClassification) -> None:
        try:
            classification.delete()
        except SystemClassification as exc:
            raise ApiError("SYSTEM_CLASSIFICATION", exc.messages[0]) from exc
        except ClassificationInUse as exc:
            raise ApiError("CLASSIFICATION_IN_USE", exc.messages[0], 409) from exc

    @extend_schema(responses=shapes.ColorSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None, filter_backends=())
    def colors(self, request: Request) -> Answer:
        """The colours to choose from."""
        return Answer([{"name": name, "value": value} for name, value in COLORS.items()])

    @extend_schema(
        parameters=[OpenApiParameter("db_type", str, "path", enum=list(DB_TYPES))],
        responses=shapes.PrivilegeOptionsSerializer,
        filters=False,
    )
    @action(
        detail=False,
        url_path=r"permissions/(?P<db_type>\w+)",
        pagination_class=None,
        filter_backends=(),
    )
    def permissions(self, request: Request, db_type: str) -> Answer:
        """Privileges per scope, capabilities, roles and functions that a rule may name."""
        if db_type not in DB_TYPES:
            raise ApiError("RESOURCE_NOT_FOUND", unknown(db_type, DB_TYPES), 404)
        return Answer(_options(db_type))


def _options(db_type: str) -> dict[str, Any]:
    rules = engine_rules(db_type)
    roles = InstanceAccount.objects.filter(
        db_type=db_type, kind__in=(Kind.ROLE, Kind.GROUP), is_active=True
    )
    privileges = {
        scope: sorted({name for each in inner for name in rules.privileges.get(each, ())})
        for scope, inner in SCOPES.items()
    }
    return {
        "db_type": db_type,
        "scopes": {scope: names for scope, names in privileges.items() if names},
        "capabilities": sorted(rules.capabilities_known),
        "roles": list(
            roles.order_by("username").values_list("username", flat=True).distinct()[:MOST_ROLES]
        ),
        "functions": [
            {
                "name": name,
                "help": predicate.help,
                "parameters": [
                    {
                        "name": parameter.name,
                        "type": parameter.type,
                        "required": parameter.required,
                        "choices": list(parameter.choices(rules)),
                    }
                    for parameter in predicate.parameters
                ],
            }
            for name, predicate in sorted(PREDICATES.items())
        ],
    }


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


class CacheViewSet(ViewSet):
    """The cache of rules. It can only cost time, never make old rules count."""

    queryset = ClassificationRule.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=shapes.CacheStatsSerializer)
    @action(detail=False)
    def stats(self, request: Request) -> Answer:
        """Which cache there is, and what it holds."""
        backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
        return Answer({"backend": backend, "classification": rule_cache.cache_stats()})

    @extend_schema(responses={200: {"type": "object", "additionalProperties": {}}})
    @action(detail=False, url_path="classification/stats")
    def classification_stats(self, request: Request) -> Answer:
        """Per engine: the version of its rules, whether they are cached, how many they are."""
        return Answer(rule_cache.cache_stats())

    @extend_schema(responses=shapes.ClearedSerializer)
    @action(
        detail=False,
        methods=["post"],
        url_path="actions/clear-classification",
        serializer_class=shapes.ClearSerializer,
    )
    def clear_classification(self, request: Request) -> Answer:
        """Forget the cached rules, of one engine or all."""
        cleared = rule_cache.clear_cache(self.validated().get("db_type"))
        return Answer({"cleared": cleared}, _("Cleared."))


ONE = forced_singular_serializer(shapes.StatisticsSerializer)
"""What a view called `list` answers where that is no list."""


class StatisticsViewSet(ViewSet):
    """Numbers about accounts."""

    queryset = InstanceAccount.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(operation_id="accounts_statistics", responses=ONE)
    def list(self, request: Request) -> Answer:
        """All of the others in one answer, without the rules."""
        return Answer(
            {
                "summary": statistics.summary(),
                "db_types": statistics.db_types(),
                "classifications": statistics.classifications(),
            }
        )

    @extend_schema(responses=shapes.SummarySerializer)
    @action(detail=False)
    def summary(self, request: Request) -> Answer:
        return Answer(statistics.summary())

    @extend_schema(responses=shapes.AccountsOfEngineSerializer(many=True))
    @action(detail=False, url_path="db-types")
    def db_types(self, request: Request) -> Answer:
        return Answer(statistics.db_types())

    @extend_schema(responses=shapes.AccountsClassifiedSerializer(many=True))
    @action(detail=False)
    def classifications(self, request: Request) -> Answer:
        return Answer(statistics.classifications())

    @extend_schema(responses=shapes.RuleStatsSerializer(many=True))
    @action(detail=False)
    def rules(self, request: Request) -> Answer:
        return Answer(statistics.rules())

    @extend_schema(
        parameters=[shapes.HistoryQuerySerializer], responses=shapes.CurveSerializer(many=True)
    )
    @action(detail=False)
    def history(self, request: Request) -> Answer:
        """Day by day, oldest first, for plots: how many accounts were at each risk, had each
        classification, or had it by each rule.
        """
        query = shapes.HistoryQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        keys = [key.strip() for key in asked["key"].split(",") if key.strip()]
        return Answer(daily.curves(asked["kind"], asked["days"], keys))
