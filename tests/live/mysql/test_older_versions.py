"""Statements for versions that cannot be had here, sent to a server whose catalog still has what
they ask for, must tell the same as its own.
"""

from __future__ import annotations

import pytest

from tests.live.mysql.conftest import observe, on
from whalefall.engines import engine
from whalefall.engines.errors import ConnectionLost

pytestmark = pytest.mark.live


def as_if(opened, number: int):
    """Let the engine take the open server for another version."""
    opened.number = number
    opened.grant_reader.version = number
    return opened


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_accounts_and_roles_as_mariadb_10_3_keeps_them(server):
    server.execute(
        "CREATE USER li IDENTIFIED BY 'Se-cret1' REQUIRE SSL",
        "CREATE ROLE reader, writer",
        "GRANT reader TO writer",
        "GRANT writer TO li",
        "SET DEFAULT ROLE writer FOR li",
        "GRANT SELECT, FILE ON *.* TO li",
    )
    now = observe(server)

    with engine("mysql").connect(server.target()) as opened:
        then = as_if(opened, 100300).observe()

    assert {name: one.kind for name, one in then.accounts.items()} == {
        name: one.kind for name, one in now.accounts.items()
    }
    assert then.accounts["li@%"].attributes["tls"] == "any"
    assert then.accounts["li@%"].attributes["password"] == "native"
    assert then.memberships == now.memberships
    privileges = {grant.privilege for grant in then.grants_of("li@%")}
    assert privileges == {"SELECT", "FILE"}


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_sizes_of_files_as_mysql_5_7_tells_them(server):
    server.execute("CREATE DATABASE `we ird-é`", "CREATE TABLE `we ird-é`.`t#p#é` (id int)")

    with engine("mysql").connect(server.target()) as opened:
        (now,) = opened.observe_tables("we ird-é")
        (then,) = as_if(opened, 50744).observe_tables("we ird-é")

    assert now == then
    assert now.data_bytes > 16384


@pytest.mark.parametrize("server", on("mysql56"), indirect=True)
def test_without_a_limit_of_the_servers_own_the_socket_ends_the_wait(server, monkeypatch):
    monkeypatch.setattr("whalefall.engines.mysql.connection.GRACE", 0)
    opening = engine("mysql").connect(server.target(statement_timeout=1))
    with opening as opened, pytest.raises(ConnectionLost):
        opened.connection.execute("SELECT SLEEP(20)")
