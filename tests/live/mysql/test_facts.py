"""From a real server to the tokens that lists and rules ask: the whole way, once."""

from __future__ import annotations

import pytest

from accounts.facts import Facts
from tests.live.mysql.conftest import observe, on
from whalefall.engines import engine

pytestmark = pytest.mark.live


def facts(server) -> dict[str, object]:
    return {one.username: one for one in Facts(observe(server), engine("mysql").rules)}


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_what_a_default_role_gives_is_had_and_what_another_gives_is_reached(server):
    server.execute(
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders (id int)",
        "CREATE ROLE reader, boss",
        "GRANT SELECT ON sales.orders TO reader",
        "GRANT SUPER, FILE ON *.* TO boss",
        "CREATE USER li IDENTIFIED BY 'Se-cret1'",
        "GRANT reader, boss TO li",
        "SET DEFAULT ROLE reader TO li",
    )

    li = facts(server)["li@%"]

    assert {"priv:table:SELECT@sales.orders", "role.direct:reader@%", "cap:ANY_HOST"} <= {
        *li.tokens
    }
    assert {"reach:cap:SUPERUSER", "reach:priv:global:FILE"} <= {*li.tokens}
    assert not {"cap:SUPERUSER", "priv:global:FILE"} & {*li.tokens}


def test_patterns_and_everybodys_rights_have_their_tokens(server):
    server.execute(
        "CREATE USER li IDENTIFIED BY 'Se-cret1'",
        "GRANT UPDATE ON `sal%`.* TO li",
        "CREATE USER ''@'%'",
        "GRANT SELECT ON sales.* TO ''@'%'",
    )

    seen = facts(server)

    assert "priv:database.pattern:UPDATE@sal%" in seen["li@%"].tokens
    assert "priv:database:SELECT@sales" in seen["PUBLIC"].tokens
    assert "cap:ANONYMOUS" in seen["@%"].tokens
    assert "priv:database:SELECT@sales" not in seen["li@%"].tokens


def test_two_readings_of_an_unchanged_server_are_equal(server):
    server.execute(
        "CREATE USER li IDENTIFIED BY 'Se-cret1'", "CREATE USER wu IDENTIFIED BY 'Se-cret1'"
    )

    first, second = facts(server), facts(server)

    assert {name: one.snapshot_fingerprint for name, one in first.items()} == {
        name: one.snapshot_fingerprint for name, one in second.items()
    }
    assert {name: one.tokens for name, one in first.items()} == {
        name: one.tokens for name, one in second.items()
    }
