"""Every endpoint there is, and the right it asks for: the contract of the API in one table.

`test_rights` walks the URLs and fails for one that does not stand here. `{id}` and the like are
placeholders of the path.
"""

from __future__ import annotations

PUBLIC, LOGIN, VIEW, OPERATE, MANAGE = "public", "login", "view", "operate", "manage"

ENDPOINTS: dict[tuple[str, str], str] = {
    ("GET", "/auth/csrf-token"): PUBLIC,
    ("POST", "/auth/login"): PUBLIC,
    ("POST", "/auth/logout"): LOGIN,
    ("POST", "/auth/change-password"): LOGIN,
    ("GET", "/auth/session"): PUBLIC,
    ("GET", "/auth/me"): LOGIN,
    ("GET", "/health"): PUBLIC,
    ("GET", "/health/ping"): PUBLIC,
    ("GET", "/health/basic"): PUBLIC,
    ("GET", "/credentials"): VIEW,
    ("POST", "/credentials"): MANAGE,
    ("GET", "/credentials/{pk}"): VIEW,
    ("PUT", "/credentials/{pk}"): MANAGE,
    ("DELETE", "/credentials/{pk}"): MANAGE,
    ("GET", "/instances"): VIEW,
    ("POST", "/instances"): MANAGE,
    ("GET", "/instances/{pk}"): VIEW,
    ("PUT", "/instances/{pk}"): MANAGE,
    ("PATCH", "/instances/{pk}"): MANAGE,
    ("DELETE", "/instances/{pk}"): MANAGE,
    ("POST", "/instances/{pk}/actions/restore"): MANAGE,
    ("GET", "/instances/{pk}/connection-status"): VIEW,
    ("GET", "/instances/options"): VIEW,
    ("GET", "/instances/statistics"): VIEW,
    ("GET", "/instances/exports"): VIEW,
    ("GET", "/instances/imports/template"): VIEW,
    ("POST", "/instances/actions/batch-create"): MANAGE,
    ("POST", "/instances/actions/batch-delete"): MANAGE,
    ("POST", "/instances/actions/test-connection"): OPERATE,
    ("POST", "/instances/actions/batch-test-connections"): OPERATE,
    ("POST", "/instances/actions/validate-connection-params"): OPERATE,
    ("POST", "/instances/{pk}/actions/sync-accounts"): OPERATE,
    ("POST", "/instances/actions/sync-accounts"): OPERATE,
    ("GET", "/accounts/access"): VIEW,
    ("GET", "/accounts/ledgers"): VIEW,
    ("GET", "/accounts/ledgers/exports"): VIEW,
    ("GET", "/accounts/ledgers/{pk}/permissions"): VIEW,
    ("GET", "/accounts/ledgers/{pk}/change-history"): VIEW,
    ("GET", "/sync-sessions"): VIEW,
    ("GET", "/sync-sessions/{session_id}"): VIEW,
    ("GET", "/sync-sessions/{session_id}/error-logs"): VIEW,
    ("POST", "/sync-sessions/{session_id}/actions/cancel"): OPERATE,
    ("POST", "/sync-sessions/{session_id}/actions/retry-failed"): OPERATE,
}
