"""The OpenAPI schema: complete, without a warning, and with the envelope in it."""

from __future__ import annotations

import re
from io import StringIO

import pytest
import yaml
from django.core.management import call_command

from tests.api.endpoints import ENDPOINTS


@pytest.fixture(scope="module")
def schema():
    text = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=text)
    return yaml.safe_load(text.getvalue())


def operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")), operation


def test_every_endpoint_is_described(schema):
    described = {(method, path) for method, path, _operation in operations(schema)}
    assert described == {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in ENDPOINTS}


def test_every_answer_stands_in_the_envelope(schema):
    for method, path, operation in operations(schema):
        refusal = operation["responses"]["default"]["content"]["application/json"]["schema"]
        assert refusal == {"$ref": "#/components/schemas/Failure"}
        codes = [code for code in operation["responses"] if code.startswith("2")]
        assert codes, (method, path)
        for code in codes:
            for media, content in operation["responses"][code]["content"].items():
                if media == "application/json":
                    assert content["schema"]["allOf"][0] == {"$ref": "#/components/schemas/Success"}


def test_no_answer_describes_a_password(schema):
    for name, component in schema["components"]["schemas"].items():
        if not name.endswith("Request"):
            for key, field in component.get("properties", {}).items():
                assert not key.endswith("password") or field.get("writeOnly"), (name, key)
