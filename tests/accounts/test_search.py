"""Accounts are found by any part of their name, in any script, and by nothing else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import search
from accounts.models import AccountPermission, InstanceAccount
from tests.accounts.test_access import instance_with
from tests.accounts.world import account

pytestmark = pytest.mark.django_db

NAMES = (
    "app_rw@10.0.%",
    "Payroll",
    "appXrw",
    "ÄRZTE_lesen",
    "straße",
    "李雷",
    "李娜",
    "🐋.sync",
    "a\\b",
    "NT AUTHORITY\\SYSTEM",
)


@pytest.fixture
def accounts():
    instance_with("a-db", *map(account, NAMES))


def found(text, **kwargs):
    named = InstanceAccount.objects.named(text)
    return sorted(InstanceAccount.objects.filter(named.condition()).values_list("username", flat=1))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("payr", ["Payroll"]),
        ("ROLL", ["Payroll"]),
        ("app_rw", ["app_rw@10.0.%"]),
        ("%", ["app_rw@10.0.%"]),
        ("_", ["app_rw@10.0.%", "ÄRZTE_lesen"]),
        ("\\", ["NT AUTHORITY\\SYSTEM", "a\\b"]),
        ("ärzte", ["ÄRZTE_lesen"]),
        ("STRASSE", ["straße"]),
        ("李", ["李娜", "李雷"]),
        ("李雷", ["李雷"]),
        ("🐋", ["🐋.sync"]),
        ("y\\s", ["NT AUTHORITY\\SYSTEM"]),
        ("z", ["ÄRZTE_lesen"]),
        ("pa yr", []),
        ("", []),
        ("a\0b", []),
    ],
)
def test_a_part_of_the_name_finds_it(accounts, text, names):
    assert found(text) == names


@pytest.mark.parametrize("text", ["p", "app", "李", "_", "nobody"])
def test_so_many_that_they_are_not_listed_are_the_same(accounts, monkeypatch, text):
    listed = found(text)
    monkeypatch.setattr(search, "MOST_LISTED", -1)
    assert InstanceAccount.objects.named(text).is_many
    assert found(text) == listed


def test_a_sample_and_one_statement_by_the_index_whatever_the_size(accounts):
    with CaptureQueriesContext(connection) as asked:
        InstanceAccount.objects.named("payr")
    _size, sample, named = [query["sql"] for query in asked]
    assert "TABLESAMPLE" in sample
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + named)
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "account_name_grams" in plan


def test_what_a_sample_has_often_is_not_asked_of_the_index(accounts, monkeypatch):
    monkeypatch.setattr(search, "MOST_LISTED", 0)
    with CaptureQueriesContext(connection) as asked:
        assert InstanceAccount.objects.named("a").is_many
    assert not [query for query in asked if "account_name_grams" in query["sql"]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_piece_of_every_name_is_in_its_index(accounts, data):
    name = search.fold(data.draw(st.text(st.characters(exclude_characters="\0"), min_size=1)))
    first = data.draw(st.integers(0, len(name) - 1))
    piece = name[first : data.draw(st.integers(first + 1, len(name)))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_name_grams(%s) @> %s", [name, search.grams(piece)])
        assert cursor.fetchone() == (True,)


def test_the_search_of_permissions_is_the_same(accounts):
    rows = AccountPermission.objects.search("PAYR")
    assert [row.account.username for row in rows] == ["Payroll"]


def test_a_row_made_by_hand_is_found_too(accounts):
    seen = InstanceAccount.objects.first()
    InstanceAccount.objects.create(
        instance=seen.instance,
        db_type="mysql",
        username="ÖL",
        first_seen_at=seen.first_seen_at,
        last_seen_at=seen.last_seen_at,
    )
    assert found("öl") == ["ÖL"]
