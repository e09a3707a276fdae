"""`manage.py aggregate` and `manage.py capacity`, as a person or a program runs them."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from capacity import growth, outlook
from capacity.aggregation import aggregate
from capacity.collection import apply
from tags.models import Tag
from tests.capacity.cast import COMPLETE, instance, measured, observed

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


class TestCapacity:
    @pytest.fixture(autouse=True)
    def days(self):
        on = instance(capacity_limit_bytes=2000)
        for back in (*range(40, -1, -1),):
            sizes = {"sales": 1000 - 10 * back, "audit": 100 + back}
            apply(on, observed(**sizes), COMPLETE, now=timezone.now() - timedelta(days=back))
        aggregate(["monthly"], day=timezone.localdate(), which="current")
        Tag.objects.create(name="gold", display_name="Gold").instances.add(on)
        growth.calculate()
        outlook.calculate()

    def run(self, *words):
        out = io.StringIO()
        call_command("capacity", *words, stdout=out)
        return out.getvalue()

    def test_it_says_when_instances_are_full(self):
        (row,) = json.loads(self.run("full", "--json"))
        assert (row["instance"], row["days_to_full"]) == ("orders-db", 100)
        assert "days to full" in self.run("full")

    @pytest.mark.parametrize("by", ["bytes", "percent"])
    def test_it_says_what_grew_most(self, by):
        first, last = json.loads(self.run("movers", "--by", by, "--window", "7", "--json"))
        assert (first["database"], first["change_bytes"]) == ("sales", 70)
        assert (last["database"], last["change_bytes"]) == ("audit", -7)

    def test_it_keeps_to_a_limit_a_tag_and_an_instance(self):
        assert len(json.loads(self.run("movers", "--limit", "1", "--json"))) == 1
        assert json.loads(self.run("movers", "--tag", "silver", "--json")) == []
        assert len(json.loads(self.run("full", "--instance", "orders-db", "--json"))) == 1

    def test_it_sums_up_by_tag(self):
        (row,) = json.loads(self.run("tags", "--json"))
        assert (row["tag"], row["instances"], row["total_bytes"]) == ("gold", 1, 1100)
