"""Lists can be narrowed to a span of time."""

from datetime import UTC, datetime

import pytest

from tests.admin import fleet

LIST = "/admin/accounts/accountchangelog/"


@pytest.fixture
def change(orders_db):
    accounts = fleet.store(orders_db, fleet.orders())
    return fleet.change(accounts["app_rw"], change_time=datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("change_time_from_0=2026-05-04", 1),
        ("change_time_from_0=2026-05-04&change_time_from_1=12:30:00", 0),
        ("change_time_to_0=2026-05-04", 1),
        ("change_time_to_0=2026-05-04&change_time_to_1=11:00:00", 0),
        ("change_time_from_0=2026-05-05", 0),
        ("change_time_from_0=no+day&change_time_to_0=2026-13-45", 1),
    ],
)
def test_a_day_or_a_moment_bounds_the_list(viewer, change, query, number):
    assert viewer.get(f"{LIST}?{query}").context["cl"].result_count == number
