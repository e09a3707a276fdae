"""`/accounts/classifications`: the labels, and what rules may name."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from accounts.models import InstanceAccount
from classification import serializers as shapes
from classification import statistics
from classification.colors import COLORS
from classification.dsl.predicates import PREDICATES, SCOPES, engine_rules
from classification.filters import (
    ClassificationFilter,
)
from classification.models import (
    AccountClassification,
    ClassificationInUse,
    SystemClassification,
)
from whalefall.api import Answer, ApiError
from whalefall.engines import DB_TYPES
from whalefall.engines.observed import Kind
from whalefall.paging import unknown
from whalefall.viewsets import ModelViewSet

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
