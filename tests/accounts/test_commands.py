import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.accounts.test_access import instance_with, user
from tests.accounts.world import denied, grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders_db():
    return instance_with(
        "orders-db",
        user("app_rw"),
        user("[red]odd"),
        grant("app_rw@%", "UPDATE", "sales"),
        sections=[denied("routine")],
    )


def output(*command, **options):
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def test_accounts_are_listed_as_a_table(orders_db):
    shown = output("accounts")
    assert "orders-db" in shown
    assert "app_rw@%" in shown
    assert "[red]odd@%" in shown


def test_accounts_are_listed_as_json(orders_db):
    shown = json.loads(output("accounts", "--json", "--instance", str(orders_db.pk)))
    assert [row["username"] for row in shown] == ["[red]odd@%", "app_rw@%"]


def test_accounts_can_be_narrowed_to_who_has_a_privilege(orders_db):
    for more in ([], ["--object", "sales.orders"]):
        shown = json.loads(output("accounts", "--json", "--privilege", "update", *more))
        assert [row["username"] for row in shown] == ["app_rw@%"]


def test_a_long_list_says_that_it_goes_on(orders_db):
    assert "1 of 2 accounts." in output("accounts", "--limit", "1")


def test_access_says_how(orders_db):
    assert "app_rw@%: UPDATE ON sales" in output("access", "UPDATE", "sales.orders")


def test_access_says_what_the_name_was_taken_for(orders_db):
    shown = output("access", "UPDATE", "sales.orders")
    assert "MySQL / MariaDB: UPDATE on table sales.orders" in shown


def test_access_says_where_it_is_blind(orders_db):
    err = StringIO()
    output("access", "EXECUTE", "sales.refund", stderr=err)
    assert "Not all could be read on orders-db: 2 accounts may have it." in err.getvalue()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("accounts", "--instance", "nope"), "No instance with the name or id nope."),
        (("accounts", "--object", "sales"), "--object needs --privilege."),
        (("accounts", "--limit", "0"), "--limit must be at least 1."),
        (("access", "UPDAET", "sales"), "Unknown privilege: UPDAET"),
        (("access", "UPDATE", "sales", "--scope", "x"), "Unknown scope: x. Must be one of"),
    ],
)
def test_bad_input_is_one_clear_line(orders_db, command, message):
    with pytest.raises(CommandError) as caught:
        output(*command)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
