"""What lists of classifications, rules and assignments can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import InstanceAccount
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
    RiskException,
    RiskLevel,
)
from whalefall.filters import BooleanFilter, ChoiceFilter, NumberListFilter
from whalefall.instances.models import DB_TYPE_CHOICES


class ClassificationFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="search_in")
    risk_level = ChoiceFilter(choices=RiskLevel.choices)
    is_active = BooleanFilter()
    is_system = BooleanFilter()

    class Meta:
        model = AccountClassification
        fields: tuple[str, ...] = ()

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(Q(name__icontains=text) | Q(display_name__icontains=text))


class RuleFilter(django_filters.FilterSet):
    classification_id = NumberListFilter(field_name="classification_id", lookup_expr="in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES)
    is_active = BooleanFilter()
    search = django_filters.CharFilter(field_name="rule_name", lookup_expr="icontains")

    class Meta:
        model = ClassificationRule
        fields: tuple[str, ...] = ()


class AssignmentFilter(django_filters.FilterSet):
    account_id = NumberListFilter(field_name="account__account_id", lookup_expr="in")
    instance_id = NumberListFilter(field_name="account__instance_id", lookup_expr="in")
    classification_id = NumberListFilter(field_name="classification_id", lookup_expr="in")
    rule_id = NumberListFilter(field_name="rule_id", lookup_expr="in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES, field_name="account__db_type")
    assignment_type = ChoiceFilter(choices=AccountClassificationAssignment.Type.choices)
    risk_level = ChoiceFilter(choices=RiskLevel.choices, field_name="classification__risk_level")
    search = django_filters.CharFilter(method="search_in")
    accepted = BooleanFilter(method="is_accepted")

    class Meta:
        model = AccountClassificationAssignment
        fields: tuple[str, ...] = ()

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(InstanceAccount.objects.named(text).condition("account__account__"))

    def is_accepted(self, queryset: QuerySet[Any], name: str, wanted: bool) -> QuerySet[Any]:
        return queryset.accepted(wanted)  # type: ignore[attr-defined]


STATE_CHOICES = (("holding", _("holding")), ("expired", _("expired")), ("ended", _("ended")))


class ExceptionFilter(django_filters.FilterSet):
    account = NumberListFilter(field_name="account_id", lookup_expr="in")
    instance = NumberListFilter(field_name="instance_id", lookup_expr="in")
    classification = NumberListFilter(field_name="classification_id", lookup_expr="in")
    rule = NumberListFilter(field_name="rule_id", lookup_expr="in")
    state = ChoiceFilter(choices=STATE_CHOICES, method="in_state")

    class Meta:
        model = RiskException
        fields: tuple[str, ...] = ()

    def in_state(self, queryset: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        return queryset.in_state(state)  # type: ignore[attr-defined]
