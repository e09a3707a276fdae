"""`manage.py aggregate`, as a person or a program runs it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.capacity.cast import instance, measured

pytestmark = pytest.mark.django_db


def run(*words):
    out = io.StringIO()
    call_command("aggregate", *words, stdout=out)
    return out.getvalue()


def test_it_says_what_it_wrote():
    measured(instance(), sales=10)
    (row,) = json.loads(
        run("--json", "--period", "monthly", "--scope", "database", "--day", "2026-02-03")
    )
    assert row == {
        "period_type": "monthly",
        "scope": "database",
        "period_start": "2026-01-01",
        "period_end": "2026-01-31",
        "written": 1,
    }


def test_people_get_a_table():
    assert "quarterly" in run()


def test_the_current_period_can_be_asked_for():
    (row,) = json.loads(
        run(
            "--json",
            "--period",
            "weekly",
            "--scope",
            "instance",
            "--current",
            "--day",
            "2026-01-30",
        )
    )
    assert (row["period_start"], row["period_end"]) == ("2026-01-26", "2026-02-01")


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30"])
def test_a_day_that_is_none_is_refused(day):
    with pytest.raises(CommandError, match=f"Not a day: {day}. Write it as 2026-01-31."):
        run("--day", day)
