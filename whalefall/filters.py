"""Filters of lists that refuse what they do not understand, naming the choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.request import Request

from whalefall.paging import LIST_PARAMETERS, unknown

if TYPE_CHECKING:  # DRF's views read the settings that name this module
    from rest_framework.views import APIView


class FilterBackend(DjangoFilterBackend):
    """django-filter for lists; a parameter that no filter has is a 400, not a list of everything.

    Views on one row are left alone.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        if getattr(view, "detail", False):
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        known = (*(filterset.filters if filterset else ()), *LIST_PARAMETERS)
        for name in request.query_params:
            if name not in known:
                raise exceptions.ValidationError({name: unknown(name, known)})
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


def refusal(message: str) -> forms.ValidationError:
    """django-filter fills in the parameters of every message: one that names a value with a percent
    sign has to be a parameter itself.
    """
    return forms.ValidationError("%(message)s", params={"message": message})


class ChoiceField(forms.ChoiceField):
    def validate(self, value: Any) -> None:
        if value and not self.valid_value(value):
            choices: Any = self.choices
            raise refusal(unknown(value, [key for key, _label in choices]))
        super().validate(value)


class ChoiceFilter(django_filters.Filter):
    """One of `choices`; anything else is refused with the list of them."""

    field_class = ChoiceField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [str(key) for key, _label in kwargs["choices"]]
        extend_schema_field({"type": "string", "enum": choices})(self)


class TypedChoiceField(ChoiceField, forms.TypedChoiceField):
    """The choices named first, then the value turned into what is meant."""


@extend_schema_field(bool)
class BooleanFilter(django_filters.Filter):
    """`true` or `false`. django-filter's own takes anything else for "not asked"."""

    field_class = TypedChoiceField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("choices", (("true", "true"), ("false", "false")))
        kwargs.setdefault("coerce", lambda text: text == "true")
        kwargs.setdefault("empty_value", None)
        super().__init__(*args, **kwargs)


class ListField(forms.CharField):
    def clean(self, value: Any) -> list[str]:
        return [part.strip() for part in (super().clean(value) or "").split(",") if part.strip()]


@extend_schema_field(str)
class ListFilter(django_filters.Filter):
    """Values parted by commas: rows that have any of them."""

    field_class = ListField

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return super().filter(queryset, value) if value else queryset


class NumberListField(ListField):
    def clean(self, value: Any) -> list[int]:  # type: ignore[override]
        parts = super().clean(value)
        for part in parts:
            if not (part.isascii() and part.isdecimal() and len(part) < 19):
                message = _("Not a number: %(value)s. Give ids parted by commas.")
                raise refusal(message % {"value": part})
        return [int(part) for part in parts]


@extend_schema_field(str)
class NumberListFilter(ListFilter):
    """Ids parted by commas."""

    field_class = NumberListField
