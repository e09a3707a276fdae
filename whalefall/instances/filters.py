"""What lists of instances and credentials can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from whalefall.filters import BooleanFilter, ChoiceFilter, ListFilter
from whalefall.instances.models import DB_TYPE_CHOICES, Credential, Instance

STATUS_CHOICES = (("active", _("active")), ("inactive", _("inactive")), ("deleted", _("deleted")))


class InstanceFilter(django_filters.FilterSet):
    """Those in the recycle bin are left out unless asked for."""

    search = django_filters.CharFilter(method="search_in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES)
    status = ChoiceFilter(choices=STATUS_CHOICES, method="with_status")
    tags = ListFilter(method="tagged")
    environment = django_filters.CharFilter()
    include_deleted = BooleanFilter(method="unchanged")

    class Meta:
        model = Instance
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        if asked["include_deleted"] or asked["status"] == "deleted":
            return found
        return found.filter(deleted_at=None)

    def unchanged(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(
            Q(name__icontains=text) | Q(host__icontains=text) | Q(description__icontains=text)
        )

    def with_status(self, queryset: QuerySet[Any], name: str, status: str) -> QuerySet[Any]:
        if status == "deleted":
            return queryset.exclude(deleted_at=None)
        return queryset.filter(deleted_at=None, is_active=status == "active")

    def tagged(self, queryset: QuerySet[Any], name: str, tags: list[str]) -> QuerySet[Any]:
        # A subquery: a join would bring an instance back once per tag.
        return queryset.filter(pk__in=Instance.objects.filter(tags__name__in=tags).values("pk"))


class CredentialFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="search_in")
    db_type = ChoiceFilter(choices=DB_TYPE_CHOICES)
    is_active = BooleanFilter()

    class Meta:
        model = Credential
        fields: tuple[str, ...] = ()

    def search_in(self, queryset: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return queryset.filter(Q(name__icontains=text) | Q(username__icontains=text))
