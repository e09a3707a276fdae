"""The ledger tells an account as of a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.collection import apply
from accounts.models import InstanceAccount
from tests.accounts.world import PlainRules, account, grant, observe
from tests.api.cast import account as uncollected
from tests.api.cast import instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 1, 1, 1, tzinfo=UTC)


@pytest.fixture
def app():
    """SUPER on the first of January, FILE from the third on."""
    on = instance()
    for day, name in ((0, "SUPER"), (2, "FILE")):
        seen = observe(account("app"), grant("app", name))
        apply(on, seen, rules=PlainRules(), now=FIRST + timedelta(days=day))
    return InstanceAccount.objects.get()


def asked(client, account, date):
    return client.get(f"/api/v1/accounts/ledgers/{account.pk}/as-of", {"date": date})


@pytest.mark.parametrize(
    ("date", "privilege"),
    [
        ("2026-01-01", "SUPER"),
        ("2026-01-02", "SUPER"),
        ("2026-01-03", "FILE"),
        ("2026-01-03T00:59:59Z", "SUPER"),
        ("2026-01-03T01:00:00Z", "FILE"),
    ],
)
def test_a_day_is_told_by_its_end_and_a_time_to_the_second(viewer, app, date, privilege):
    told = check_ok(asked(viewer, app, date))
    (held,) = told["snapshot"]["categories"]["grants"]
    assert (told["state"], held["privilege"]) == ("present", privilege)


def test_it_says_until_when_it_was_so(viewer, app):
    assert check_ok(asked(viewer, app, "2026-01-01"))["until"] == "2026-01-03T01:00:00Z"
    assert check_ok(asked(viewer, app, timezone.now().date().isoformat()))["until"] is None


def test_before_the_first_reading_there_is_no_snapshot(viewer, app):
    told = check_ok(asked(viewer, app, "2025-12-31"))
    assert (told["state"], told["snapshot"]) == ("not_yet", None)
    assert told["known_since"] == "2026-01-01T01:00:00Z"


def test_an_account_that_was_never_collected_is_unknown(viewer):
    told = check_ok(asked(viewer, uncollected(collected=False), "2026-01-01"))
    assert (told["state"], told["known_since"]) == ("unknown", None)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-02-30", "2026-01-01T25:00:00"])
def test_what_is_no_date_is_refused_with_an_example(viewer, app, date):
    assert list(errors(asked(viewer, app, date))) == ["date"]


def test_an_unknown_account_is_a_404(viewer):
    url = "/api/v1/accounts/ledgers/999000000/as-of?date=2026-01-01"
    assert check_failed(viewer.get(url), 404, "RESOURCE_NOT_FOUND")["error"] is True
