"""What the rules say an account may do, tried as that account."""

from __future__ import annotations

import pytest

from accounts.facts import Facts
from tests.live.asked import Asked
from tests.live.mysql.conftest import observe, on
from tests.live.mysql.test_roles import may
from whalefall.engines import engine
from whalefall.engines.base import Held, Principal
from whalefall.engines.observed import Scope

pytestmark = pytest.mark.live

RULES = engine("mysql").rules


def rights(observation, username: str) -> set[tuple[str, ...]]:
    """(privilege, names ...) that remain to the account, its own and those of wider hosts."""
    own = [Held(grant) for grant in observation.grants_of(username)]
    resolved = RULES.resolve(observation.accounts[username], own, observation)
    return {(held.grant.privilege, *held.grant.parts) for held in resolved}


def tables(server, *statements: str) -> None:
    server.execute(
        *(f"CREATE DATABASE {name}" for name in ("sales", "salt")),
        *(f"CREATE TABLE {name}.t (id int)" for name in ("sales", "salt")),
        *statements,
    )


def test_grants_for_wider_hosts_of_the_same_user_count_below_the_global_level(server):
    tables(
        server,
        "CREATE USER li@'127.0.0.1' IDENTIFIED BY 'Se-cret1'",
        "CREATE USER li@'%' IDENTIFIED BY 'other-Se1'",
        "GRANT SELECT ON sales.* TO li@'%'",
        "GRANT INSERT ON salt.t TO li@'%'",
        "GRANT PROCESS, UPDATE ON *.* TO li@'%'",
    )

    mine = rights(observe(server), "li@127.0.0.1")

    assert may(server, "li", "SELECT * FROM sales.t")
    assert may(server, "li", "INSERT INTO salt.t VALUES (1)")
    assert not may(server, "li", "UPDATE sales.t SET id = 1")
    assert mine == {("SELECT", "sales"), ("INSERT", "salt", "t")}


def test_a_row_of_a_narrower_host_hides_that_of_a_wider_one(server):
    tables(
        server,
        "CREATE USER li@'127.0.0.1' IDENTIFIED BY 'Se-cret1'",
        "CREATE USER li@'%' IDENTIFIED BY 'other-Se1'",
        "GRANT SELECT ON `sal%`.* TO li@'127.0.0.1'",
        "GRANT INSERT ON sales.* TO li@'%'",
    )

    mine = rights(observe(server), "li@127.0.0.1")

    assert may(server, "li", "SELECT * FROM sales.t")
    assert not may(server, "li", "INSERT INTO sales.t VALUES (1)")
    assert mine == {("SELECT", "sal%")}


def test_a_row_for_one_database_takes_away_what_a_pattern_gives_there(server):
    tables(
        server,
        "CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'",
        "GRANT SELECT ON `sal%`.* TO li@'%'",
        "GRANT INSERT ON sales.* TO li@'%'",
    )
    seen = observe(server)
    facts = Asked({each.username: each.tokens for each in Facts(seen, RULES)}, RULES)
    for database, allowed in (("sales", False), ("salt", True)):
        assert may(server, "li", f"SELECT * FROM {database}.t") is allowed
        assert facts.may("li@%", "SELECT", Scope.TABLE, (database, "t")) is allowed


