"""What the ledger can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from accounts import tokens
from accounts.access import Access, UnknownQuestion
from accounts.models import KIND_CHOICES, AccountPermission, InstanceAccount
from whalefall.filters import BooleanFilter, ChoiceFilter, ListFilter, NumberListFilter
from whalefall.instances.models import DB_TYPE_CHOICES, Instance

STATUS_CHOICES = (("active", _("active")), ("gone", _("gone")), ("all", _("all")))


class LedgerFilter(django_filters.FilterSet):
    """Accounts that are gone are left out unless asked for with `status`, those that come with the
    product unless `include_system`.
    """

    search = django_filters.CharFilter(method="search_in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES)
    instance = NumberListFilter(field_name="instance_id", lookup_expr="in")
    tags = ListFilter(method="tagged")
    is_superuser = BooleanFilter(field_name="permission__is_superuser")
    is_locked = BooleanFilter(field_name="permission__is_locked")
    can_login = BooleanFilter(field_name="permission__can_login")
    kind = ChoiceFilter(choices=KIND_CHOICES)
    status = ChoiceFilter(choices=STATUS_CHOICES, method="unchanged")
    include_system = BooleanFilter(method="unchanged")
    capability = django_filters.CharFilter(method="with_capability")
    role = django_filters.CharFilter(method="in_role")
    privilege = django_filters.CharFilter(method="with_privilege")
    object = django_filters.CharFilter(method="unchanged")

    class Meta:
        model = InstanceAccount
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        if not self.form.cleaned_data["include_system"]:
            found = found.shown()
        status = self.form.cleaned_data["status"] or "active"
        return found if status == "all" else found.filter(is_active=status == "active")

    def unchanged(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        # The few instances first: with their ids the store can join both answers by index.
        there = Instance.objects.filter(Q(name__icontains=text) | Q(host__icontains=text))
        instances = list(there.values_list("pk", flat=True)[:1000])
        named = InstanceAccount.objects.named(text)
        found = queryset.filter(named.condition() | Q(instance_id__in=instances))
        # So many are in no order: a text that all names begin with would be found after the rest.
        return found.order_by("pk") if named.is_many else found

    def tagged(self, queryset: QuerySet[Any], name: str, tags: list[str]) -> QuerySet[Any]:
        tagged = Instance.objects.filter(tags__name__in=tags)
        return queryset.filter(instance__in=tagged.values("pk"))

    def with_capability(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return _among(queryset, AccountPermission.objects.having(tokens.capability(text.upper())))

    def in_role(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return _among(queryset, AccountPermission.objects.having(tokens.role(text)))

    def with_privilege(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """In any scope; with `object` (`sales.orders`) whoever has it there, by whatever grant."""
        placed = self.form.cleaned_data.get("object")
        if not placed:
            return _among(queryset, AccountPermission.objects.holding(text))
        try:
            access = Access(text, placed)
        except UnknownQuestion as exc:
            raise ValidationError({"privilege": str(exc)}) from exc
        return _among(queryset, access.accounts().select_related(None))


def _among(queryset: QuerySet[Any], found: QuerySet[AccountPermission]) -> QuerySet[Any]:
    return queryset.filter(permission__in=found.order_by().values("pk"))
