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
from classification.models import AccountClassificationAssignment, RiskLevel
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


class ClassifiedLedgerSerializer(LedgerSerializer):
    classifications = serializers.SerializerMethodField()

    class Meta(LedgerSerializer.Meta):
        fields = (*LedgerSerializer.Meta.fields, "classifications")

    @extend_schema_field(LabelSerializer(many=True))
    def get_classifications(self, account: InstanceAccount) -> Any:
        return LabelSerializer(labels(account), many=True).data


def labels(account: InstanceAccount) -> list[AccountClassificationAssignment]:
    """The active assignments of an account, of highest priority first, as prefetched."""
    permission = getattr(account, "permission", None)
    return permission.labels if permission else []


class ClassifiedLedgerFilter(LedgerFilter):
    """`classification` takes codes or ids."""

    classification = ListFilter(method="classified")
    risk_level = ChoiceFilter(choices=RiskLevel.choices, method="of_risk")

    def classified(self, queryset: QuerySet[Any], name: str, values: list[str]) -> QuerySet[Any]:
        ids = [int(value) for value in values if value.isascii() and value.isdecimal()]
        wanted = Q(classification__name__in=values) | Q(classification__in=ids)
        return queryset.filter(permission__in=ACTIVE.filter(wanted).values("account"))

    def of_risk(self, queryset: QuerySet[Any], name: str, level: str) -> QuerySet[Any]:
        found = ACTIVE.filter(classification__risk_level=level)
        return queryset.filter(permission__in=found.values("account"))


class ClassifiedLedgerViewSet(LedgerViewSet):
    """Every account on every instance that is not in the recycle bin."""

    serializer_class = ClassifiedLedgerSerializer
    filterset_class = ClassifiedLedgerFilter

    def get_queryset(self) -> QuerySet[InstanceAccount]:
        by_priority = ACTIVE.select_related("classification").order_by(
            "-classification__priority", "classification__name"
        )
        assignments = Prefetch("permission__assignments", by_priority, to_attr="labels")
        return super().get_queryset().prefetch_related(assignments)

    def export_header(self) -> tuple[str, ...]:
        return (*super().export_header(), "classifications")

    def export_rows(self, accounts: QuerySet[InstanceAccount]) -> Iterator[list[Any]]:
        for account in accounts.iterator(chunk_size=1000):
            names = [label.classification.name for label in labels(account)]
            yield [*self.export_row(account), " ".join(names)]
