"""Instances from CSV: all rows or none, and every error with its line and column."""

import io

import pytest

from tests.sync import cast
from whalefall.instances.imports import read_csv
from whalefall.instances.models import Instance

pytestmark = pytest.mark.django_db

HEADER = "name,db_type,host,port,credential,tls_mode,is_active,tags\n"


def errors(text):
    return [str(error) for error in read_csv(io.StringIO(text)).errors]


def test_rows_become_instances():
    cast.credential()
    found = read_csv(
        io.StringIO(
            HEADER
            + "orders-db,mysql,10.0.0.1,,collector,,,prod;eu\n"
            + "billing-db,postgresql,10.0.0.2,5433,,verify-full,no,\n"
        )
    )
    assert found.errors == []
    assert found.rows[0].tags == ("prod", "eu")
    orders, billing = found.create()
    assert (orders.port, orders.tls_mode, orders.credential.name) == (3306, "require", "collector")
    assert (billing.port, billing.tls_mode, billing.is_active) == (5433, "verify-full", False)
    assert billing.database_name == "postgres"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("a,mysql,h,port,,,,", "line 2, port: not a number: port"),
        ("a,mysql,h,70000,,,,", "line 2, port: Ensure this value is less than or equal to 65535."),
        ("a,mongodb,h,1,,,,", "line 2, db_type: Value 'mongodb' is not a valid choice."),
        ("a,mysql,,1,,,,", "line 2, host: This field cannot be blank."),
        ("a,mysql,h,1,nobody,,,", "line 2, credential: there is no credential nobody"),
        ("a,mysql,h,1,,maybe,,", "line 2, tls_mode: Value 'maybe' is not a valid choice."),
        ("a,mysql,h,1,,,perhaps,", "line 2, is_active: must be true or false: perhaps"),
        ("a,mysql,h,1", "line 2: the row does not have as many cells as the header"),
        ("a,mysql,h,1,,,,,,", "line 2: the row does not have as many cells as the header"),
        ("x" * 101 + ",mysql,h,1,,,,", "line 2, name: Ensure this value has at most 100 "),
    ],
)
def test_a_wrong_cell_is_named(row, error):
    (found,) = errors(HEADER + row + "\n")
    assert found.startswith(error)


def test_a_credential_of_another_engine_is_refused():
    cast.credential("pg", db_type="postgresql")
    assert errors(HEADER + "a,mysql,h,1,pg,,,\n") == [
        "line 2, credential: this credential is for postgresql"
    ]


def test_what_is_registered_already_is_refused():
    cast.instance("orders-db", host="h", port=1)
    assert errors(HEADER + "orders-db,mysql,other,1,,,,\nnew,mysql,h,1,,,,\n") == [
        "line 2, name: an instance of this name is registered already",
        "line 3, host: this endpoint is registered already",
    ]


def test_what_stands_twice_in_the_file_is_refused():
    assert errors(HEADER + "a,mysql,h,1,,,,\na,mysql,h,1,,,,\n") == [
        "line 3, name: an instance of this name stands in line 2 already",
        "line 3, host: this endpoint stands in line 2 already",
    ]


def test_the_header_is_checked_first():
    assert errors("name,engine\nx,y\n") == [
        "line 1, db_type: this column is missing",
        "line 1, host: this column is missing",
        "line 1, engine: unknown column, must be one of: name, db_type, host, port, "
        "database_name, credential, tls_mode, environment, description, is_active, tags",
    ]


def test_with_one_error_nothing_is_created():
    found = read_csv(io.StringIO(HEADER + "a,mysql,h,1,,,,\nb,mysql,h,x,,,,\n"))
    with pytest.raises(ValueError, match="Nothing is imported while rows have errors"):
        found.create()
    assert not Instance.objects.exists()


@pytest.mark.parametrize("size", [10, 200])
def test_it_costs_the_same_at_every_size(size, django_assert_num_queries):
    rows = "".join(f"db-{number},mysql,h{number},3306,,,,\n" for number in range(size))
    with django_assert_num_queries(6):
        assert len(read_csv(io.StringIO(HEADER + rows)).create()) == size
