"""The API's manners: one envelope for every answer, one shape of error, paging and sorting
alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions, filters, pagination, renderers, status
from rest_framework.request import Request
from rest_framework.response import Response

if TYPE_CHECKING:  # DRF's views read the settings that name this module
    from rest_framework.views import APIView

logger = structlog.get_logger(__name__)


class ApiError(exceptions.APIException):
    """An answer that says no: `ApiError("TAG_IN_USE", _("..."), 409)`, with details per field."""

    def __init__(
        self,
        code: str,
        message: str,
        status_code: int = 400,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        self.status_code = status_code
        self.message_code = code
        self.errors = errors or []
        super().__init__(message, code)


class EnvelopeRenderer(renderers.JSONRenderer):
    """JSON in the envelope of design section 9. A view gives data; `response.message` and
    `response.meta` when it has more to say.
    """

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if response is not None and not getattr(response, "is_envelope", False):
            data = envelope(data, response)
        rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        return rendered


class BrowsableRenderer(renderers.BrowsableAPIRenderer):
    """The browsable API, showing the same envelope as programs get."""

    def get_default_renderer(self, view: APIView) -> renderers.BaseRenderer:
        return EnvelopeRenderer()


def envelope(data: Any, response: Response) -> dict[str, Any]:
    """A success; the message and meta are taken from the response object where a view set them."""
    body = {
        "success": True,
        "error": False,
        "message": str(getattr(response, "message", "") or _("OK")),
        "timestamp": timezone.now().isoformat(),
        "data": data,
    }
    if (meta := getattr(response, "meta", None)) is not None:
        body["meta"] = meta
    return body


CODES = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_REQUIRED",
    403: "PERMISSION_REQUIRED",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "INVALID_REQUEST",
    409: "CONSTRAINT_VIOLATION",
    415: "INVALID_REQUEST",
    429: "RATE_LIMIT_EXCEEDED",
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Every error in the envelope, unhandled ones as 500 with their traceback in the log only."""
    from rest_framework.views import exception_handler as default_handler

    request = context.get("request")
    request_id = getattr(request, "META", {}).get("whalefall.request_id", "")
    response = default_handler(exc, dict(context))
    if response is None:
        logger.exception("request_failed", error=type(exc).__name__)
        response = Response(status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    response.data = failure(exc, response.status_code, request_id)
    response.is_envelope = True  # type: ignore[attr-defined]
    return response


def failure(exc: Exception, status_code: int, request_id: str) -> dict[str, Any]:
    """The body of an error answer."""
    errors: list[dict[str, str]] = []
    code = CODES.get(status_code, "INTERNAL_ERROR")
    message = _("Something went wrong on our side.")
    if isinstance(exc, ApiError):
        code, message, errors = exc.message_code, str(exc.detail), exc.errors
    elif isinstance(exc, exceptions.ValidationError):
        code, errors = "VALIDATION_ERROR", list(_flat(exc.detail))
        message = errors[0]["message"] if errors else _("The request is not valid.")
    elif isinstance(exc, exceptions.APIException):
        message = str(exc.detail)
        if isinstance(exc, exceptions.PermissionDenied) and message.startswith("CSRF"):
            code = "CSRF_MISSING" if "missing" in message else "CSRF_INVALID"
    elif status_code == 404:
        message = _("Not found.")
    elif status_code == 403:
        message = _("You may not do this.")
    body: dict[str, Any] = {
        "success": False,
        "error": True,
        "message": message,
        "message_code": code,
        "timestamp": timezone.now().isoformat(),
        "request_id": request_id,
    }
    if errors:
        body["errors"] = errors
    return body


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list | tuple)
            yield from _flat(value, f"{path}[{index}]" if nested else path)
    else:
        yield {
            "path": path,
            "message": str(detail),
            "code": str(getattr(detail, "code", None) or "invalid"),
        }


class Pagination(pagination.PageNumberPagination):
    """`page` and `limit` (at most 200); totals stand in `data` beside the items."""

    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 200

    def get_paginated_response(self, data: Any) -> Response:
        page = self.page
        assert page is not None  # noqa: S101 - set by paginate_queryset, for mypy
        return Response(
            {
                "items": data,
                "total": page.paginator.count,
                "page": page.number,
                "pages": page.paginator.num_pages,
                "limit": page.paginator.per_page,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        number = {"type": "integer"}
        return {
            "type": "object",
            "required": ["items", "total", "page", "pages", "limit"],
            "properties": {
                "items": schema,
                "total": number,
                "page": number,
                "pages": number,
                "limit": number,
            },
        }


class SortFilter(filters.BaseFilterBackend):
    """`sort=name&order=desc` over the view's `sort_fields`; unknown fields are a 400 with the
    choices.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        allowed: tuple[str, ...] = getattr(view, "sort_fields", ())
        field, order = request.query_params.get("sort"), request.query_params.get("order", "asc")
        if not field:
            return queryset
        if field not in allowed:
            raise exceptions.ValidationError(
                {
                    "sort": _("Unknown: %(name)s. Must be one of: %(choices)s.")
                    % {"name": field, "choices": ", ".join(allowed)}
                }
            )
        if order not in ("asc", "desc"):
            raise exceptions.ValidationError(
                {"order": _("Unknown: %(name)s. Must be one of: asc, desc.") % {"name": order}}
            )
        # The primary key last, so that pages never overlap.
        return queryset.order_by(f"{'-' if order == 'desc' else ''}{field}", "pk")

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        allowed = list(getattr(view, "sort_fields", ()))
        if not allowed:
            return []
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": {"type": "string", "enum": choices},
            }
            for name, choices in (("sort", allowed), ("order", ["asc", "desc"]))
        ]
