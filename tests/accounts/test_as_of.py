"""The account as of a date is what the reading of that date said, whatever happened since."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.as_of import State, as_of
from accounts.collection import apply
from accounts.models import AccountChangeLog, AccountSnapshot, InstanceAccount
from tests.accounts.world import PlainRules, account, denied, grant, member, observe
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = [
    grant("a", name, on, grantable=option)
    for name in ("SELECT", "UPDATE")
    for on in ("s.t", "x.y")
    for option in (False, True)
]
GLOBAL = [grant("a", name) for name in ("SUPER", "FILE")]
ROLES = [member("a", "dba"), member("a", "team", admin=True), member("a", "dba", default=False)]
OF_SECTION = {"table": TABLES, "global": GLOBAL, "memberships": ROLES}
EVERYTHING = [*TABLES, *GLOBAL, *ROLES]

days = st.lists(
    st.tuples(
        st.booleans() | st.just(True),
        st.sets(st.sampled_from(range(len(EVERYTHING)))),
        st.sets(st.sampled_from(list(OF_SECTION))),
        st.sampled_from([None, FIRST, FIRST + timedelta(days=400)]),
    ),
    min_size=1,
    max_size=7,
)


def moment(day, hours=0):
    return FIRST + timedelta(days=day, hours=hours)


def orders_db():
    return Instance.objects.create(name="orders-db", db_type="mysql", host="db1", port=3306)


def read(on, day, *things, **values):
    return apply(on, observe(*things, **values), rules=PlainRules(), now=moment(day))


def stored(username="a"):
    return InstanceAccount.objects.filter(username=username).first()


def read_day(on, day, there, numbers, blind, valid_until):
    """One sync; gives what the store then says of account `a`: None where it is not there."""
    hidden = [thing for name in blind for thing in OF_SECTION[name]]
    held = [EVERYTHING[n] for n in sorted(numbers) if EVERYTHING[n] not in hidden]
    things = [account("a", valid_until=valid_until), *held] if there else []
    read(on, day, account("collector"), *things, sections=map(denied, blind))
    found = stored()
    return found.permission.permission_snapshot if found and found.is_active else None


@settings(max_examples=25, deadline=None)
@given(days)
def test_every_day_is_told_as_it_was_read(days):
    with transaction.atomic():
        on = orders_db()
        said = [read_day(on, day, *values) for day, values in enumerate(days)]
        found = stored()
        for day, snapshot in enumerate(said) if found else ():
            for hours in (0, 23):
                told = as_of(found, moment(day, hours))
                assert told.snapshot == snapshot
                assert (told.state is State.PRESENT) == (snapshot is not None)
        transaction.set_rollback(True)


def test_before_it_was_first_seen_there_is_nothing_to_tell():
    on = orders_db()
    read(on, 0, account("collector"))
    read(on, 3, account("collector"), account("a"))
    assert as_of(stored(), moment(2)).state is State.NOT_YET
    assert as_of(stored(), moment(3)).state is State.PRESENT


def test_while_it_was_gone_it_is_told_as_gone():
    on = orders_db()
    for day, things in enumerate(([account("a")], [], [account("a")])):
        read(on, day, account("collector"), *things)
    states = [as_of(stored(), moment(day, 5)).state for day in range(3)]
    assert states == [State.PRESENT, State.GONE, State.PRESENT]


def test_who_is_gone_today_is_told_as_it_was_before():
    on = orders_db()
    read(on, 0, account("collector"), account("a"), grant("a", "SUPER"))
    read(on, 1, account("collector"))
    (held,) = as_of(stored(), moment(0, 5)).snapshot["categories"]["grants"]
    assert held["privilege"] == "SUPER"
    assert as_of(stored(), moment(1, 5)).state is State.GONE


def test_what_was_first_read_later_is_unknown_before_not_missing():
    on = orders_db()
    held = grant("a", "UPDATE", "s.t")
    read(on, 0, account("a"), sections=[denied("table")])
    read(on, 1, account("a"), held)
    before = as_of(stored(), moment(0, 5)).snapshot
    assert before["categories"]["grants"] == []
    assert before["sections"]["table"]["content"] == "none"


def test_it_says_from_when_on_it_knows():
    on = orders_db()
    for day, names in enumerate((["SUPER"], ["FILE"], ["FILE", "SUPER"])):
        read(on, day, account("a"), *(grant("a", name) for name in names))
    AccountChangeLog.objects.filter(change_time__lt=moment(2)).delete()
    AccountSnapshot.objects.filter(until__lt=moment(2)).delete()
    told = as_of(stored(), moment(0, 5))
    assert (told.state, told.snapshot, told.known_since) == (State.UNKNOWN, None, moment(2))
    assert as_of(stored(), moment(2)).state is State.PRESENT


def test_a_change_whose_earlier_side_was_not_kept_ends_what_is_known():
    on = orders_db()
    read(on, 0, account("a"))
    read(on, 1, account("a"), grant("a", "SUPER"))
    AccountSnapshot.objects.all().delete()
    assert as_of(stored(), moment(0)).state is State.UNKNOWN
    assert as_of(stored(), moment(1)).known_since == moment(1)


def test_a_reading_that_changes_nothing_keeps_nothing():
    on = orders_db()
    for day in range(3):
        read(on, day, account("a"), grant("a", "SUPER"))
    assert not AccountSnapshot.objects.exists()


@pytest.mark.parametrize("changes", [2, 12])
def test_the_number_of_queries_does_not_grow(changes, django_assert_max_num_queries):
    on = orders_db()
    for day in range(changes):
        read(on, day, account("a"), *([grant("a", "SUPER")] if day % 2 else []))
    found = stored()
    with django_assert_max_num_queries(6):
        assert as_of(found, moment(0, 5)).state is State.PRESENT
