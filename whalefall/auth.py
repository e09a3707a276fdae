"""Who may do what: three roles, which are Django groups, alike in the API and the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import authentication, permissions
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF's views read the settings that name this module
    from rest_framework.views import APIView

VIEWER, OPERATOR, ADMINISTRATOR = "viewer", "operator", "administrator"
ROLES = (VIEWER, OPERATOR, ADMINISTRATOR)
# A right is held by its role and every role after it.
RIGHTS = {"view": VIEWER, "operate": OPERATOR, "manage": ADMINISTRATOR}


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


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie; writes need the CSRF token. Answers 401, not 403, without a login."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class RolePermission(permissions.BasePermission):
    """Reading needs `view`, writing the view's `write_right` (default `manage`).

    `rights = {"action_name": "operate"}` on a view sets it per action.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        rights: dict[str, str] = getattr(view, "rights", {})
        right = rights.get(getattr(view, "action", None) or "")
        if right is None:
            reading = request.method in permissions.SAFE_METHODS
            right = "view" if reading else getattr(view, "write_right", "manage")
        return has_right(request.user, right)
