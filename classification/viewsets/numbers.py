"""`/accounts/statistics` and `/cache`: what is counted, and what is kept to be quick."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from accounts.models import InstanceAccount
from classification import daily, statistics
from classification import rules as rule_cache
from classification import serializers as shapes
from classification.models import (
    ClassificationRule,
)
from whalefall.api import Answer
from whalefall.viewsets import ViewSet


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