def test_rows_of_the_anonymous_user_count_for_everybody(server):
    tables(server, "CREATE USER ''@'%'", "GRANT SELECT ON sales.* TO ''@'%'")
    # MySQL 5.6 takes note of an empty user name only when it loads the tables.
    server.execute("CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'", "FLUSH PRIVILEGES")

    assert may(server, "li", "SELECT * FROM sales.t")
    assert rights(observe(server), "PUBLIC") == {("SELECT", "sales")}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_partial_revoke_is_an_exception_of_the_global_privilege(server):
    tables(server, "CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'")
    server.execute("SET GLOBAL partial_revokes = ON")
    try:
        server.execute("GRANT SELECT ON *.* TO li@'%'", "REVOKE SELECT ON sales.* FROM li@'%'")
        seen = observe(server)
        assert may(server, "li", "SELECT * FROM salt.t")
        assert not may(server, "li", "SELECT * FROM sales.t")
    finally:
        server.execute("DROP USER li@'%'", "SET GLOBAL partial_revokes = OFF")

    own = [Held(grant) for grant in seen.grants_of("li@%")]
    (held,) = RULES.resolve(seen.accounts["li@%"], own, seen)
    assert (held.grant.privilege, held.grant.scope) == ("SELECT", Scope.GLOBAL)
    assert held.grant.traits == ("except:sales",)


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_an_unrestricted_role_makes_a_partial_revoke_void(server):
    tables(server, "CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'", "CREATE ROLE reader")
    server.execute("SET GLOBAL partial_revokes = ON")
    try:
        server.execute("GRANT SELECT ON *.* TO li@'%'", "REVOKE SELECT ON sales.* FROM li@'%'")
        server.execute("GRANT SELECT ON *.* TO reader", "GRANT reader TO li@'%'")
        server.execute("SET DEFAULT ROLE reader TO li@'%'")
        seen = observe(server)
        assert may(server, "li", "SELECT * FROM sales.t")
    finally:
        server.execute("DROP USER li@'%'", "SET GLOBAL partial_revokes = OFF")

    held = [Held(grant) for grant in seen.grants_of("li@%")]
    held += [Held(grant, ("reader@%",)) for grant in seen.grants_of("reader@%")]
    resolved = RULES.resolve(seen.accounts["li@%"], held, seen)
    assert {one.grant.traits for one in resolved} == {()}


@pytest.mark.parametrize("server", on("mysql9", "mariadb"), indirect=True)
def test_with_an_active_role_mysql_looks_at_the_own_rows_only(server):
    tables(
        server,
        "CREATE USER li@'127.0.0.1' IDENTIFIED BY 'Se-cret1'",
        "CREATE USER li@'%' IDENTIFIED BY 'other-Se1'",
        "GRANT SELECT ON sales.* TO li@'%'",
        "CREATE ROLE reader",
        "GRANT reader TO li@'127.0.0.1'",
    )
    is_mariadb = server.label == "MariaDB"
    server.execute(f"SET DEFAULT ROLE reader {'FOR' if is_mariadb else 'TO'} li@'127.0.0.1'")

    allowed = may(server, "li", "SELECT * FROM sales.t")

    assert allowed is is_mariadb
    assert rights(observe(server), "li@127.0.0.1") == ({("SELECT", "sales")} if allowed else set())


def test_code_names_the_account_it_runs_as(server):
    tables(
        server,
        "CREATE USER li@'%' IDENTIFIED BY 'Se-cret1'",
        "CREATE DEFINER = li@'%' PROCEDURE sales.p() SQL SECURITY DEFINER SELECT 1",
        "CREATE DEFINER = li@'%' FUNCTION sales.f() RETURNS int DETERMINISTIC "
        "SQL SECURITY INVOKER RETURN 1",
        "CREATE DEFINER = ghost@'%' SQL SECURITY DEFINER VIEW sales.v AS SELECT 1",
    )

    seen = observe(server)

    def code(name: str) -> set[tuple]:
        grants = [g for g in seen.grants_of(name) if g.privilege == "DEFINER"]
        return {(g.scope, g.object_type, *g.parts, g.traits) for g in grants}

    runs_as = ("security_definer",)
    assert code("li@%") == {
        (Scope.ROUTINE, "procedure", "sales", "p", runs_as),
        (Scope.ROUTINE, "function", "sales", "f", ()),
    }
    assert code("ghost@%") == {(Scope.TABLE, "view", "sales", "v", runs_as)}
    public = Principal(seen.accounts["PUBLIC"], {}, {}, [])
    reasons = {one.name: one.because for one in RULES.capabilities(public, seen)}
    assert reasons["ORPHAN_DEFINER"] == "sales.v is defined by ghost@%, who is missing"
