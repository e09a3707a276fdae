"""`verify_engine` through the real driver: our facts against HAS_PERMS_BY_NAME, and lies show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.verification import compare
from tests.live.sqlserver.conftest import target_of
from tests.live.sqlserver.fleet import ADMIN, PASSWORD
from whalefall.engines.errors import EngineError
from whalefall.engines.observed import Kind, ObservedGrant, Scope


def verified(server, engine, observation, login=ADMIN, password=PASSWORD, names=()):
    with engine.connect(target_of(server, login, password)) as opened:
        said = opened.testify(observation, names or sorted(observation.accounts), 20)
        return compare(observation, engine.rules, said)


def test_every_login_agrees_with_what_the_server_says_in_its_place(server, engine, observation):
    found = verified(server, engine, observation)
    assert found.differences == []
    assert found.unasked == []
    assert found.agreed["fn_my_permissions"] > 100
    assert found.agreed["HAS_PERMS_BY_NAME"] > 1000


def test_without_impersonate_the_login_answers_for_itself_and_says_what_it_needs(
    own, engine, observation
):
    found = verified(own, engine, observation, "app", "Str0ng!", ["app", "boss"])
    assert found.differences == []
    assert found.compared > 50
    (unasked,) = found.unasked
    assert (unasked.subject, unasked.remedy) == ("boss", "GRANT IMPERSONATE ANY LOGIN TO [app];")


def test_impersonate_any_login_is_enough_and_the_login_is_itself_again(own, engine, observation):
    own.backend.server.grant("IMPERSONATE ANY LOGIN", "app")
    with engine.connect(target_of(own, "app", "Str0ng!")) as opened:
        list(opened.testify(observation, ["boss"], 5))
        assert opened.connection.record("SELECT SUSER_SNAME() AS me")["me"] == "app"


def test_the_login_is_itself_again_when_a_question_fails(own, engine, observation):
    with engine.connect(target_of(own)) as opened:
        own.behaviour.breaks["HAS_DBACCESS(N'sales')"] = _fault()
        said = list(opened.testify(observation, ["boss"], 5))
        assert said[-1].subject == "boss"
        assert opened.connection.record("SELECT SUSER_SNAME() AS me")["me"] == ADMIN


def _fault():
    from tests.fakes.tds.server import SqlError

    return SqlError(8623, "The query processor ran out of internal resources.", 16)


def test_a_grant_that_is_not_there_shows_as_a_difference(server, engine, observation):
    lie = ObservedGrant("app", "ALTER TRACE", Scope.SERVER, section="server")
    grants = {**observation.grants, "app": [*observation.grants_of("app"), lie]}
    seen = replace(observation, grants=grants, derived={})
    (difference,) = verified(server, engine, seen, names=["app"]).differences
    assert (difference.what, difference.ours, difference.theirs) == (
        "ALTER TRACE on server", True, False,
    )  # fmt: skip


def test_a_denial_that_was_overlooked_shows_as_a_difference(server, engine, observation):
    grants = {
        name: [each for each in found if each.state != "deny"]
        for name, found in observation.grants.items()
    }
    seen = replace(observation, grants=grants, derived={})
    found = verified(server, engine, seen, names=["app", "CORP\\mei"])
    assert "SELECT on table sales.hr.salaries" in {each.what for each in found.differences}
    assert all(each.ours and not each.theirs for each in found.differences)


def test_groups_and_roles_cannot_be_asked_and_are_left_out(server, engine, observation):
    names = [n for n, a in observation.accounts.items() if a.kind is not Kind.USER]
    with engine.connect(target_of(server)) as opened:
        assert {said.account for said in opened.testify(observation, names, 2)} == {ADMIN}


def test_a_lost_connection_ends_it(own, engine, observation):
    own.behaviour.dies_where = "fn_my_permissions"
    with pytest.raises(EngineError, match="went away"):
        verified(own, engine, observation)
