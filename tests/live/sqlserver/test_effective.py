"""The engine's facts against the documented permission check, worked out from the catalog anew.

`checks.Checker` asks for one permission on one thing and walks up; the facts come from closures,
`resolve` and `covering`. They share no code.
"""

from __future__ import annotations

import pytest

from accounts import tokens
from accounts.facts import Facts
from tests.fakes.tds.checks import Checker
from tests.live.sqlserver import fleet
from tests.live.sqlserver.conftest import observed_by
from whalefall.engines import engine as get_engine
from whalefall.engines.base import Reference, Rules
from whalefall.engines.observed import Observation, Scope

RULES = get_engine("sqlserver").rules
LOGINS = (
    "app", "lax", "lazy", "boss", "owner_li", "officer", "runner", "controller", "chief", "mimic",
    "CORP\\mei", "it's ]odd\" 🐳", "sa",
)  # fmt: skip
ON_SERVER = (
    "CONTROL SERVER", "VIEW SERVER STATE", "VIEW ANY DEFINITION", "ALTER ANY LOGIN",
    "ALTER SERVER STATE", "ADMINISTER BULK OPERATIONS", "CREATE ANY DATABASE",
)  # fmt: skip
ON_DATABASE = ("CONTROL", "SELECT", "INSERT", "ALTER ANY USER", "VIEW DEFINITION", "CREATE TABLE")
ON_SCHEMA = ("CONTROL", "SELECT", "DELETE", "ALTER")
ON_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "CONTROL", "ALTER")


class Stored:
    """The tokens of each account, asked as `accounts.access` asks them."""

    def __init__(self, observation: Observation, rules: Rules) -> None:
        facts = Facts(observation, rules)
        self.tokens = {found.username: set(found.tokens) for found in facts}

    def may(self, name: str, privilege: str, scope: Scope, parts: tuple[str, ...]) -> bool:
        return any(self._holds(name, each) for each in RULES.covering(privilege, scope, parts))

    def _holds(self, name: str, reference: Reference) -> bool:
        there = self.tokens.get(name, set())
        if reference.capability:
            return tokens.capability(reference.capability) in there
        word = tokens.privilege(reference.scope, reference.privilege, reference.parts)
        exceptions = {
            tokens.trait(reference.scope, reference.privilege, each) for each in reference.unless
        }
        return word in there and not exceptions & there


@pytest.fixture(scope="module")
def stored(observation):
    return Stored(observation, RULES)


def compare(stored, catalog, login):
    """Every difference between facts and check, over all things of the fleet.

    What public may do is public's: it is not copied into the account, and so not asked for here.
    """
    check = Checker(catalog, login, public=False)
    for privilege in ON_SERVER:
        if stored.may(login, privilege, Scope.SERVER, ()) != check.on_server(privilege):
            yield privilege
    for name, database in catalog.databases.items():
        if not check.can_enter(database) or name in ("tempdb",):
            continue
        if check.user_in(database) == 2:  # by guest, which is an account of its own
            continue
        for privilege in ON_DATABASE:
            expected = check.on_database(database, privilege)
            if stored.may(login, privilege, Scope.DATABASE, (name,)) != expected:
                yield f"{privilege} on {name}"
        yield from _in_schemas(stored, check, database, login)


def _in_schemas(stored, check, database, login):
    for schema in ("dbo", "hr", "clerks", "we.ird]"):
        if schema in database.schemas:
            for privilege in ON_SCHEMA:
                parts = (database.name, schema)
                expected = check.on_schema(database, schema, privilege)
                if stored.may(login, privilege, Scope.SCHEMA, parts) != expected:
                    yield f"{privilege} on {parts}, expected {expected}"
    for (schema, name), thing in database.things.items():
        if thing.type == "U" and thing.id > 0:
            parts = (database.name, schema, name)
            for privilege in ON_TABLE:
                expected = check.on_object(database, thing, privilege)
                if stored.may(login, privilege, Scope.TABLE, parts) != expected:
                    yield f"{privilege} on {parts}, expected {expected}"
            for column in thing.columns:
                for privilege in ("SELECT", "UPDATE"):
                    expected = check.on_object(database, thing, privilege, column)
                    if stored.may(login, privilege, Scope.COLUMN, (*parts, column)) != expected:
                        yield f"{privilege} on {(*parts, column)}, expected {expected}"


@pytest.mark.parametrize("login", LOGINS)
def test_facts_agree_with_the_documented_check(stored, catalog, login):
    assert list(compare(stored, catalog, login)) == []


def test_the_comparison_covers_both_answers(stored, catalog):
    """A comparison in which everything is allowed, or nothing, would prove nothing."""
    check = Checker(catalog, "app")
    sales = catalog.databases["sales"]
    found = {check.on_object(sales, t, "SELECT") for t in sales.things.values() if t.id > 0}
    assert found == {True, False}


def test_the_check_of_common_criteria_lets_the_tables_denial_win(own):
    server = own.backend.server
    server.settings["common criteria compliance enabled"] = 1
    found = observed_by(own, fleet.ADMIN, fleet.PASSWORD)
    assert list(compare(Stored(found, RULES), server, "app")) == []
    column = ("sales", "hr", "salaries", "amount")
    assert not Stored(found, RULES).may("app", "SELECT", Scope.COLUMN, column)


@pytest.mark.parametrize(
    ("state", "on", "to"),
    [
        ("D", "", "team"),
        ("D", "schema:hr", "public"),
        ("D", "dbo.orders", "db_datareader"),
        ("G", "schema:hr", "auditor"),
        ("D", "dbo.secret", "clerk"),
        ("D", "hr.salaries", "owner_li"),
    ],
)
def test_they_agree_whatever_is_denied_next(own, state, on, to):
    server = own.backend.server
    server.databases["sales"].grant("SELECT", on, to=to, state=state)
    server.databases["sales"].grant("CONTROL", "hr.salaries", to="clerk", state="D")
    found = Stored(observed_by(own, fleet.ADMIN, fleet.PASSWORD), RULES)
    different = [each for login in LOGINS for each in compare(found, server, login)]
    assert different == []
