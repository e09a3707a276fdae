"""What lists of notifications can be narrowed by."""

from __future__ import annotations

import django_filters

from notify.models import Alert, Channel, Delivery, Rule
from whalefall.filters import BooleanFilter, ChoiceFilter, NumberListFilter


class ChannelFilter(django_filters.FilterSet):
    search = django_filters.CharFilter("name", "icontains")
    kind = ChoiceFilter(choices=Channel.Kind.choices)
    is_active = BooleanFilter()

    class Meta:
        model = Channel
        fields: tuple[str, ...] = ()


class RuleFilter(django_filters.FilterSet):
    search = django_filters.CharFilter("name", "icontains")
    kind = ChoiceFilter(choices=Rule.Kind.choices)
    is_active = BooleanFilter()

    class Meta:
        model = Rule
        fields: tuple[str, ...] = ()


class DeliveryFilter(django_filters.FilterSet):
    status = ChoiceFilter(choices=Delivery.Status.choices)
    channel = NumberListFilter("channel_id", "in")
    is_test = BooleanFilter()

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ()


class AlertFilter(django_filters.FilterSet):
    rule = NumberListFilter("rule_id", "in")
    kind = ChoiceFilter("rule__kind", choices=Rule.Kind.choices)

    class Meta:
        model = Alert
        fields: tuple[str, ...] = ()
