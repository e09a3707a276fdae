"""The OpenAPI schema: complete, without a warning, and with the envelope in it."""

from __future__ import annotations

import re
from io import StringIO

import jsonschema
import pytest
import yaml
from django.core.management import call_command

from tests.api.endpoints import ENDPOINTS
from tests.api.envelope import check_ok
from whalefall.schema import examples


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


def bodies(schema):
    """Name of the schema of every body that an operation takes as JSON."""
    for _method, _path, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield content["application/json"]["schema"]["$ref"].rpartition("/")[2]


def test_every_body_has_an_example(schema):
    assert {name for name in bodies(schema) if "example" not in components(schema)[name]} == set()


def test_no_example_is_left_over(schema):
    assert set(examples()) - set(bodies(schema)) == set()


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_is_what_its_schema_says(schema, name):
    references = {"components": {"schemas": components(schema)}}
    whole = {**components(schema)[name], **references}
    jsonschema.validate(examples()[name], whole, format_checker=jsonschema.FormatChecker())


def components(schema):
    return schema["components"]["schemas"]


@pytest.mark.django_db
def test_the_example_of_an_expression_is_a_rule(viewer):
    url = "/api/v1/accounts/classifications/rules/actions/validate-expression"
    check_ok(viewer.post(url, examples()["DraftRequest"]))
