"""What goes wrong on the way in is named, with the remedy."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.fakes.oracle.server import FakeOracle
from tests.servers.certificates import write_certificates
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    LoginRefused,
    StatementTimeout,
    UnsupportedVersion,
)
from whalefall.instances.encryption import Secret


def refusal(engine, target, kind=ConnectError) -> str:
    with pytest.raises(kind) as caught, engine.connect(target):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("app", "wrong", "wrong user name or password (ORA-01017). Correct the credential."),
        ("bob", "x", "the account is locked (ORA-28000). ALTER USER BOB ACCOUNT UNLOCK;"),
        ("carol", "x", "the password has expired (ORA-28001). ALTER USER CAROL IDENTIFIED BY"),
        ("outln", "x", "the account is locked"),
        ("nobody", "x", "wrong user name or password"),
    ],
)
def test_a_refused_login_says_why(engine, newest, user, password, words):
    message = refusal(engine, newest.target(user, password), LoginRefused)
    assert words in message
    assert message.startswith(f"{user} at 127.0.0.1:")


def test_a_login_without_create_session_gets_the_grant(engine, newest):
    newest.run("CREATE USER poor IDENTIFIED BY x")
    message = refusal(engine, newest.target("poor", "x"), LoginRefused)
    assert "lacks CREATE SESSION (ORA-01045). GRANT CREATE SESSION TO POOR;" in message


def test_an_unknown_service_is_named(engine, newest):
    message = refusal(engine, newest.target(database="nosuch"))
    assert "the listener knows no service nosuch" in message
    assert message.endswith("Check the service name.")


def test_an_unknown_sid_is_named(engine, newest):
    newest.net.listener_refuses["nosuch"] = 12505
    assert "the listener knows no SID" in refusal(engine, newest.target(database="sid:nosuch"))


@pytest.mark.parametrize(
    ("code", "words"),
    [(12516, "no free connection"), (1033, "starting up or shutting down"),
     (12528, "takes no connections now")],
)  # fmt: skip
def test_what_the_listener_says_is_passed_on(engine, newest, code, words):
    newest.net.listener_refuses["busy"] = code
    assert words in refusal(engine, newest.target(database="busy"))


def test_no_service_at_all_is_asked_for(engine, newest):
    assert "no service is named" in refusal(engine, newest.target(database=""))


def test_a_closed_port_is_told_from_an_unknown_host(engine, newest):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = newest.target()
        message = refusal(engine, replace(closed, port=taken.getsockname()[1]))
        assert "nothing listens on that port" in message
    assert "unknown host" in refusal(engine, replace(closed, host="no.such.host.invalid"))


def test_a_server_before_12_1_asks_for_the_client_libraries(engine, newest):
    newest.net.protocol = 314
    message = refusal(engine, newest.target(), UnsupportedVersion)
    assert "older than 12.1" in message
    assert "Set ORACLE_CLIENT_DIR" in message


def test_client_libraries_that_are_not_there_are_named(newest, tmp_path):
    """In a process of its own: thick mode cannot be had where thin mode was used before."""
    code = (
        "from whalefall.engines import engine; from whalefall.engines.base import Target; "
        "engine('oracle').connect(Target('127.0.0.1', 1, 'a', 'b', 'c', 'off')).__enter__()"
    )
    environment = {**os.environ, "ORACLE_CLIENT_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (
        b"ConnectError: Oracle's client libraries in ORACLE_CLIENT_DIR cannot be used" in ran.stderr
    )
    assert b"DPI-1047" in ran.stderr


def test_a_slow_statement_fails_its_section_and_no_more(engine, newest):
    newest.net.delays = {"dba_ts_quotas": 5}
    with engine.connect(newest.target(statement_timeout=1)) as opened:
        found = opened.observe()
    assert "took longer than 1 s" in found.sections["tablespace"].message
    assert found.sections["table"].is_complete
    assert found.grants_of("APP")


def test_a_server_that_answers_nothing_any_more_is_cut(engine, newest, monkeypatch):
    monkeypatch.setattr("whalefall.engines.oracle.connection.GRACE", 0.5)
    with engine.connect(newest.target(statement_timeout=1)) as opened:
        newest.net.silent_on = "statement"
        before = time.monotonic()
        with pytest.raises((ConnectionLost, StatementTimeout)):
            list(opened.connection.rows("SELECT 1 FROM sys.dual"))
    assert time.monotonic() - before < 5


def test_a_server_that_dies_in_the_middle_is_a_lost_connection(engine, newest):
    newest.run(*(f"CREATE USER u{n} IDENTIFIED BY x" for n in range(1200)))
    newest.net.dies_on = "dba_users"
    with engine.connect(newest.target()) as opened, pytest.raises(ConnectionLost) as caught:
        opened.observe()
    assert "went away in the middle of a read" in str(caught.value)


def test_the_password_stands_in_no_message(engine, newest):
    assert "hunter2" not in refusal(engine, newest.target("app", "hunter2"))
    assert "hunter2" not in repr(newest.target("app", "hunter2"))


@pytest.fixture(scope="module")
def tcps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    write_certificates(folder)
    with FakeOracle(certificates=folder) as running:
        yield running, folder


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tls_modes_connect(engine, tcps, mode):
    server, folder = tcps
    with engine.connect(server.target(tls_mode=mode, tls_ca=str(folder / "ca.pem"))) as opened:
        assert opened.probe().tls is True


def test_a_ca_may_be_given_as_text(engine, tcps):
    server, folder = tcps
    text = (folder / "ca.pem").read_text()
    with engine.connect(server.target(tls_mode="verify-ca", tls_ca=text)) as opened:
        assert opened.probe().tls


def test_another_ca_is_refused(engine, tcps, tmp_path):
    write_certificates(tmp_path)
    message = refusal(engine, tcps[0].target(tls_mode="verify-ca", tls_ca=str(tmp_path / "ca.pem")))
    assert "not signed by a CA that is trusted" in message


def test_a_missing_ca_is_named(engine, tcps, tmp_path):
    message = refusal(engine, tcps[0].target(tls_mode="verify-ca", tls_ca=str(tmp_path / "none")))
    assert "the CA to verify the server with cannot be read" in message


def test_another_name_in_the_certificate_is_refused_by_verify_full_only(engine, tmp_path):
    write_certificates(tmp_path, "10.9.8.7")
    with FakeOracle(certificates=tmp_path) as server:
        target = {"tls_ca": str(tmp_path / "ca.pem")}
        with engine.connect(server.target(tls_mode="verify-ca", **target)):
            pass
        message = refusal(engine, server.target(tls_mode="verify-full", **target))
    assert "the server's certificate is for another host name" in message


def test_a_server_without_tls_is_told(engine, newest):
    message = refusal(engine, newest.target(tls_mode="require"))
    assert "the server offers no TLS on this port" in message


def test_a_server_with_tls_only_is_told(engine, tcps):
    message = refusal(engine, tcps[0].target(tls_mode="off"))
    assert "hung up before the login" in message


def test_an_unknown_tls_mode_names_the_choices(engine, newest):
    message = refusal(engine, newest.target(tls_mode="maybe"))
    assert "Must be one of: off, require, verify-ca, verify-full" in message


def test_a_password_as_the_store_keeps_it_is_taken(engine, newest):
    """`Secret` hides in reprs; the driver takes nothing but plain text."""
    target = newest.target("app", Secret("secret"))
    with engine.connect(target) as opened:
        assert opened.probe().login == "APP"
