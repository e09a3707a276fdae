"""Databases are found by any part of their name, in any case and script, and by nothing else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from capacity import search
from capacity.models import DatabaseSizeStat, InstanceDatabase
from tests.capacity.cast import instance, measured

pytestmark = pytest.mark.django_db

NAMES = ("app_01", "appX01", "Payroll", "100%", "a\\b", "ÄRZTE", "李雷", "🐋")


@pytest.fixture
def databases():
    measured(instance(), **dict.fromkeys(NAMES, 100))


def found(text):
    rows = InstanceDatabase.objects.filter(search.named(InstanceDatabase.objects.all(), text))
    return sorted(rows.values_list("database_name", flat=True))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("app_", ["app_01"]),
        ("X0", ["appX01"]),
        ("PAYR", ["Payroll"]),
        ("0%", ["100%"]),
        ("\\", ["a\\b"]),
        ("ärz", ["ÄRZTE"]),
        ("雷", ["李雷"]),
        ("🐋", ["🐋"]),
        ("o", ["Payroll"]),
        ("pa yr", []),
        ("", sorted(NAMES)),
    ],
)
def test_a_part_of_the_name_finds_it_whether_few_have_it_or_many(
    databases, monkeypatch, text, names
):
    assert found(text) == names
    monkeypatch.setattr(search, "MOST_LISTED", -1)
    assert found(text) == names


def test_the_statement_is_one_and_uses_the_index(databases):
    with CaptureQueriesContext(connection) as asked:
        search.named(InstanceDatabase.objects.all(), "payr")
    assert len(asked) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "database_name_grams" in plan


def test_the_days_of_a_database_are_found_by_its_name(databases):
    named = search.named(InstanceDatabase.objects.all(), "PAYR", "database__")
    rows = DatabaseSizeStat.objects.filter(named).values_list("database__database_name", flat=True)
    assert list(rows) == ["Payroll"]
