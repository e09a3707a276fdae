"""Lists: `page`, `limit`, `sort` and `order`, alike on every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions, filters, pagination
from rest_framework.request import Request
from rest_framework.response import Response

from whalefall import big_lists
from whalefall.api import Answer
from whalefall.big_lists import Extent

if TYPE_CHECKING:  # DRF's views read the settings that name this module
    from rest_framework.views import APIView

LIST_PARAMETERS = ("page", "limit", "sort", "order", "format")
ORDERING = ("sort", "order")
LONGEST_PAGE = 200
LAST_PAGE = 10_000_000


class Pagination(pagination.BasePagination):
    """`page` from 1, `limit` up to 200. Totals stand in `data` beside the items.

    What is longer than `API_ESTIMATE_ABOVE` rows is not counted: its total is estimated, and
    `meta.total_is_estimate` says so. A page behind the end is empty.
    """

    page_size = 20

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        _refuse_unknown(request, view)
        self.page = _number(request, "page", 1, LAST_PAGE)
        self.limit = _number(request, "limit", self.page_size, LONGEST_PAGE)
        extent = self._extent(queryset)
        self.total, self.is_estimate = extent.total, extent.is_estimate
        first = (self.page - 1) * self.limit
        if first >= self.total and not self.is_estimate:
            return []
        if isinstance(queryset, QuerySet) and not queryset.query.combinator:
            return list(big_lists.part(queryset, first, self.limit, extent))
        return list(queryset[first : first + self.limit])

    def _extent(self, rows: Any) -> Extent:
        if isinstance(rows, QuerySet):
            return big_lists.extent(rows, settings.API_ESTIMATE_ABOVE)
        return Extent(len(rows))

    def get_paginated_response(self, data: Any) -> Response:
        body = {
            "items": data,
            "total": self.total,
            "page": self.page,
            "pages": -(-self.total // self.limit),
            "limit": self.limit,
        }
        return Answer(body, meta={"total_is_estimate": True} if self.is_estimate else None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        numbers = ("total", "page", "pages", "limit")
        properties = {"items": schema, **{name: {"type": "integer"} for name in numbers}}
        return {"type": "object", "required": ["items", *numbers], "properties": properties}

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            _parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": 20},
            ),
        ]


def _refuse_unknown(request: Request, view: APIView | None) -> None:
    """A parameter that a list below a row does not have, or an order where there is only one, is a
    400 as an unknown filter is elsewhere.
    """
    below, asked = getattr(view, "detail", False), set(request.query_params)
    has_order = bool(_sort_fields(view)) and not below
    choices = [name for name in LIST_PARAMETERS if has_order or name not in ORDERING]
    wrong = asked - set(choices) if below else asked & set(ORDERING) - set(choices)
    if wrong:
        raise exceptions.ValidationError({name: unknown(name, choices) for name in sorted(wrong)})


def _number(request: Request, name: str, default: int, largest: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    # isdecimal alone takes other scripts' digits, which int() reads but nobody means.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= largest):
        message = _("Not usable: %(value)s. Must be a whole number from 1 to %(largest)s.")
        raise exceptions.ValidationError({name: message % {"value": text, "largest": largest}})
    return int(text)


class SortFilter(filters.BaseFilterBackend):
    """`sort=name&order=desc` over the view's `sort_fields`; unknown ones are a 400 with the
    choices.

    `sort_fields` maps what people write to the column: `{"name": "name"}`. The first one is what
    `order` alone turns round.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        fields = _sort_fields(view)
        name, order = request.query_params.get("sort"), request.query_params.get("order")
        if not fields or (name is None and order is None):
            return queryset
        name = next(iter(fields)) if name is None else name
        order = "asc" if order is None else order
        _known("sort", name, fields)
        _known("order", order, {"asc": "", "desc": "-"})
        # The primary key last, so that pages never overlap.
        if order == "asc":
            return queryset.order_by(fields[name], "pk")
        return queryset.order_by(_downwards(queryset, fields[name]), "-pk")

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        fields = _sort_fields(view)
        if not fields:
            return []
        return [
            _parameter("sort", {"type": "string", "enum": list(fields)}),
            _parameter("order", {"type": "string", "enum": ["asc", "desc"], "default": "asc"}),
        ]


def _downwards(queryset: QuerySet[Any], column: str) -> Any:
    """The largest first and "not known" last, as upwards. Only where a column may be NULL: no
    index is in that order. What is calculated may be.
    """
    options: Any = queryset.model._meta
    may_be_null = column in queryset.query.annotations
    for part in () if may_be_null else column.split("__"):
        field = options.get_field(part)
        options = field.related_model._meta if field.is_relation else None
        may_be_null = may_be_null or field.null or not field.concrete
    return F(column).desc(nulls_last=True) if may_be_null else f"-{column}"


def _sort_fields(view: APIView | None) -> Mapping[str, str]:
    fields: Mapping[str, str] = getattr(view, "sort_fields", {})
    return fields


def _known(parameter: str, value: str, choices: Mapping[str, str]) -> None:
    if value not in choices:
        raise exceptions.ValidationError({parameter: unknown(value, choices)})


def unknown(value: Any, choices: Any) -> str:
    """ "Unknown: x. Must be one of: a, b." """
    return _("Unknown: %(value)s. Must be one of: %(choices)s.") % {
        "value": value,
        "choices": ", ".join(str(choice) for choice in choices),
    }


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}
