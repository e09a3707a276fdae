"""Memberships, and what of them takes effect at login: asked by logging in as the account."""

from __future__ import annotations

import MySQLdb
import pytest

from tests.live.mysql.conftest import observe, on
from whalefall.engines import engine
from whalefall.engines.observed import Kind, Observation

pytestmark = pytest.mark.live

RULES = engine("mysql").rules


def active(observation: Observation, username: str) -> set[str]:
    """The roles whose rights hold at login, by the engine's rules."""
    edges: dict[str, set[str]] = {}
    for membership in RULES.memberships(observation):
        if RULES.applies(membership):
            edges.setdefault(membership.member, set()).add(membership.role)
    found: set[str] = set()
    waiting = [username]
    while waiting:
        for role in edges.get(waiting.pop(), set()) - found:
            found.add(role)
            waiting.append(role)
    return found


def at_login(server, user: str, sql: str) -> str:
    """The first value that a fresh login of the account gets."""
    connection = server.connect(user, "Se-cret1")
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]
    finally:
        connection.close()


def may(server, user: str, sql: str) -> bool:
    try:
        at_login(server, user, sql)
    except MySQLdb.OperationalError:
        return False
    except TypeError:
        return True  # allowed, and no row
    return True


ROLES = ("CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'", "CREATE ROLE reader, writer, lead_role")


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_a_granted_role_is_not_active_before_it_is_default(server):
    server.execute(*ROLES, "GRANT reader TO li@'%'")

    assert at_login(server, "li", "SELECT CURRENT_ROLE()") in (None, "NONE")
    assert active(observe(server), "li@%") == set()


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_default_roles_and_the_roles_inside_them_are_active_in_mysql(server):
    server.execute(
        *ROLES,
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders (id int)",
        "GRANT SELECT ON sales.orders TO reader",
        "GRANT reader TO writer",
        "GRANT writer, lead_role TO li@'%'",
        "SET DEFAULT ROLE writer TO li@'%'",
    )

    assert at_login(server, "li", "SELECT CURRENT_ROLE()") == "`writer`@`%`"
    assert may(server, "li", "SELECT * FROM sales.orders")
    assert active(observe(server), "li@%") == {"writer@%", "reader@%"}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_activate_all_roles_makes_every_role_active(server):
    server.execute(*ROLES, "GRANT writer, lead_role TO li@'%'")
    server.execute("SET GLOBAL activate_all_roles_on_login = ON")
    try:
        shown = at_login(server, "li", "SELECT CURRENT_ROLE()")
        seen = observe(server)
    finally:
        server.execute("SET GLOBAL activate_all_roles_on_login = OFF")

    assert set(shown.split(",")) == {"`lead_role`@`%`", "`writer`@`%`"}
    assert active(seen, "li@%") == {"lead_role@%", "writer@%"}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
