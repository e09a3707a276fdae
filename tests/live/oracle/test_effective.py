"""Facts against an independent calculation of the documented rules, on the dictionary itself.

The calculation knows nothing of the engine: it asks, for one user and one right at a time, the way
Oracle's documentation tells it, walking from the user's roles as a session of his would have them.
"""

from __future__ import annotations

import pytest

from accounts.facts import Facts
from accounts.tokens import capability, privilege, reach
from tests.fakes.oracle.dictionary import Dictionary
from whalefall.engines.observed import Kind, Scope

MORE = (
    "CREATE ROLE outer_role",
    "CREATE ROLE middle",
    "CREATE ROLE circle",
    "CREATE USER u_outer IDENTIFIED BY x",
    "CREATE USER u_none IDENTIFIED BY x",
    "CREATE USER u_except IDENTIFIED BY x",
    "CREATE USER u_one IDENTIFIED BY x",
    "CREATE USER u_locked_role IDENTIFIED BY x",
    "CREATE USER u_dba_inside IDENTIFIED BY x",
    "GRANT middle TO outer_role",
    "GRANT circle TO middle WITH ADMIN OPTION",
    "GRANT outer_role TO circle",
    "GRANT secured TO outer_role",
    "GRANT DELETE ANY TABLE TO circle",
    "GRANT INSERT ANY TABLE TO secured",
    "GRANT READ ON hr.emp TO middle",
    "GRANT outer_role TO u_outer, u_none, u_except",
    "GRANT secured, team_rw TO u_locked_role",
    "GRANT team_rw, middle TO u_one, u_except",
    "GRANT team_rw TO PUBLIC",
    "ALTER USER u_none DEFAULT ROLE NONE",
    "ALTER USER u_except DEFAULT ROLE ALL EXCEPT outer_role, middle",
    "ALTER USER u_one DEFAULT ROLE middle",
    "CREATE ROLE gives_dba",
    "GRANT dba TO gives_dba",
    "GRANT gives_dba TO u_dba_inside",
    "GRANT SELECT ANY DICTIONARY TO u_one",
)
QUESTIONS = (
    ("SELECT", "HR", "EMP"), ("INSERT", "HR", "EMP"), ("UPDATE", "HR", "EMP"),
    ("DELETE", "HR", "EMP"), ("SELECT", "SYS", "USER$"), ("DELETE", "SYS", "USER$"),
    ("SELECT", "APP", "ANYTHING"),
)  # fmt: skip
SYSTEM = (
    "CREATE SESSION",
    "SELECT ANY TABLE",
    "DELETE ANY TABLE",
    "INSERT ANY TABLE",
    "CREATE USER",
)


class Independent:
    """What a session of `user` may do, asked of the dictionary."""

    def __init__(self, dictionary: Dictionary, user: str, every_role: bool = False) -> None:
        self.d, self.user = dictionary, user
        self.roles = self._granted() if every_role else dictionary.active_roles(user)

    def _granted(self) -> set[str]:
        """SET ROLE ALL, and those with a password."""
        found: set[str] = set()
        before = -1
        while before != len(found):
            before = len(found)
            found |= {r for m, r, _ in self.d.role_grants if m == self.user or m in found}
        return found

    @property
    def holders(self) -> set[str]:
        return {self.user} | self.roles

    def has_system(self, right: str) -> bool:
        return any(key[0] in self.holders and key[1] == right for key in self.d.system_grants)

    def is_superuser(self) -> bool:
        return "DBA" in self.roles or "SYSDBA" in self.d.password_file.get(self.user, ())

    def may(self, right: str, owner: str, name: str) -> bool:
        if owner == self.user or self.is_superuser():
            return True
        same = {right, "READ"} if right == "SELECT" else {right}
        for key in self.d.object_grants:
            if key[0] in self.holders and key[1] in same and key[2:4] == (owner, name):
                return True
        if owner == "SYS":
            return right == "SELECT" and self.has_system("SELECT ANY DICTIONARY")
        wide = {f"{one} ANY TABLE" for one in same}
        if any(self.has_system(one) for one in wide):
            return True
        return any(
            key[0] in self.holders and key[1] in wide and key[2] == owner
            for key in self.d.schema_grants
        )


@pytest.fixture
def world(engine, newest):
    newest.run(*MORE)
    with engine.connect(newest.target()) as opened:
        observation = opened.observe()
    tokens = {one.username: set(one.tokens) for one in Facts(observation, engine.rules)}
    users = [name for name, one in observation.accounts.items() if one.kind is Kind.USER]
    return newest.main, users, tokens


def covered(engine, tokens: set[str], right: str, *parts: str) -> bool:
    return any(
        (
            capability(one.capability)
            if one.capability
            else privilege(one.scope, one.privilege, one.parts)
        )
        in tokens
        for one in engine.rules.covering(right, Scope.TABLE, parts)
    )


def test_who_may_do_what_on_a_table_at_login(engine, world):
    dictionary, users, tokens = world
    for user in users:
        there = Independent(dictionary, user)
        for question in QUESTIONS:
            wanted = (user, question, there.may(*question))
            assert (user, question, covered(engine, tokens[user], *question)) == wanted


def test_system_privileges_at_login_and_by_set_role(world):
    dictionary, users, tokens = world
    for user in users:
        now, later = Independent(dictionary, user), Independent(dictionary, user, every_role=True)
        for right in SYSTEM:
            token = privilege(Scope.SYSTEM, right)
            assert (user, right, token in tokens[user]) == (user, right, now.has_system(right))
            reached = token in tokens[user] or reach(token) in tokens[user]
            assert (user, right, reached) == (user, right, later.has_system(right))


def test_superusers_and_roles(world):
    dictionary, users, tokens = world
    for user in users:
        there = Independent(dictionary, user)
        assert (user, capability("SUPERUSER") in tokens[user]) == (user, there.is_superuser())
        roles = {one.partition(":")[2] for one in tokens[user] if one.startswith("role:")}
        assert (user, roles) == (user, there.roles)


def test_publics_rights_are_in_nobody_else(world):
    _, _, tokens = world
    assert "priv:system:SELECT ANY TABLE" in tokens["PUBLIC"]
    assert "role.direct:TEAM_RW" not in tokens["HR"]


def test_admin_options_are_found_through_roles(world):
    _, _, tokens = world
    assert "role.admin:CIRCLE" in tokens["U_OUTER"]
    assert "role.admin:CIRCLE" not in tokens["U_NONE"]
    assert "reach:role.admin:CIRCLE" in tokens["U_NONE"]
