"""The API's manners: one envelope for every answer and one shape of error.

Paging and sorting are in `paging`, the bases of views in `viewsets`: DRF's views read the settings
that name this module, so it must not import them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions, renderers
from rest_framework.response import Response

from whalefall.engines.errors import EngineError

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = structlog.get_logger(__name__)

API_PREFIX = "/api/"
SERVER_ERROR = 500
# DRF's and Django's words for errors of no single field: their path is empty.
WHOLE = ("non_field_errors", "__all__")


class ApiError(exceptions.APIException):
    """An answer that says no: `ApiError("TAG_IN_USE", _("..."), 409)`, with details per field.

    `errors` are `{"path", "message", "code"}`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status_code: int = 400,
        errors: Iterable[dict[str, Any]] = (),
    ) -> None:
        self.status_code = status_code
        self.message_code = code
        self.errors = list(errors)
        super().__init__(message, code)


class Answer(Response):
    """A success with more to say than its data: a message for people, and `meta`."""

    def __init__(
        self,
        data: Any = None,
        message: str = "",
        status: int = 200,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, status=status)
        self.message = message
        self.meta = meta


class EnvelopeRenderer(renderers.JSONRenderer):
    """JSON in the envelope of design section 9."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if response is not None and not getattr(response, "is_envelope", False):
            data = envelope(data, response)
        try:
            rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        except UnicodeEncodeError:  # a message that names half of a surrogate pair: it has no UTF-8
            self.ensure_ascii = True  # type: ignore[misc]  # DRF declares it for the class
            rendered = super().render(data, accepted_media_type, renderer_context)
        return rendered


class BrowsableRenderer(renderers.BrowsableAPIRenderer):
    """The browsable API, showing the same envelope as programs get."""

    def get_default_renderer(self, view: APIView) -> renderers.BaseRenderer:
        return EnvelopeRenderer()


def envelope(data: Any, response: Response) -> dict[str, Any]:
    """A success; message and meta are taken from the response where it is an `Answer`."""
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


def failure(
    code: str, message: str, request_id: str, errors: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The body of an answer that says no."""
    body: dict[str, Any] = {
        "success": False,
        "error": True,
        "message": str(message),
        "message_code": code,
        "timestamp": timezone.now().isoformat(),
        "request_id": request_id,
    }
    if errors := list(errors):
        body["errors"] = errors
    return body


