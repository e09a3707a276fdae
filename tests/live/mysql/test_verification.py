"""`verify_engine` on real servers: what was read agrees with SHOW GRANTS, and lies show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.verification import compare
from tests.live.mysql.conftest import on
from whalefall.engines import engine
from whalefall.engines.observed import ObservedGrant, Scope

pytestmark = pytest.mark.live
ENGINE = engine("mysql")
FLEET = (
    "CREATE DATABASE sales",
    "CREATE DATABASE `we``ird %_db`",
    "CREATE TABLE sales.t (id int, `no te` int)",
    "CREATE TABLE `we``ird %_db`.`t``able` (id int)",
    "CREATE PROCEDURE sales.p() SELECT 1",
    "CREATE FUNCTION sales.f() RETURNS int DETERMINISTIC RETURN 1",
    "CREATE USER app@'10.%' IDENTIFIED BY 'Se-cret1'",
    "CREATE USER boss@'%' IDENTIFIED BY 'Se-cret1'",
    "CREATE USER `o``d d`@'127.0.0.1' IDENTIFIED BY 'Se-cret1'",
    "CREATE USER ''@'localhost'",
    "GRANT SELECT, INSERT (id), UPDATE (id, `no te`) ON sales.t TO app@'10.%'",
    "GRANT ALL ON sales.* TO app@'10.%' WITH GRANT OPTION",
    "GRANT ALL ON sales.t TO boss@'%'",
    "GRANT SELECT, CREATE VIEW ON `sal\\_%`.* TO app@'10.%'",
    "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION",
    "GRANT FILE, PROCESS, REPLICATION CLIENT ON *.* TO `o``d d`@'127.0.0.1'",
    "GRANT DELETE ON `we``ird %_db`.`t``able` TO `o``d d`@'127.0.0.1' WITH GRANT OPTION",
    "GRANT EXECUTE ON PROCEDURE sales.p TO app@'10.%'",
    "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION sales.f TO `o``d d`@'127.0.0.1'",
    "GRANT PROXY ON boss@'%' TO app@'10.%'",
)
ROLES = (
    "CREATE ROLE reader, writer, nobody",
    "GRANT SELECT ON sales.* TO reader",
    "GRANT INSERT, UPDATE (id) ON sales.t TO writer",
    "GRANT reader TO writer",
    "GRANT writer TO `o``d d`@'127.0.0.1' WITH ADMIN OPTION",
    "GRANT nobody TO app@'10.%'",
)


@pytest.fixture
def filled(server):
    has_roles = "5.6" not in server.label
    server.execute(*FLEET, *(ROLES if has_roles else ()))
    if has_roles:
        word = "FOR" if server.label == "MariaDB" else "TO"
        server.execute(f"SET DEFAULT ROLE writer {word} `o``d d`@'127.0.0.1'")
    return server


def verified(server, change=lambda observation: observation, **login):
    with ENGINE.connect(server.target(**login)) as opened:
        seen = change(opened.observe())
        return compare(seen, ENGINE.rules, opened.testify(seen, sorted(seen.accounts)))


def verified_by_the_collector(filled):
    version = filled.execute("SELECT VERSION()")[0][0]
    script = ENGINE.collector_grants("whalefall", version).replace("<password>", "Se-cret1")
    lines = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    filled.execute(*(each for each in lines.split(";") if each.strip()))
    return verified(filled, username="whalefall", password="Se-cret1")


def test_what_was_read_agrees_with_show_grants(filled):
    found = verified(filled)
    assert found.differences == [], found.differences
    assert found.unasked == []
    assert found.agreed["SHOW GRANTS"] > 100


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_what_active_roles_add_agrees_as_well(filled):
    assert verified(filled).agreed["SHOW GRANTS ... USING"] >= 6


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_partial_revokes_agree(filled):
    filled.execute("SET GLOBAL partial_revokes = ON", "CREATE USER part@'%'",
                   "GRANT SELECT, INSERT ON *.* TO part@'%'",
                   "REVOKE INSERT ON sales.* FROM part@'%'")  # fmt: skip
    try:
        assert [d for d in verified(filled).differences if d.account == "part@%"] == []
    finally:
        filled.execute("DROP USER part@'%'", "SET GLOBAL partial_revokes = OFF")


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_a_grant_that_is_not_there_and_one_overlooked_both_show(filled):
    lie = ObservedGrant("app@10.%", "DROP", Scope.TABLE, "sales", object="t", section="table")

    def change(observation):
        grants = {**observation.grants, "app@10.%": [lie]}
        return replace(observation, grants=grants, derived={})

    found = {(d.what, d.ours, d.theirs) for d in verified(filled, change).differences}
    assert ("DROP on table sales.t", True, False) in found
    assert ("PROXY on other boss@%", False, True) in found or (
        'PROXY on other "boss@%"', False, True) in found  # fmt: skip


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_the_shipped_collector_may_ask_mysql_about_everybody(filled):
    found = verified_by_the_collector(filled)
    assert (found.differences, found.unasked) == ([], [])


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_the_shipped_collector_is_told_what_it_needs_for_the_others(filled):
    found = verified_by_the_collector(filled)
    assert found.differences == []
    assert found.agreed["SHOW GRANTS"] > 5  # about itself
    needs = {each.remedy for each in found.unasked}
    assert needs == {"GRANT SELECT ON mysql.* TO 'whalefall'@'%';"}
