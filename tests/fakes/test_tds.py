"""The wire server through Microsoft's driver: every type and token that the engine may meet."""

from __future__ import annotations

import ctypes
import os
from datetime import datetime

import pytest

from tests.fakes.replica import Result
from tests.fakes.tds.requests import call, parameter_names
from tests.fakes.tds.server import FakeSqlServer, Session, SqlError

VALUES = {
    "int": [1, -(2**31), None],
    "bigint": [2**40, -(2**63), None],
    "bit": [True, False, None],
    "float": [0.5, None],
    "datetime": [datetime(2024, 2, 29, 23, 59, 58), datetime(1753, 1, 1), None],
    "nvarchar": ["", "o'clock ]\" 日本 🐳", "x" * 1999, None],
    "nvarchar(max)": ["🐳" * 30_000, "", None],
    "varbinary": [b"\x01", b"\x00" * 85, b"", None],
}


class Backend:
    """Answers with what the test gave it, and remembers the parameters."""

    major = 15

    def __init__(self):
        self.answers, self.parameters = [], []

    def log_in(self, login):
        return Session(login.username, login.database or "master")

    def answer(self, session, sql, parameters):
        self.parameters.append(dict(parameters))
        for each in self.answers:
            if isinstance(each, Exception):
                raise each
            yield each


@pytest.fixture
def wire():
    for name in ("libltdl.so.7", "libgssapi_krb5.so.2", "libkrb5.so.3"):
        try:
            ctypes.CDLL(name)
        except OSError:
            reason = f"mssql-python needs {name}: make setup says what installs it"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
    with FakeSqlServer(Backend()) as running:
        yield running
    assert running.crashes == []


@pytest.fixture
def cursor(wire):
    import mssql_python

    mssql_python.pooling(enabled=False)
    connection = mssql_python.connect(
        f"Server={wire.host},{wire.port};UID=sa;PWD=x;Encrypt=no;", autocommit=True, timeout=5
    )
    connection.timeout = 5
    with connection.cursor() as opened:
        yield opened
    connection.close()


@pytest.mark.parametrize("type_", VALUES)
def test_values_of_every_type_come_as_they_were_sent(wire, cursor, type_):
    rows = [(value,) for value in VALUES[type_]]
    wire.backend.answers = [Result(["value"], [type_], rows)]
    cursor.execute("SELECT value")
    assert [tuple(row) for row in cursor.fetchall()] == rows


def test_an_answer_longer_than_a_packet_arrives_whole(wire, cursor):
    rows = [(n, f"name {n} 🐳") for n in range(5000)]
    wire.backend.answers = [Result(["n", "name"], ["int", "nvarchar"], rows)]
    cursor.execute("SELECT n, name")
    assert [tuple(row) for row in cursor.fetchall()] == rows


def test_several_result_sets_follow_each_other(wire, cursor):
    sets = [Result(["a"], ["int"], [(n,)] * n) for n in (2, 0, 1)]
    wire.backend.answers = [None, sets[0], sets[1], None, sets[2]]
    cursor.execute("SET X; SELECT 1")
    found = []
    while True:
        if cursor.description:
            found.append(len(cursor.fetchall()))
        if not cursor.nextset():
            break
    assert found == [2, 0, 1]


def test_an_error_may_come_after_a_result_set(wire, cursor):
    words = "The SELECT permission was denied on the object 'x'."
    wire.backend.answers = [Result(["a"], ["int"], [(1,)]), SqlError(229, words)]
    cursor.execute("SELECT a; SELECT b")
    assert [tuple(row) for row in cursor.fetchall()] == [(1,)]
    with pytest.raises(Exception, match="permission was denied"):
        cursor.nextset()


def test_after_an_error_the_connection_goes_on(wire, cursor):
    wire.backend.answers = [SqlError(208, "Invalid object name 'x'.", 16)]
    with pytest.raises(Exception, match="Invalid object name"):
        cursor.execute("SELECT x")
    wire.backend.answers = [Result(["a"], ["int"], [(1,)])]
    assert tuple(cursor.execute("SELECT 1").fetchone()) == (1,)


@pytest.mark.parametrize("value", [7, 2**40, "it's 🐳", "x" * 5000, b"\x01\x02", True, 0.5, None])
def test_parameters_of_a_prepared_statement_arrive(wire, cursor, value):
    wire.backend.answers = [Result(["a"], ["int"], [(1,)])]
    cursor.execute("SELECT a FROM t WHERE b = ?", (value,))
    assert tuple(cursor.fetchone()) == (1,)
    (found,) = wire.backend.parameters[-1].values()
    assert found == value


def test_a_statement_is_prepared_once_and_run_again(wire, cursor):
    wire.backend.answers = [Result(["a"], ["int"], [(1,)])]
    for value in (1, 2):
        cursor.execute("SELECT a FROM t WHERE b = ?", (value,))
        cursor.fetchall()
    assert [list(p.values()) for p in wire.backend.parameters] == [[1], [2]]


def test_a_statement_that_takes_too_long_can_be_called_off(wire, cursor):
    wire.behaviour.delay, wire.behaviour.delay_where = 60, "slow"
    cursor.connection.timeout = 1
    with cursor.connection.cursor() as hasty, pytest.raises(Exception, match="Timeout expired"):
        hasty.execute("SELECT slow")


def test_declared_parameters_are_named():
    assert parameter_names("@P1 nvarchar(5), @id int") == ["P1", "id"]
    assert parameter_names(None) == []


def test_a_type_that_is_not_known_is_said_so():
    with pytest.raises(ValueError, match="type 0xf1"):
        call(b"\xff\xff\x0a\x00\x00\x00\x00\x00\xf1")
