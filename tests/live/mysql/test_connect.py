"""Connecting: TLS modes, and what a person is told when it does not work."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.mysql.conftest import on
from tests.servers.base import free_port
from tests.servers.certificates import write_certificates
from whalefall.engines import engine
from whalefall.engines.base import Target
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    EngineError,
    LoginRefused,
    StatementTimeout,
)

pytestmark = pytest.mark.live


def refused(target: Target) -> ConnectError:
    with pytest.raises(ConnectError) as caught, engine("mysql").connect(target):
        pass
    return caught.value


def probe(target: Target):
    with engine("mysql").connect(target) as opened:
        return opened.probe()


def test_a_wrong_password_is_named_and_not_shown(server):
    error = refused(server.target(server.admin_username, "wr0ng-secret"))

    assert isinstance(error, LoginRefused)
    assert "Access denied for user" in str(error)
    assert "Check the user name and the password" in error.remedy
    assert "wr0ng-secret" not in str(error)


def test_a_closed_port_is_named():
    error = refused(Target("127.0.0.1", free_port(), "x", "y", tls_mode="off"))

    assert "refused the connection" in str(error)


def test_an_unknown_host_is_named():
    error = refused(Target("no-such-host.invalid", 3306, "x", "y", tls_mode="off"))

    assert str(error) == "Unknown host: no-such-host.invalid. Check the host name and the DNS."


@contextmanager
def listener(greeting: bytes = b"", close: bool = False) -> Iterator[int]:
    """A port where something else than MySQL listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []

        def accept() -> None:
            connection, _ = listening.accept()
            held.append(connection)
            connection.sendall(greeting)
            if close:
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)
        for connection in held:
            connection.close()


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_a_listener_that_is_no_mysql_is_named(greeting):
    with listener(greeting, close=True) as port:
        error = refused(Target("127.0.0.1", port, "x", "y", tls_mode="off", connect_timeout=2))

    assert "Check that a MySQL or MariaDB listens on this port" in str(error)


TLS_SERVERS = on("mariadb", "mysql9")


@pytest.mark.parametrize("server", TLS_SERVERS, indirect=True)
@pytest.mark.parametrize(("mode", "tls"), [("off", False), ("require", True)])
def test_tls_is_what_the_mode_says(server, mode, tls):
    assert probe(server.target(tls_mode=mode)).tls is tls


@pytest.mark.parametrize("server", TLS_SERVERS, indirect=True)
def test_verify_ca_takes_the_right_authority_only(server, tmp_path):
    other = write_certificates(tmp_path)

    assert probe(server.target(tls_mode="verify-ca", tls_ca=str(server.ca))).tls
    error = refused(server.target(tls_mode="verify-ca", tls_ca=str(other)))
    assert "Check the CA file" in error.remedy


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_verify_full_takes_a_certificate_for_this_host(server):
    assert probe(server.target(tls_mode="verify-full", tls_ca=str(server.ca))).tls


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_verify_full_refuses_a_certificate_for_another_name(server):
    error = refused(server.target(tls_mode="verify-full", tls_ca=str(server.ca)))

    assert "certificate" in str(error)


@pytest.mark.parametrize("server", on("mysql56"), indirect=True)
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_no_mode_but_off_goes_on_in_plain_text(server, mode, tmp_path):
    authority = write_certificates(tmp_path)

    error = refused(server.target(tls_mode=mode, tls_ca=str(authority)))

    assert "offers no TLS" in str(error)


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_an_expired_password_is_named(server):
    server.execute("CREATE USER late IDENTIFIED BY 'Se-cret1' PASSWORD EXPIRE")

    error = refused(server.target("late", "Se-cret1"))

    assert "has expired" in error.remedy


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_a_locked_account_is_named(server):
    server.execute("CREATE USER shut IDENTIFIED BY 'Se-cret1' ACCOUNT LOCK")

    assert "Unlock the collector's account" in refused(server.target("shut", "Se-cret1")).remedy


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_a_statement_that_takes_too_long_ends_and_the_connection_stays_good(server):
    with engine("mysql").connect(server.target(statement_timeout=1)) as opened:
        with pytest.raises(StatementTimeout, match="did not answer within 1 s"):
            opened.connection.execute(
                "SELECT COUNT(*) FROM information_schema.COLLATIONS a, "
                "information_schema.COLLATIONS b, information_schema.COLLATIONS c, "
                "information_schema.COLLATIONS d WHERE SHA2(CONCAT(a.COLLATION_NAME, "
                "b.COLLATION_NAME, c.COLLATION_NAME, d.COLLATION_NAME), 512) = 'x'"
            )
        assert opened.probe().login


def test_a_session_that_is_killed_is_a_lost_connection(server):
    with engine("mysql").connect(server.target()) as opened:
        ((number,),) = opened.connection.rows("SELECT CONNECTION_ID()")
        server.execute(f"KILL {number}")
        with pytest.raises(ConnectionLost, match="went away while it was being read"):
            opened.observe()


def test_nothing_can_be_written_through_the_engine(server):
    server.execute("CREATE DATABASE sales", "CREATE TABLE sales.t (id int) ENGINE=InnoDB")

    opening = engine("mysql").connect(server.target())
    with opening as opened, pytest.raises(EngineError, match=r"READ[- ]ONLY"):
        opened.connection.execute("INSERT INTO sales.t VALUES (1)")


def test_the_password_stands_in_no_repr(server):
    assert server.admin_password not in repr(server.target())
