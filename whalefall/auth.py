"""Who may do what: three roles, which are Django groups, alike in the API and the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.middleware import csrf
from django.utils.translation import gettext as _
from rest_framework import authentication, permissions
from rest_framework.request import Request

from whalefall.api import ApiError

if TYPE_CHECKING:  # DRF's views read the settings that name this module
    from rest_framework.views import APIView

VIEWER, OPERATOR, ADMINISTRATOR = "viewer", "operator", "administrator"
ROLES = (VIEWER, OPERATOR, ADMINISTRATOR)
# A right is held by its role and every role after it.
RIGHTS = {"view": VIEWER, "operate": OPERATOR, "manage": ADMINISTRATOR}
PUBLIC, LOGIN = "public", "login"
"""Rights of a view that need no role: for everybody, and for whoever is logged in."""

NO_TOKEN = (csrf.REASON_NO_CSRF_COOKIE, csrf.REASON_CSRF_TOKEN_MISSING)


def role_of(user: Any) -> str | None:
    """The highest role of a person; None for one who has none. Superusers are administrators."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return ADMINISTRATOR
    if not hasattr(user, "_whalefall_role"):
        names = set(user.groups.values_list("name", flat=True))
        user._whalefall_role = next((role for role in reversed(ROLES) if role in names), None)
    role: str | None = user._whalefall_role
    return role


def has_right(user: Any, right: str) -> bool:
    """Whether a person holds `view`, `operate` or `manage`."""
    role = role_of(user)
    return role is not None and ROLES.index(role) >= ROLES.index(RIGHTS[right])


def rights_of(user: Any) -> list[str]:
    """The rights a person holds, the least first."""
    return [right for right in RIGHTS if has_right(user, right)]


def check_csrf(request: Any) -> None:
    """Raises ApiError CSRF_MISSING or CSRF_INVALID (403) unless cookie and header agree."""
    check = authentication.CSRFCheck(lambda _request: None)  # type: ignore[arg-type,return-value]
    check.process_request(request)
    reason = check.process_view(request, lambda _request: None, (), {})  # type: ignore[arg-type,return-value]
    if reason in NO_TOKEN:
        message = _("Send the token of GET /api/v1/auth/csrf-token in the X-CSRFToken header.")
        raise ApiError("CSRF_MISSING", message, 403)
    if reason:
        raise ApiError("CSRF_INVALID", _("The CSRF token is not valid: %s") % reason, 403)


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie; writes need the CSRF token. Answers 401, not 403, without a login."""

    def enforce_csrf(self, request: Request) -> None:
        check_csrf(request)

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class RolePermission(permissions.BasePermission):
    """Reading needs `view`, writing the view's `write_right` (default `manage`).

    `rights = {"action": "operate"}` on a view sets it per action; `public` and `login` need no
    role. The same right counts for each row, so the browsable API shows a form to whom it helps.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        right = right_needed(view, request.method or "GET")
        if right == PUBLIC:
            return True
        is_offered = request.method in view.allowed_methods
        if not request.user or not request.user.is_authenticated:
            # Where nobody logs in there is no 401 either: the answer is 405.
            return not (view.authentication_classes or is_offered)
        if not is_offered:
            return True  # the answer is 405, whatever the right
        _check_scope(request, right)
        return right == LOGIN or has_right(request.user, right)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return self.has_permission(request, view)


def _check_scope(request: Request, right: str) -> None:
    """Raises ApiError (403) where a read-only token would write. What needs `view` only reads."""
    if getattr(request.auth, "scope", "full") == "full" or right == "view":
        return
    if request.method not in permissions.SAFE_METHODS:
        raise ApiError("PERMISSION_REQUIRED", _("This token may only read."), 403)


def right_needed(view: Any, method: str) -> str:
    """The right that a view asks for. `OPTIONS` tells about a view: it asks what reading asks."""
    rights: dict[str, str] = getattr(view, "rights", {})
    right = rights.get(getattr(view, "action", None) or method.lower())
    if right is None:
        is_reading = method in permissions.SAFE_METHODS
        right = "view" if is_reading else getattr(view, "write_right", "manage")
    return right
