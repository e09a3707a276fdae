"""The page of an account as of a date."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.collection import apply
from accounts.models import InstanceAccount
from tests.accounts.world import PlainRules, account, denied, grant, member, observe, role
from tests.admin import fleet
from tests.admin.reading import words

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = (
    ([account("app"), role("team"), grant("app", "SUPER"), member("app", "team", admin=True)], []),
    ([account("app", is_locked=True), role("team"), grant("app", "FILE")], [denied("table")]),
    ([role("team")], []),
)


@pytest.fixture
def app(db):
    """SUPER and in a role on the first of January, locked with FILE on the second, then gone."""
    on = fleet.instance("orders-db", db_type="mysql")
    for day, (things, sections) in enumerate(DAYS):
        seen = observe(*things, sections=sections)
        apply(on, seen, rules=PlainRules(), now=FIRST + timedelta(days=day))
    return InstanceAccount.objects.get(username="app")


def text_of(client, account, date):
    url = f"/admin/accounts/instanceaccount/{account.pk}/as-of/"
    return words(client.get(url, {"date": date}))


def test_it_shows_what_it_was_given_then(viewer, app):
    page = text_of(viewer, app, "2026-01-01")
    assert "true until 2026-01-02 12:00 UTC" in page
    assert "Given to the account itself then On Privileges * global SUPER" in page
    assert "Roles then team may give it on" in page


def test_it_shows_in_colour_what_differs_from_today(viewer, app):
    page = text_of(viewer, app, "2026-01-01")
    assert "only then global SUPER ✓ own –" in page
    assert "only today global FILE – ✓ own" in page
    assert "is locked no yes" in page


def test_it_says_what_could_not_be_read_then(viewer, app):
    page = text_of(viewer, app, "2026-01-02")
    assert "What could not be read then rights on tables · denied" in page
    assert "Nothing: its own rights are the same." in page


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2026-01-03", "It was not on the server then."),
        ("2025-12-31", "It was first seen on 2026-01-01 12:00 UTC."),
        ("2026-13-01", "Not a date: 2026-13-01."),
    ],
)
def test_it_says_when_there_is_nothing_to_show(viewer, app, date, said):
    page = text_of(viewer, app, date)
    assert said in page
    assert "Given to the account" not in page


def test_it_says_when_the_history_does_not_reach_back(viewer, app):
    app.changes.filter(change_type="add").delete()
    app.snapshots.all().delete()
    page = text_of(viewer, app, "2026-01-01")
    assert "The history does not reach back so far: it has no gap since 2026-01-02 12:00" in page


def test_an_account_that_was_never_read_says_so(viewer, app):
    app.permission.delete()
    assert "It has not been read yet." in text_of(viewer, app, "2026-01-01")


def test_it_is_closed_to_who_has_no_role(nobody, app):
    url = f"/admin/accounts/instanceaccount/{app.pk}/as-of/"
    assert nobody.get(url).url.startswith("/admin/login/")


def test_many_grants_cost_no_more_queries(viewer):
    counts = []
    for size in (100, 2_000):
        on = fleet.instance(f"db-{size}", db_type="mysql")
        grants = [grant("app", "SELECT", f"s.t{n}") for n in range(size)]
        apply(on, observe(account("app"), *grants), rules=PlainRules(), now=FIRST)
        seen = observe(account("app"), *grants, grant("app", "SUPER"))
        apply(on, seen, rules=PlainRules(), now=FIRST + timedelta(days=1))
        found = InstanceAccount.objects.get(instance=on)
        with CaptureQueriesContext(connection) as caught:
            assert "only today global SUPER" in text_of(viewer, found, "2026-01-01")
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 16
