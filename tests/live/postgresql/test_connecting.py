"""What goes wrong on the way to a server: one clear sentence and what to do about it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.live.postgresql.conftest import newest_only
from whalefall.engines.errors import (
    ConnectError,
    ConnectionLost,
    LoginRefused,
    StatementTimeout,
    UnsupportedVersion,
)


def said(engine, target, kind=ConnectError) -> str:
    with pytest.raises(kind) as caught, engine.connect(target):
        pass
    assert target.password not in str(caught.value)
    return str(caught.value)


def test_a_wrong_password_is_refused(engine, target):
    message = said(engine, replace(target, password="wrong-one"), LoginRefused)
    assert "wrong user name or password. Correct the credential." in message


def test_an_unknown_user_is_refused(engine, target):
    message = said(engine, replace(target, username="nobody@all"), LoginRefused)
    assert message.startswith("nobody@all at 127.0.0.1:")


def test_an_unknown_database_is_named(engine, target):
    message = said(engine, replace(target, database="nowhere"), LoginRefused)
    assert "/nowhere: the database does not exist. Check the database name." in message


def test_a_database_that_refuses_connections_says_so(engine, target):
    message = said(engine, replace(target, database="closed"), LoginRefused)
    assert "the database does not accept connections" in message


@newest_only
def test_an_unknown_host_is_named(engine, target):
    message = said(engine, replace(target, host="no-such-host.invalid"))
    assert "no-such-host.invalid" in message
    assert "unknown host. Check the host name." in message


@newest_only
@pytest.mark.parametrize("host", ["a b", ".." * 40, "ü" * 300])
def test_a_host_that_is_none_is_a_connect_error(engine, target, host):
    assert "unknown host. Check the host name." in said(engine, replace(target, host=host))


@newest_only
def test_a_closed_port_is_told(engine, target):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        message = said(engine, replace(target, port=unused.getsockname()[1]))
    assert "nothing listens on that port" in message


@newest_only
def test_a_listener_that_speaks_something_else_is_a_connect_error(engine, target):
    with answering(b"SSH-2.0-OpenSSH_9.2p1\r\n") as port:
        message = said(engine, replace(target, port=port))
    assert "what listens there is not PostgreSQL. Check the port." in message


def test_a_server_without_tls_is_told_when_tls_is_required(engine, target):
    message = said(engine, replace(target, tls_mode="require"))
    assert "the server offers no TLS" in message


@newest_only
def test_verify_ca_needs_a_ca(engine, target):
    message = said(engine, replace(target, tls_mode="verify-ca"))
    assert "TLS mode verify-ca needs a CA. Give the CA of the instance" in message


def test_a_role_that_may_not_log_in_is_told_with_the_remedy(server, engine, target):
    server.run("CREATE ROLE nologin_here PASSWORD 'throw-away'")
    message = said(engine, replace(target, username="nologin_here"), LoginRefused)
    server.run("DROP ROLE nologin_here")
    assert 'the role may not log in. ALTER ROLE "nologin_here" LOGIN;' in message


def test_a_full_connection_limit_is_told_with_the_remedy(server, engine, target):
    server.run("CREATE ROLE busy LOGIN PASSWORD 'throw-away' CONNECTION LIMIT 1")
    with engine.connect(replace(target, username="busy")):
        message = said(engine, replace(target, username="busy"), LoginRefused)
    server.run("DROP ROLE busy")
    assert "the role's connection limit is reached" in message


def test_no_connect_on_the_database_is_told_with_the_grant(server, engine, target):
    server.run("CREATE ROLE stranger LOGIN PASSWORD 'throw-away'")
    stranger = replace(target, username="stranger", database="private")
    message = said(engine, stranger, LoginRefused)
    server.run("DROP ROLE stranger")
    assert 'GRANT CONNECT ON DATABASE "private" TO "stranger";' in message


def test_a_statement_that_takes_too_long_is_a_timeout(engine, target):
    with engine.connect(replace(target, statement_timeout=1)) as opened:
        with pytest.raises(StatementTimeout, match="took longer than 1 s"):
            list(opened.session.rows("SELECT pg_sleep(5)"))
        assert list(opened.session.rows("SELECT 1")) == [(1,)]


def test_a_backend_that_dies_in_the_middle_is_a_lost_connection(server, engine, target):
    with engine.connect(target) as opened:
        rows = opened.observe_accounts()
        next(rows)
        pid = opened.session.connection.info.backend_pid
        server.run(f"SELECT pg_terminate_backend({pid})")
        time.sleep(0.2)
        with pytest.raises(ConnectionLost, match="in the middle of a read"):
            list(rows)


@newest_only
def test_a_server_that_stops_answering_is_cut_off(server, engine, target):
    with frozen_after_login(server) as (port, freeze):
        slow = replace(target, port=port, statement_timeout=1, connect_timeout=2)
        with engine.connect(slow) as opened:
            freeze.set()
            before = time.monotonic()
            with pytest.raises(ConnectionLost):
                list(opened.observe_accounts())
    assert time.monotonic() - before < 6


@newest_only
def test_a_server_older_than_10_is_not_supported(engine, target, monkeypatch):
    monkeypatch.setattr("whalefall.engines.postgresql.session.OLDEST", 990000)
    with pytest.raises(UnsupportedVersion, match="is older than 10"), engine.connect(target):
        pass


def test_the_connection_can_only_read(engine, target):
    from whalefall.engines.errors import EngineError

    with engine.connect(target) as opened, pytest.raises(EngineError, match="read-only"):
        list(opened.session.rows("CREATE ROLE intruder"))


def test_settings_of_the_role_do_not_bend_the_session(server, engine, target):
    server.run("CREATE ROLE bent SUPERUSER LOGIN PASSWORD 'throw-away'")
    server.run("ALTER ROLE bent SET search_path = 'vault, public'")
    server.run("ALTER ROLE bent SET DateStyle = 'SQL, DMY'")
    server.run("ALTER ROLE bent SET default_transaction_read_only = off")
    query = "SELECT current_setting('search_path'), current_setting('transaction_read_only')"
    with engine.connect(replace(target, username="bent")) as opened:
        assert opened.session.row(query) == ("pg_catalog", "on")
    server.run("DROP ROLE bent")


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A port that says `words` to whoever comes, and hangs up."""

    def answer() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(1024)
            line.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@contextmanager
def frozen_after_login(server) -> Iterator[tuple[int, threading.Event]]:
    """A way to the server on which, after `freeze`, nothing passes and nothing is closed."""
    freeze, lines = threading.Event(), []

    def pass_on(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            if freeze.is_set():
                return
            sink.sendall(data)

    def accept() -> None:
        near, _ = listener.accept()
        far = socket.create_connection((server.host, server.port))
        lines.extend((near, far))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pass_on, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], freeze
        for line in lines:
            line.close()
