"""The product's own facts over the fleet: the same rights as the independent closure, and what
SET ROLE adds.
"""

from __future__ import annotations

import pytest

from accounts import tokens
from accounts.facts import AccountFacts, Facts, explain


@pytest.fixture(scope="module")
def facts(observation, engine) -> dict[str, AccountFacts]:
    return {found.username: found for found in Facts(observation, engine.rules)}


def test_every_account_has_the_privileges_of_the_closure(facts, effective, observation):
    for name in observation.accounts:
        expected = {
            tokens.privilege(held.grant.scope, held.grant.privilege, held.grant.parts)
            for held in effective.held(name)
        }
        found = {token for token in facts[name].tokens if token.startswith("priv:")}
        assert expected <= found, name
        assert {token.partition("@")[0] for token in found} == {
            token.partition("@")[0] for token in expected
        }, name


def test_every_account_has_the_capabilities_of_the_closure(facts, effective, observation):
    for name in observation.accounts:
        assert set(facts[name].facts["capabilities"]) == set(effective.capabilities(name)), name


def test_a_superuser_role_is_reached_by_set_role_and_not_had(facts):
    dave = facts["dave"]
    assert "cap:SUPERUSER" not in dave.tokens
    assert "reach:cap:SUPERUSER" in dave.tokens
    told = explain("dave", dave.facts, "reach:cap:SUPERUSER")
    assert told == "dave -> boss: SUPERUSER (SUPERUSER) (SET ROLE boss)"


def test_flaws_of_a_login_are_not_reached(facts):
    assert "cap:NO_VALID_UNTIL" in facts["boss"].tokens
    assert "reach:cap:NO_VALID_UNTIL" not in facts["bob"].tokens
    assert "reach:cap:SUPERUSER_REMOTE" not in facts["dave"].tokens


def test_noinherit_before_16_means_by_set_role_only(server, facts):
    with server.connect() as connection:
        if connection.info.server_version >= 160000:
            pytest.skip("INHERIT is per membership since 16")
    token = "priv:table:INSERT@shop.sales.orders"
    assert token not in facts["bob"].tokens
    assert f"reach:{token}" in facts["bob"].tokens


def test_set_only_membership_is_a_path_that_says_so(server, facts):
    with server.connect() as connection:
        if connection.info.server_version < 160000:
            pytest.skip("SET is per membership since 16")
    token = "priv:column:UPDATE@shop.sales.orders.card"
    assert token not in facts["dave"].tokens
    told = explain("dave", facts["dave"].facts, f"reach:{token}")
    assert told == "dave -> base: UPDATE ON shop.sales.orders.card (SET ROLE base)"


def test_rights_of_the_database_owner_come_by_that_role(server, facts):
    with server.connect() as connection:
        if connection.info.server_version < 150000:
            pytest.skip("schema public belongs to pg_database_owner since 15")
    told = explain("frank", facts["frank"].facts, "priv:schema:OWNER@shop.public")
    assert told == "frank -> shop_owner -> pg_database_owner: OWNER ON shop.public"
    assert "priv:schema:OWNER@postgres.public" not in facts["frank"].tokens
