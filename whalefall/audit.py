"""Who did what: one entry for every write by a person, every login, and every look at a credential
or an export, in the console and the API alike (commands: `command_log`).

The middleware makes the entry from the address and the answer; views add what they changed with
`note`. Names of fields and ids are kept, values never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from whalefall.api import API_PREFIX, SERVER_ERROR, request_id_of
from whalefall.notes import MOST_IDS, details, note, noting, only_one

__all__ = ["AuditMiddleware", "concerns", "listen", "note"]
logger = structlog.get_logger(__name__)

LOOKED = "view"
"""At the list of credentials, or at one."""
WRITES = ("POST", "PUT", "PATCH", "DELETE")
REFUSED = 400


def concerns(request: HttpRequest, action: str) -> None:
    """Asks for an entry about a request that belongs to neither the console nor the API."""
    request.audit_action = action  # type: ignore[attr-defined]


class AuditMiddleware:
    """Writes the entry after the answer is known. A store that is away breaks no answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with noting() as notes:
            response = self.get_response(request)
        try:
            if asks := _asked(request, response, notes):
                _write(request, response, notes, asks)
        except DatabaseError as exc:
            logger.error("audit_failed", path=request.path, error=type(exc).__name__)
        return response


def _asked(request: HttpRequest, response: Any, notes: list[Any]) -> dict[str, str] | None:
    """`via`, `action`, `object_type` and `object_id` of what is worth an entry."""
    if action := getattr(request, "audit_action", ""):
        return {"via": "admin", "action": action, "object_type": "", "object_id": ""}
    match = request.resolver_match
    if match is None:
        return None
    if request.path.startswith(API_PREFIX):
        return _asked_of_api(request, match)
    if "admin" in match.app_names:
        return _asked_of_console(request, response, match, notes)
    return None


def _asked_of_api(request: HttpRequest, match: Any) -> dict[str, str] | None:
    view, actions = getattr(match.func, "cls", None), getattr(match.func, "actions", None)
    action = (actions or {}).get(str(request.method).lower())
    if view is None or action is None:
        return None
    model = view.queryset.model._meta.label_lower
    if request.method in WRITES:
        worth = getattr(view, "rights", {}).get(action) != "view"  # it only reads
    else:
        worth = action in ("exports", "export") or model == "instances.credential"
    if not worth:
        return None
    pk = next(iter(match.kwargs.values()), "")
    return {"via": "api", "action": action, "object_type": model, "object_id": str(pk)}


def _asked_of_console(
    request: HttpRequest, response: Any, match: Any, notes: list[Any]
) -> dict[str, str] | None:
    name = match.url_name or ""
    page, _sep, action = name.rpartition("_")
    if request.method in WRITES:
        # A form shown again, a question or a preview: nothing was done yet.
        done = response.status_code != 200 or notes or response.has_header("HX-Redirect")
        done = done or hasattr(request, "audit_name")  # the login form again
        if not done:
            return None
        chosen = request.POST.get("action") if action == "changelist" else None
        action = chosen or (name if not page or page == "jsi18n" else action)
    elif page != "instances_credential":
        return None
    else:
        action = LOOKED  # whatever could have been done there: nothing was
    pk = str(match.kwargs.get("object_id", ""))
    kind = page.replace("_", ".", 1)
    return {"via": "admin", "action": action, "object_type": kind, "object_id": pk}


def _write(
    request: HttpRequest, response: Any, notes: list[dict[str, Any]], asks: dict[str, str]
) -> None:
    from django.contrib.auth.models import AnonymousUser

    from whalefall.lockout import client_address
    from whalefall.models import AuditEntry

    user: Any = getattr(request, "audit_user", None) or request.user
    if tried := getattr(request, "audit_name", ""):  # whoever is logged in at this browser
        user = AnonymousUser()
    username = user.get_username() or tried
    if not username:  # nobody in particular: an answer 401
        return
    if about := only_one(notes):
        asks |= {"object_type": about["type"], "object_id": about["id"]}
    AuditEntry.objects.create(
        user=user if user.pk else None,
        username=username,
        token=getattr(getattr(request, "auth", None), "prefix", ""),
        address=client_address(request),
        **{key: value[:100] for key, value in asks.items()},
        object_name=about["name"][:200] if about else _shown(response),
        details=details(notes, about) | _given_to(response),
        result="refused" if tried else _result(response.status_code),
        status=response.status_code,
        request_id=request_id_of(request),
    )


def _shown(response: Any) -> str:
    """Whose page of the console it was; empty for a list."""
    context = getattr(response, "context_data", None) or {}
    return str(context.get("original") or context.get("object") or "")[:200]


def _result(status: int) -> str:
    if status >= SERVER_ERROR:
        return "failed"
    return "refused" if status >= REFUSED else "done"


def _given_to(response: Any) -> dict[str, Any]:
    request = getattr(response, "renderer_context", {}).get("request")
    if request is None or response.status_code >= REFUSED or request.method not in WRITES:
        return {}
    return _given(request.data)


def _given(data: Any) -> dict[str, Any]:
    """The fields that were sent, and of those that are ids their values."""
    if not isinstance(data, Mapping):
        return {}
    found: dict[str, Any] = {"fields": sorted(map(_storable, data))[:MOST_IDS]} if data else {}
    for field, value in data.items():
        name = _storable(field)
        if name.endswith("_ids") and isinstance(value, list):
            found[name] = [each for each in value[:MOST_IDS] if isinstance(each, int)]
        elif name.endswith("_id") and isinstance(value, int):
            found[name] = value
    return found


def _storable(name: Any) -> str:
    """A name that the store takes: what it refuses would keep the whole entry out of the log."""
    return str(name)[:100].replace("\0", "?").encode(errors="replace").decode()


def listen() -> None:
    """Learn from Django who went out and who failed to come in."""
    user_logged_out.connect(_logged_out, dispatch_uid="audit")
    user_login_failed.connect(_login_failed, dispatch_uid="audit")


def _logged_out(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    if request is not None:
        request.audit_user = user


def _login_failed(sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
    """The name only where there is such a person: people type passwords into the wrong field."""
    from whalefall.models import User

    if request is not None:
        known = User.objects.filter(username=credentials.get("username") or "").exists()
        request.audit_name = credentials["username"] if known else "(unknown)"
