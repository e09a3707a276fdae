"""The ledger as it is served: accounts together with their classifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.filters import LedgerFilter
from accounts.models import InstanceAccount
from accounts.serializers import LedgerSerializer
from accounts.viewsets import LedgerViewSet
from classification import risks
from classification.models import AccountClassificationAssignment, RiskLevel
from classification.narrow import at_risk
from whalefall.filters import ChoiceFilter, ListFilter

ACTIVE = AccountClassificationAssignment.objects.filter(is_active=True)


class LabelSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="classification.pk")
    name = serializers.CharField(source="classification.name")
    display_name = serializers.CharField(source="classification.display_name")
    risk_level = serializers.CharField(source="classification.risk_level")
    color = serializers.CharField(source="classification.color")
    assignment_id = serializers.IntegerField(source="pk")
    assignment_type = serializers.CharField()
    accepted_until = serializers.DateField(source="accepted.ends_on", allow_null=True, default=None)


class ClassifiedLedgerSerializer(LedgerSerializer):
    """`risk_level`: the highest of the classifications whose risk nobody accepted."""

    risk_level = serializers.SerializerMethodField()
    classifications = serializers.SerializerMethodField()

    class Meta(LedgerSerializer.Meta):
        fields = (*LedgerSerializer.Meta.fields, "risk_level", "classifications")

    @extend_schema_field(serializers.ChoiceField(RiskLevel.choices, allow_null=True))
    def get_risk_level(self, account: InstanceAccount) -> str | None:
        return risk_of(account)

    @extend_schema_field(LabelSerializer(many=True))
    def get_classifications(self, account: InstanceAccount) -> Any:
        return LabelSerializer(labels(account), many=True).data


def labels(account: InstanceAccount) -> list[AccountClassificationAssignment]:
    """The active assignments of an account, of highest priority first, as prefetched."""
    permission = getattr(account, "permission", None)
    return permission.labels if permission else []


def risk_of(account: InstanceAccount) -> RiskLevel | None:
    """The stored risk; None where there is none, or all of it is accepted."""
    risk = getattr(getattr(account, "permission", None), "risk", None)
    return RiskLevel.of_rank(risk.level) if risk else None


class ClassifiedLedgerFilter(LedgerFilter):
    """`classification` takes codes or ids."""

    classification = ListFilter(method="classified")
    risk_level = ChoiceFilter(choices=RiskLevel.choices, method="of_risk")

    def classified(self, queryset: QuerySet[Any], name: str, values: list[str]) -> QuerySet[Any]:
        ids = [int(value) for value in values if value.isascii() and value.isdecimal()]
        wanted = Q(classification__name__in=values) | Q(classification__in=ids)
        return queryset.filter(permission__in=ACTIVE.filter(wanted).values("account"))

    def of_risk(self, queryset: QuerySet[Any], name: str, level: str) -> QuerySet[Any]:
        return at_risk(queryset, [RiskLevel(level).rank])


class ClassifiedLedgerViewSet(LedgerViewSet):
    """Every account on every instance that is not in the recycle bin."""

    serializer_class = ClassifiedLedgerSerializer
    filterset_class = ClassifiedLedgerFilter
    sort_fields = {**LedgerViewSet.sort_fields, "risk": "permission__risk__level"}

    def get_queryset(self) -> QuerySet[InstanceAccount]:
        by_priority = ACTIVE.select_related("classification", "acceptance").order_by(
            "-classification__priority", "classification__name"
        )
        assignments = Prefetch("permission__assignments", by_priority, to_attr="labels")
        found = super().get_queryset().select_related("permission__risk")
        return found.prefetch_related(assignments)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        risks.settle()
        return super().filter_queryset(queryset)

    def export_header(self) -> tuple[str, ...]:
        return (*super().export_header(), "classifications", "risk_level")

    def export_rows(self, accounts: QuerySet[InstanceAccount]) -> Iterator[list[Any]]:
        for account in accounts.iterator(chunk_size=1000):
            names = [label.classification.name for label in labels(account)]
            yield [*self.export_row(account), " ".join(names), risk_of(account)]
