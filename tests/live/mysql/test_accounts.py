"""Accounts as they are on the server: names, kinds, passwords, locks."""

from __future__ import annotations

import pytest

from tests.live.mysql.conftest import observe, on
from tests.servers.mariadb import literal
from whalefall.engines.observed import Kind

pytestmark = pytest.mark.live


def test_every_account_of_the_server_is_seen(server):
    server.execute("CREATE USER app_rw@'10.%' IDENTIFIED BY 'Se-cret1'")

    seen = observe(server).accounts

    known = {f"{user}@{host}" for user, host in server.execute("SELECT User, Host FROM mysql.user")}
    assert set(seen) == known | {"PUBLIC"}
    assert seen["PUBLIC"].kind is Kind.PUBLIC


@pytest.mark.parametrize(
    "user", ["o'brien", "a%b", "a_b", "a\\b", "two words", 'say "x"', "é", "a`b"]
)
def test_awkward_names_arrive_unchanged(server, user):
    server.execute(f"CREATE USER {literal(user)}@'%' IDENTIFIED BY 'Se-cret1'")

    assert f"{user}@%" in observe(server).accounts


def test_every_section_is_complete_for_the_administrator(server):
    sections = observe(server).sections

    assert {section.status for section in sections.values()} == {"complete"}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_role_of_mysql_is_told_from_a_locked_user(server):
    server.execute(
        "CREATE ROLE reader",
        "CREATE USER app_rw IDENTIFIED BY 'Se-cret1' ACCOUNT LOCK",
    )

    accounts = observe(server).accounts

    assert (accounts["reader@%"].kind, accounts["reader@%"].is_locked) == (Kind.ROLE, False)
    assert (accounts["app_rw@%"].kind, accounts["app_rw@%"].is_locked) == (Kind.USER, True)
