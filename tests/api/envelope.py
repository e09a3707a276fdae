"""What every answer must look like."""

from __future__ import annotations

from typing import Any

from django.utils.dateparse import parse_datetime

FAILURE_KEYS = {"success", "error", "message", "message_code", "timestamp", "request_id"}
SUCCESS_KEYS = {"success", "error", "message", "timestamp", "data"}


def check_ok(response: Any, status: int = 200) -> Any:
    """The data of an answer, after a look at its envelope."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) - {"meta"} == SUCCESS_KEYS
    assert (body["success"], body["error"]) == (True, False)
    assert body["message"]
    assert parse_datetime(body["timestamp"]).tzinfo
    return body["data"]


def check_failed(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, after a look at its envelope."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) - {"errors"} == FAILURE_KEYS
    assert (body["success"], body["error"]) == (False, True)
    assert body["message_code"] == code, body
    assert body["message"]
    assert body["request_id"] == response["X-Request-ID"]
    for error in body.get("errors", ()):
        assert set(error) >= {"path", "message", "code"}
    return body


def errors(response: Any, status: int = 400, code: str = "VALIDATION_ERROR") -> dict[str, str]:
    """Path -> message of a refusal."""
    found = check_failed(response, status, code)["errors"]
    return {error["path"]: error["message"] for error in found}
