"""The fake listener, as the real driver sees it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import oracledb
import pytest

from tests.fakes.tns.messages import OracleError, Result
from tests.fakes.tns.server import FakeNet, Login
from tests.fakes.tns.values import decode_number, decode_time, encode_number, encode_time

LONG = "🐘é" * 8_000
MOMENT = datetime(2024, 2, 29, 23, 59, 58, 123456)
ROWS = [
    (at, f"name {at}", None, Decimal("-12.75"), MOMENT, b"\x00\xff", LONG if at < 2 else "")
    for at in range(2500)
]  # fmt: skip
COLUMNS = ("ID", "NAME", "NOTHING", "AMOUNT", "AT", "RAWID", "TEXT")


def answer(session, sql, binds):
    if "no_such" in sql:
        raise OracleError(942, "table or view does not exist")
    if "echo" in sql:
        return Result(("ECHO",), [(repr(binds),)])
    return Result(COLUMNS, ROWS)


LOGINS = {
    "APP": Login("Pässword 1"),
    "LOCKED": Login("x", "LOCKED"),
    "OLD": Login("x", "EXPIRED"),
    "NO_SESSION": Login("x", error=(1045, "user lacks CREATE SESSION privilege; logon denied")),
}


@pytest.fixture(scope="module")
def server():
    with FakeNet(answer, LOGINS) as net:
        yield net


def connect(server, user="app", password="Pässword 1", service="orclpdb"):
    dsn = f"{server.host}:{server.port}/{service}"
    return oracledb.connect(user=user, password=password, dsn=dsn)


def test_every_type_arrives_over_several_fetches(server):
    with connect(server) as connection:
        cursor = connection.cursor()
        cursor.arraysize = 100
        rows = cursor.execute("SELECT everything FROM dual").fetchall()
    assert len(rows) == 2500
    assert rows[1] == (1, "name 1", None, -12.75, MOMENT, b"\x00\xff", LONG)
    assert rows[2499][6] is None, "an empty string is NULL"


def test_binds_arrive_as_they_were_given(server):
    with connect(server) as connection:
        binds = {"a": "O'Neil 🐘", "b": 10**30, "c": None, "d": b"\x01"}
        ((echo,),) = connection.cursor().execute("SELECT echo(:a, :b, :c, :d)", binds)
    assert echo == repr(list(binds.values()))


@pytest.mark.parametrize(
    ("user", "password", "service", "code"),
    [
        ("app", "wrong", "orclpdb", "ORA-01017"),
        ("nobody", "x", "orclpdb", "ORA-01017"),
        ("locked", "x", "orclpdb", "ORA-28000"),
        ("old", "x", "orclpdb", "ORA-28001"),
        ("no_session", "x", "orclpdb", "ORA-01045"),
        ("app", "Pässword 1", "elsewhere", "DPY-6001"),
    ],
)
def test_a_login_is_refused_by_number(server, user, password, service, code):
    with pytest.raises(oracledb.Error, match=code):
        connect(server, user, password, service)


def test_a_statement_fails_by_number_and_the_connection_lives_on(server):
    with connect(server) as connection:
        cursor = connection.cursor()
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            cursor.execute("SELECT x FROM no_such")
        assert cursor.execute("SELECT x FROM dual").fetchone()[0] == 0


def test_a_slow_statement_is_broken_off_and_the_connection_lives_on(server):
    server.delays = {"slow": 5}
    try:
        with connect(server) as connection:
            connection.call_timeout = 200
            with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
                connection.cursor().execute("SELECT slow FROM dual")
            assert connection.cursor().execute("SELECT x FROM dual").fetchone()[0] == 0
    finally:
        server.delays = {}


@pytest.mark.parametrize(
    "value", [0, 1, -1, 99, 100, -100, 10**37, Decimal("0.001"), Decimal("-123456.789")]
)
def test_numbers_survive_their_way(value):
    assert decode_number(encode_number(value)) == value


@pytest.mark.parametrize("value", [MOMENT, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)])
def test_times_survive_their_way(value):
    assert decode_time(encode_time(value, with_fraction=True)) == value
