"""The envelope, as the OpenAPI schema tells it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from whalefall.auth import PUBLIC, right_needed

EXAMPLES = Path(__file__).with_name("examples.yaml")
TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}

FAILURE = {
    "type": "object",
    "description": "Every answer that says no.",
    "required": ["success", "error", "message", "message_code", "timestamp", "request_id"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "error": {"type": "boolean", "enum": [True]},
        "message": TEXT,
        "message_code": TEXT,
        "timestamp": TIME,
        "request_id": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message", "code"],
                "properties": {"path": TEXT, "message": TEXT, "code": TEXT},
            },
        },
    },
}
SUCCESS = {
    "type": "object",
    "description": "Every answer that says yes; `data` is what the operation gives.",
    "required": ["success", "error", "message", "timestamp", "data"],
    "properties": {
        "success": {"type": "boolean", "enum": [True]},
        "error": {"type": "boolean", "enum": [False]},
        "message": TEXT,
        "timestamp": TIME,
        "data": {"nullable": True},
        "meta": {"type": "object", "additionalProperties": {}},
    },
}
METHODS = ("get", "post", "put", "patch", "delete")


def wrap_in_envelope(result: dict[str, Any], generator: Any, **kwargs: Any) -> dict[str, Any]:
    """A drf-spectacular hook: every JSON answer becomes the envelope round it."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for name, example in examples().items():
        if name in schemas:
            schemas[name]["example"] = example
    for name, component in schemas.items():
        if not name.endswith("Request"):
            _allow_empty(component)
    schemas["Failure"], schemas["Success"] = FAILURE, SUCCESS
    for path in result["paths"].values():
        for method in METHODS:
            if operation := path.get(method):
                _wrap(operation["responses"])
    return result


@cache
def examples() -> dict[str, Any]:
    """Name of a request's schema -> an example of it."""
    found: dict[str, Any] = yaml.safe_load(EXAMPLES.read_text())
    return found


def _allow_empty(component: dict[str, Any]) -> None:
    """An address that nobody gave is an empty text, which is no address."""
    for field in component.get("properties", {}).values():
        if field.get("format") in ("email", "uri"):
            del field["format"]


def _wrap(responses: dict[str, Any]) -> None:
    for code, response in list(responses.items()):
        if code == "204":  # there is no answer without the envelope
            responses["200"] = response = responses.pop(code)
            code = "200"
        content = response.setdefault("content", {})
        if not content:
            content["application/json"] = {"schema": {"nullable": True}}
        if code.startswith("2") and "application/json" in content:
            content["application/json"] = {"schema": _around(content["application/json"])}
    responses["default"] = {
        "description": "Refused, with the reason.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    }


def _around(media: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "object", "properties": {"data": media.get("schema", {})}}
    return {"allOf": [{"$ref": "#/components/schemas/Success"}, data]}


class Schema(AutoSchema):
    """Public actions ask for no login."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        if right_needed(self.view, self.method) == PUBLIC:
            return [{}]
        return list(super().get_auth())


class SessionScheme(OpenApiAuthenticationExtension):
    """Says that the session cookie is what our `SessionAuthentication` reads."""

    target_class = "whalefall.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class TokenScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer wf_...`"""

    target_class = "whalefall.bearer.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
