"""Failures are one cause where they differ by server only."""

import pytest

from sync.causes import causes, plain
from sync.models import SyncInstanceRecord
from whalefall.instances.models import Instance


def record(message, name="orders-db", host="10.0.0.5"):
    return SyncInstanceRecord(
        instance_name=name, instance=Instance(name=name, host=host), error_message=message
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("orders-db: refused by 10.0.0.5:5432", "…: refused by …:…"),
        ("10.0.0.77 and fe80::1:2:3:4 are away", "… and … are away"),
        ("no answer in 5.0 s, 3 tries", "no answer in … s, … tries"),
        ("ORA-12541: no listener", "ORA-12541: no listener"),
        ("orders-db2 is another name", "orders-db2 is another name"),
    ],
)
def test_what_differs_from_server_to_server_is_left_out(message, said):
    assert plain(record(message)) == said


def test_the_most_frequent_comes_first_with_its_records():
    records = [record(f"{n}: no route", name=n, host=f"{n}.lan") for n in ("a-db", "b-db")]
    first, second = causes([record("ORA-01017: denied"), *records])
    assert (first.text, first.records) == ("…: no route", records)
    assert second.example == "ORA-01017: denied"


def test_a_record_whose_instance_is_gone_is_told_too():
    gone = SyncInstanceRecord(instance_name="orders-db", error_message="orders-db was removed")
    assert plain(gone) == "… was removed"