CODES = {
    401: "AUTHENTICATION_REQUIRED",
    403: "PERMISSION_REQUIRED",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    429: "RATE_LIMIT_EXCEEDED",
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Every error in the envelope; what nobody expected as a 500, its traceback in the log only."""
    from rest_framework.views import exception_handler as default_handler
    from rest_framework.views import set_rollback

    request = context.get("request")
    error = as_api_error(exc, _is_empty(request))
    if error.status_code >= SERVER_ERROR:
        logger.error("request_failed", error=type(exc).__name__, exc_info=exc)
    # The default handler is asked for its headers only (WWW-Authenticate, Retry-After).
    response = default_handler(exc, dict(context)) or Response()
    set_rollback()
    response.status_code = error.status_code
    response.data = failure(
        error.message_code, str(error.detail), request_id_of(request), error.errors
    )
    response.is_envelope = True  # type: ignore[attr-defined]
    return response


def request_id_of(request: Any) -> str:
    """The id that the log lines of a request carry; empty outside of one."""
    return str(getattr(request, "META", {}).get("whalefall.request_id", ""))


def _is_empty(request: Any) -> bool:
    """Whether a write came without any data."""
    if getattr(request, "method", "GET") not in ("POST", "PUT", "PATCH"):
        return False
    try:
        return not request.data
    except exceptions.APIException:  # what came was not JSON: not empty
        return False


def as_api_error(exc: Exception, is_empty: bool = False) -> ApiError:
    """Any exception as the answer it deserves."""
    if isinstance(exc, ApiError):
        return exc
    if isinstance(exc, ModelValidationError):
        exc = exceptions.ValidationError(_model_errors(exc))
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc, is_empty)
    if isinstance(exc, Http404):
        return ApiError("RESOURCE_NOT_FOUND", _("Not found."), 404)
    if isinstance(exc, exceptions.APIException):
        code = CODES.get(exc.status_code, "INVALID_REQUEST")
        return ApiError(code, str(exc.detail), exc.status_code)
    if isinstance(exc, EngineError):
        return ApiError("DATABASE_CONNECTION_ERROR", str(exc), 409)
    if isinstance(exc, DatabaseError):
        return _store_error(exc)
    if isinstance(exc, PermissionDenied):
        return ApiError("PERMISSION_REQUIRED", _("You may not do this."), 403)
    return ApiError("INTERNAL_ERROR", _("Something went wrong on our side."), SERVER_ERROR)


def _invalid(exc: exceptions.ValidationError, is_empty: bool) -> ApiError:
    errors = list(flat_errors(exc.detail))
    if is_empty and all(error["code"] == "required" for error in errors):
        return ApiError("REQUEST_DATA_EMPTY", _("The request carries no data."), 400, errors)
    first = errors[0] if errors else {"path": "", "message": _("The request is not valid.")}
    message = f"{first['path']}: {first['message']}" if first["path"] else first["message"]
    return ApiError("VALIDATION_ERROR", message, 400, errors)


def _store_error(exc: DatabaseError) -> ApiError:
    """Without the statement's text or values: they stand in the log."""
    if isinstance(exc, ProtectedError | RestrictedError):
        return ApiError("CONSTRAINT_VIOLATION", _("Still in use: it cannot be deleted."), 409)
    if isinstance(exc, IntegrityError):
        return ApiError("CONSTRAINT_VIOLATION", _("It contradicts what is stored already."), 409)
    if isinstance(exc, DataError):
        return ApiError("VALIDATION_ERROR", _("A value does not fit into its column."), 400)
    if is_away(exc):
        return ApiError("DATABASE_QUERY_ERROR", _("The store is away."), 503)
    return ApiError("DATABASE_QUERY_ERROR", _("The store could not answer."), SERVER_ERROR)


def is_away(exc: BaseException) -> bool:
    """Whether the store cannot be reached, rather than said no: no connection, or one that it
    ended (it stops, starts, has too many).
    """
    if not isinstance(exc, OperationalError | InterfaceError):
        return False
    state = getattr(exc.__cause__, "sqlstate", None)
    return state is None or state[:2] == "08" or state in ("57P01", "57P02", "57P03", "53300")


def _model_errors(exc: ModelValidationError) -> Any:
    """Errors of a model's `clean` and constraints, as DRF holds its own."""
    return exc.message_dict if hasattr(exc, "error_dict") else {"": exc.messages}


def flat_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Nested errors of a serializer as a list, with paths like `items[2].name`."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            key = "" if key in WHOLE else str(key)
            yield from flat_errors(value, f"{path}.{key}" if path and key else path or key)
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list | tuple)
            yield from flat_errors(value, f"{path}[{index}]" if nested else path)
    else:
        code = str(getattr(detail, "code", None) or "invalid")
        yield {"path": path, "message": str(detail), "code": code}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400 (a refused host, too many fields), in the envelope below /api/."""
    if not request.path.startswith(API_PREFIX):
        return defaults.bad_request(request, exception)
    body = failure("INVALID_REQUEST", _("The request is not valid."), request_id_of(request))
    return JsonResponse(body, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what broke outside of a view (middleware, rendering)."""
    exc = sys.exc_info()[1]
    away = exc is not None and is_away(exc)
    if not request.path.startswith(API_PREFIX):
        return _away_page() if away else defaults.server_error(request)
    error = as_api_error(exc) if away and isinstance(exc, Exception) else as_api_error(Exception())
    body = failure(error.message_code, str(error.detail), request_id_of(request))
    return JsonResponse(body, status=error.status_code)


def _away_page() -> HttpResponse:
    """For people, without anything that would ask the store."""
    text = _("The store is away. Try again in a moment.")
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=503)
