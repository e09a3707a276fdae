"""`verify_engine` through the real driver: our facts against SESSION_PRIVS and the role graph."""

from __future__ import annotations

from dataclasses import replace

from sync.verification import compare
from tests.fakes.oracle.server import FakeOracle
from whalefall.engines.observed import ObservedGrant, Scope


def verified(engine, target, observation):
    with engine.connect(target) as opened:
        said = opened.testify(observation, sorted(observation.accounts))
        return compare(observation, engine.rules, said)


def test_every_user_agrees_with_what_the_server_makes_of_the_role_graph(
    engine, target, observation
):
    found = verified(engine, target, observation)
    assert (found.differences, found.unasked) == ([], [])
    assert found.agreed["DBA_ROLE_PRIVS, DBA_SYS_PRIVS"] > 50
    assert found.agreed["SESSION_PRIVS"] > 10
    assert found.agreed["SESSION_ROLES"] > 5


def test_another_user_is_asked_about_itself_by_its_own_login(engine, newest):
    """Default roles only: alice has DBA by SET ROLE, and her session starts without it."""
    newest.run("GRANT CREATE TABLE TO alice")
    with engine.connect(newest.target()) as opened:
        seen = opened.observe()
    found = verified(engine, newest.target("alice", "x"), seen)
    assert found.differences == []
    assert found.agreed["SESSION_PRIVS"] >= 3


def test_a_privilege_that_is_not_there_shows_as_a_difference(engine, target, observation):
    lie = ObservedGrant("HR", "DROP ANY TABLE", Scope.SYSTEM, section="system")
    grants = {**observation.grants, "HR": [*observation.grants_of("HR"), lie]}
    found = verified(engine, target, replace(observation, grants=grants, derived={}))
    (difference,) = found.differences
    assert (difference.account, difference.what) == ("HR", "DROP ANY TABLE on system")
    assert (difference.ours, difference.theirs) == (True, False)


def test_a_role_taken_for_active_shows_in_the_session(engine, server, observation):
    seen = replace(
        observation,
        memberships=[replace(each, default=True) for each in observation.memberships],
        derived={},
    )
    found = verified(engine, server.target("alice", "x"), seen)
    assert "role DBA" in {each.what for each in found.differences}


def test_a_section_that_was_denied_leaves_it_unknown(engine, newest):
    newest.run(
        "CREATE USER poor IDENTIFIED BY x", "GRANT CREATE SESSION TO poor",
        "GRANT SELECT ON SYS.dba_users TO poor", "GRANT SELECT ON SYS.dba_roles TO poor",
    )  # fmt: skip
    with engine.connect(newest.target("poor")) as opened:
        seen = opened.observe()
    found = verified(engine, newest.target(), seen)
    assert found.differences == []
    assert found.unknown > 50


def test_in_the_root_the_login_alone_is_asked(engine):
    with FakeOracle("19.21.0.0.0", ["SALESPDB"]) as root:
        with engine.connect(root.target()) as opened:
            seen = opened.observe()
        found = verified(engine, root.target(), seen)
    assert found.differences == []
    assert found.agreed.keys() == {"SESSION_PRIVS"}
    assert found.unasked[0].reason.startswith("connected to the root")