@pytest.mark.parametrize("activated", ["ON", "OFF"])
def test_mandatory_roles_are_everybodys(server, activated):
    server.execute(*ROLES, "SET DEFAULT ROLE NONE TO li@'%'")
    server.execute(f"SET GLOBAL activate_mandatory_roles = {activated}")
    server.execute("SET GLOBAL mandatory_roles = '`reader`@`%`,writer'")
    try:
        shown = at_login(server, "li", "SELECT CURRENT_ROLE()")
        seen = observe(server)
    finally:
        server.execute(
            "SET GLOBAL mandatory_roles = ''", "SET GLOBAL activate_mandatory_roles = ON"
        )

    both = {"reader@%", "writer@%"}
    assert shown == {"ON": "`reader`@`%`,`writer`@`%`", "OFF": "NONE"}[activated]
    assert active(seen, "li@%") == (both if activated == "ON" else set())
    assert {m.role for m in RULES.memberships(seen) if m.member == "li@%"} == both
    assert {m.role for m in RULES.memberships(seen) if m.member == "PUBLIC"} == both


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_mandatory_role_may_be_a_default_role(server):
    server.execute(*ROLES, "SET GLOBAL activate_mandatory_roles = OFF")
    server.execute("SET GLOBAL mandatory_roles = 'reader,writer'")
    try:
        server.execute("SET DEFAULT ROLE writer TO li@'%'")
        shown = at_login(server, "li", "SELECT CURRENT_ROLE()")
        seen = observe(server)
    finally:
        server.execute(
            "SET GLOBAL mandatory_roles = ''", "SET GLOBAL activate_mandatory_roles = ON"
        )

    assert (shown, active(seen, "li@%")) == ("`writer`@`%`", {"writer@%"})


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_the_admin_option_is_seen_in_mysql(server):
    server.execute(*ROLES, "GRANT reader TO li@'%' WITH ADMIN OPTION", "GRANT writer TO li@'%'")

    memberships = {m.role: m.admin for m in observe(server).memberships}

    assert memberships == {"reader@%": True, "writer@%": False}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_user_granted_as_a_role_stays_a_user(server):
    server.execute(*ROLES, "CREATE USER app IDENTIFIED BY 'Se-cret1'", "GRANT app TO li@'%'")

    seen = observe(server)

    assert seen.accounts["app@%"].kind is Kind.USER
    assert ("li@%", "app@%") in {(m.member, m.role) for m in seen.memberships}


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_the_default_role_and_the_roles_inside_it_are_active_in_mariadb(server):
    server.execute(
        *ROLES,
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders (id int)",
        "GRANT SELECT ON sales.orders TO reader",
        "GRANT reader TO writer",
        "GRANT writer TO li@'%'",
        "GRANT lead_role TO li@'%'",
        "SET DEFAULT ROLE writer FOR li@'%'",
    )

    assert at_login(server, "li", "SELECT CURRENT_ROLE()") == "writer"
    assert may(server, "li", "SELECT * FROM sales.orders")
    assert active(observe(server), "li@%") == {"writer", "reader"}


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_a_default_role_that_was_taken_away_is_not_active(server):
    server.execute(
        *ROLES,
        "GRANT reader TO li@'%'",
        "SET DEFAULT ROLE reader FOR li@'%'",
        "REVOKE reader FROM li@'%'",
    )

    assert at_login(server, "li", "SELECT CURRENT_ROLE()") is None
    assert active(observe(server), "li@%") == set()


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_public_of_mariadb_is_the_account_of_everybody(server):
    server.execute(
        "CREATE DATABASE sales",
        "CREATE TABLE sales.t (id int)",
        "GRANT SELECT ON sales.* TO PUBLIC",
    )
    server.execute("CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'")

    seen = observe(server)

    assert may(server, "li", "SELECT * FROM sales.t")
    assert seen.accounts["PUBLIC"].kind is Kind.PUBLIC
    assert [g.parts for g in seen.grants_of("PUBLIC")] == [("sales",)]
    assert seen.grants_of("li@%") == ()


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_roles_named_like_accounts_keep_apart_from_them(server):
    server.execute("CREATE ROLE `li@%`", "CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'")

    kinds = {name: account.kind for name, account in observe(server).accounts.items()}

    assert (kinds["`li@%`"], kinds["li@%"]) == (Kind.ROLE, Kind.USER)


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_the_server_refuses_circles_of_roles(server):
    server.execute(*ROLES, "GRANT reader TO writer")

    with pytest.raises(MySQLdb.OperationalError):
        server.execute("GRANT writer TO reader")


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_user_granted_as_a_role_brings_all_its_roles_along(server):
    server.execute(
        *ROLES,
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders (id int)",
        "GRANT SELECT ON sales.orders TO reader",
        "CREATE USER app IDENTIFIED BY 'Se-cret1'",
        "GRANT reader TO app",
        "GRANT app TO li@'%'",
        "SET DEFAULT ROLE app TO li@'%'",
    )
    seen = observe(server)

    assert may(server, "li", "SELECT * FROM sales.orders")
    assert not may(server, "app", "SELECT * FROM sales.orders")
    assert (active(seen, "li@%"), active(seen, "app@%")) == ({"app@%", "reader@%"}, set())
