"""Connecting through Microsoft's driver: TLS modes, timeouts, and what is said when it fails."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.fakes.tds.backend import SqlServerBackend
from tests.fakes.tds.catalog import SqlServerCatalog
from tests.fakes.tds.server import FakeSqlServer, SqlError
from tests.live.sqlserver.conftest import target_of
from tests.servers.base import free_port
from tests.servers.certificates import write_certificates
from whalefall.engines.errors import ConnectError, EngineError, LoginRefused, UnsupportedVersion


@pytest.fixture
def tls(driver, certificates):
    with FakeSqlServer(SqlServerBackend(SqlServerCatalog()), certificates) as running:
        yield running


def probed(engine, target):
    with engine.connect(target) as opened:
        return opened.probe()


def refusal(engine, target):
    with pytest.raises(ConnectError) as caught, engine.connect(target):
        pass
    return caught.value


def test_it_says_what_it_found(server, engine):
    probe = probed(engine, target_of(server))
    assert (probe.vendor, probe.main_version, probe.login) == ("SQL Server", "2019", "sa")
    assert probe.tls is False


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_every_mode_of_tls_gets_in_where_the_certificate_fits(tls, engine, certificates, mode):
    target = replace(
        target_of(tls), host="localhost", tls_mode=mode, tls_ca=str(certificates / "ca.pem")
    )
    assert probed(engine, target).tls is True


def test_a_ca_may_be_given_as_text(tls, engine, certificates):
    text = (certificates / "ca.pem").read_text(encoding="ascii")
    target = replace(target_of(tls), host="localhost", tls_mode="verify-full", tls_ca=text)
    assert probed(engine, target).tls is True


def test_a_certificate_of_another_authority_is_not_trusted(tls, engine, tmp_path):
    other = str(write_certificates(tmp_path / "other"))
    target = replace(target_of(tls), host="localhost", tls_mode="verify-full", tls_ca=other)
    failure = refusal(engine, target)
    assert "not signed by a CA that is trusted" in failure.args[0]
    assert "Give the instance the CA" in failure.remedy


def test_a_certificate_for_another_host_is_not_trusted(tls, engine, certificates):
    target = target_of(tls, tls_mode="verify-full", tls_ca=str(certificates / "ca.pem"))
    assert "for another host name" in refusal(engine, target).args[0]
    named = replace(target, options={"certificate_host": "localhost"})
    assert probed(engine, named).tls is True


def test_a_server_without_tls_is_refused_unless_tls_is_off(server, engine):
    failure = refusal(engine, target_of(server, tls_mode="require"))
    assert "the server offers no TLS" in failure.args[0]
    assert "TLS mode to off" in failure.remedy


def test_a_server_that_insists_on_tls_gets_it_though_the_mode_is_off(tls, engine):
    assert probed(engine, target_of(tls)).vendor == "SQL Server"


def test_an_unknown_tls_mode_names_the_choices(server, engine):
    failure = refusal(engine, target_of(server, tls_mode="maybe"))
    assert "Must be one of: off, require, verify-ca, verify-full" in failure.args[0]


@pytest.mark.parametrize(
    ("login", "password", "said", "remedy"),
    [
        ("app", "wrong", "Login failed for user 'app'", "Check the user name and the password"),
        ("nobody_here", "x", "Login failed", "Check the user name"),
        ("locked", "Str0ng!", "currently locked out", "UNLOCK"),
        ("expired", "Str0ng!", "has expired", "new password"),
        ("fresh", "Str0ng!", "must be changed", "MUST_CHANGE"),
        ("disabled", "Str0ng!", "account is disabled", "ENABLE"),
        ("kept_out", "Str0ng!", "Login failed", "CONNECT SQL"),
    ],
)
def test_a_refused_login_names_cause_and_remedy(server, engine, login, password, said, remedy):
    failure = refusal(engine, target_of(server, login, password))
    assert isinstance(failure, LoginRefused)
    assert said in failure.args[0]
    assert remedy in failure.remedy


def test_the_password_is_in_no_message(server, engine):
    failure = refusal(engine, target_of(server, "app", "hunter2-secret"))
    assert "hunter2" not in f"{failure!s}{failure!r}{failure.__cause__!r}"


def test_a_password_may_hold_what_connection_strings_are_made_of(own, engine):
    own.backend.server.login("semi", password="a;b}{=\"' 🐳")
    assert probed(engine, target_of(own, "semi", "a;b}{=\"' 🐳")).login == "semi"


def test_a_database_that_is_not_there(server, engine):
    failure = refusal(engine, target_of(server, database="nowhere"))
    assert 'Cannot open database "nowhere"' in failure.args[0]
    assert "database name" in failure.remedy


def test_a_login_in_another_language_is_still_a_refused_login(own, engine):
    own.backend.refusals["app"] = SqlError(18456, "Anmeldefehler für den Benutzer 'app'.")
    failure = refusal(engine, target_of(own, "app", "x"))
    assert isinstance(failure, LoginRefused)
    assert "Anmeldefehler" in failure.args[0]


def test_nobody_listens(engine, driver, server):
    target = replace(target_of(server), port=free_port(), connect_timeout=2)
    assert "nothing listens on that port" in refusal(engine, target).args[0]


def test_an_unknown_host(engine, driver, server):
    target = replace(target_of(server), host="nowhere.invalid", connect_timeout=2)
    assert "unknown host" in refusal(engine, target).args[0]


def test_something_else_listens(own, engine):
    own.behaviour.garbage = True
    failure = refusal(engine, target_of(own, connect_timeout=2))
    assert "Check" in failure.remedy


def test_a_server_older_than_2012_is_refused(driver, engine):
    with (
        FakeSqlServer(SqlServerBackend(SqlServerCatalog(major=10))) as old,
        pytest.raises(UnsupportedVersion, match="older than 2012"),
    ):
        probed(engine, target_of(old))


def test_freetds_is_asked_for_where_it_is_missing(server, engine):
    pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError)
    if "FreeTDS" in pyodbc.drivers():
        pytest.skip("FreeTDS is installed here")
    failure = refusal(engine, target_of(server, options={"driver": "freetds"}))
    assert "FreeTDS is not installed" in failure.args[0]
    assert "tdsodbc" in failure.remedy


def test_a_connection_is_closed_and_not_kept_for_later(own, engine):
    probed(engine, target_of(own))
    with pytest.raises(EngineError), engine.connect(target_of(own, "app", "wrong")):
        pass
    deadline = time.monotonic() + 5
    while own._clients and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not own._clients
