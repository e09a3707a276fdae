"""Every example of docs/rule-writing.md says and finds what the page says it does."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.admin.conftest import browser as console
from tests.api.conftest import client_of, person
from tests.api.envelope import check_failed, check_ok
from tests.classification import cast

pytestmark = pytest.mark.django_db

GUIDE = (Path(__file__).parents[2] / "docs" / "rule-writing.md").read_text()
ACTIONS = "/api/v1/accounts/classifications/rules/actions"
ACCOUNT = re.compile(
    r"^\| `(?P<name>[^`]+)` \| (?P<db_type>\w+) \| (?P<kind>\w+)"
    r" \| (?P<facts>.+) \| (?P<age>\d*) ?\|$",
    re.MULTILINE,
)
EXAMPLE = re.compile(
    r"^```json (?P<db_type>\w+)(?P<wrong> wrong)?\n(?P<text>.+?)^```\n\n(?P<said>(?:^>[^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = [found.groupdict() for found in EXAMPLE.finditer(GUIDE)]
RIGHT = [example for example in EXAMPLES if not example["wrong"]]
WRONG = [example for example in EXAMPLES if example["wrong"]]


@pytest.fixture
def fleet():
    """The accounts of the guide's table."""
    instances = {}
    for row in ACCOUNT.finditer(GUIDE):
        db_type = row["db_type"]
        on = instances.setdefault(db_type, None) or cast.instance(f"{db_type}-db", db_type)
        instances[db_type] = on
        changed = timezone.now() - timedelta(days=int(row["age"])) if row["age"] else None
        words = re.findall(r"`([^`]+)`", row["facts"])
        cast.account(on, row["name"], *words, kind=row["kind"], password_changed_at=changed)


@pytest.fixture
def administrator(db):
    return console("administrator")


@pytest.fixture
def viewer(fleet):
    return client_of(person("vera", "viewer"))


def told(example):
    """What the guide says: the reading, whom it finds, who is unknown."""
    lines = [line.removeprefix(">").strip() for line in example["said"].splitlines()]
    reading, finds = (line.replace("\\", "") for line in lines if line)
    found, _sep, unknown = finds.partition("unknown:")
    return reading, re.findall(r"`([^`]+)`", found), re.findall(r"`([^`]+)`", unknown)


def body(example):
    return {"db_type": example["db_type"], "rule_expression": json.loads(example["text"])}


def names(listed):
    return [each["username"] for each in listed["items"]]


def test_the_guide_has_its_examples_and_accounts():
    assert (len(RIGHT), len(WRONG)) == (10, 1)
    assert GUIDE.count("```json") == len(EXAMPLES)
    assert len(list(ACCOUNT.finditer(GUIDE))) == 8


@pytest.mark.parametrize("example", RIGHT, ids=lambda example: told(example)[0])
def test_an_example_reads_and_finds_as_the_guide_says(viewer, example):
    reading, found, unknown = told(example)
    checked = check_ok(viewer.post(f"{ACTIONS}/validate-expression", body(example)))
    assert checked["reads_as"] == reading
    previewed = check_ok(viewer.post(f"{ACTIONS}/preview", body(example)))
    assert (names(previewed["add"]), names(previewed["unknown"])) == (found, unknown)


@pytest.mark.parametrize("example", WRONG)
def test_what_is_wrong_is_said_at_the_places_that_the_guide_names(viewer, example):
    response = viewer.post(f"{ACTIONS}/validate-expression", body(example))
    errors = check_failed(response, 400, "INVALID_DSL_EXPRESSION")["errors"]
    said = re.findall(r"`([^`]+)`(?:: (.+))?", example["said"])
    assert [error["path"] for error in errors] == [path for path, _message in said]
    for error, (_path, message) in zip(errors, said, strict=True):
        assert error["message"].startswith(message)


def test_the_console_shows_the_guide_and_links_to_it(administrator):
    guide = "/admin/classification/classificationrule/guide/"
    assert (
        guide in administrator.get("/admin/classification/classificationrule/add/").content.decode()
    )
    shown = administrator.get(guide).content.decode()
    assert "The accounts of the examples" in shown
    assert "<td><code>legacy@%</code></td>" in shown
