"""Random casts: the facts that come over the wire against the documented rules, worked out anew.

`tests.fakes.tds.checks.Checker` (SQL Server) and `Independent` (Oracle) ask for one right at a time
and share no code with the engines.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.oracle.server import FakeOracle
from tests.fakes.tds.backend import SqlServerBackend
from tests.fakes.tds.catalog import SqlServerCatalog
from tests.fakes.tds.server import FakeSqlServer
from tests.live.oracle.test_effective import Independent, covered
from tests.live.sqlserver.conftest import driver as driver  # skips where it cannot load
from tests.live.sqlserver.conftest import observed_by
from tests.live.sqlserver.test_effective import RULES, Stored, compare
from whalefall.engines import engine
from whalefall.engines.observed import Kind

FEW = settings(
    max_examples=int(os.environ.get("WHALEFALL_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LOGINS = ("ann", "ben", "cid")
ROLES = ("one", "two", "three")
PLACES = ("", "schema:hr", "schema:dbo", "hr.pay", "dbo.orders")
FIXED = ("db_owner", "db_datareader", "db_denydatareader", "db_denydatawriter", "db_ddladmin")
SERVER = ("CONTROL SERVER", "VIEW ANY DEFINITION", "ALTER ANY LOGIN", "ALTER SERVER STATE")
PRINCIPALS = (*LOGINS, *ROLES, "public")

SAID = st.tuples(
    st.sampled_from(("G", "G", "W", "D", "D", "R")),
    st.sampled_from(("SELECT", "INSERT", "UPDATE", "CONTROL", "ALTER")),
    st.sampled_from(PLACES),
    st.sampled_from(PRINCIPALS),
    st.booleans(),
)
# A role is only ever put into a later one: the product takes no circle.
NESTED = st.sets(
    st.tuples(st.sampled_from((*LOGINS, *ROLES)), st.sampled_from((*ROLES, *FIXED))).filter(
        lambda edge: edge[0] not in ROLES or (ROLES + FIXED).index(edge[1]) > ROLES.index(edge[0])
    ),
    max_size=6,
)
ON_SERVER = st.sets(
    st.tuples(st.sampled_from("GD"), st.sampled_from(SERVER), st.sampled_from(LOGINS)), max_size=3
)
SYSADMINS = st.sets(st.sampled_from(LOGINS), max_size=1)


@FEW
@given(said=st.lists(SAID, max_size=8), nested=NESTED, on_server=ON_SERVER, sysadmins=SYSADMINS,
       owner=st.sampled_from(("dbo", *LOGINS, *ROLES)), strict=st.booleans())  # fmt: skip
def test_sql_servers_facts_are_those_of_the_permission_check(
    driver, said, nested, on_server, sysadmins, owner, strict
):
    server = SqlServerCatalog()
    server.logins["sa"].password = "Sa-Pass-1"
    server.settings["common criteria compliance enabled"] = int(strict)
    for name in LOGINS:
        server.login(name, roles=("sysadmin",) if name in sysadmins else ())
    for state, privilege, name in sorted(on_server):
        server.grant(privilege, name, state=state)
    shop = server.database("shop")
    for name in LOGINS:
        shop.user(name, name)
    for name in ROLES:
        shop.role(name)
    for member, role in sorted(nested):
        shop.add(role, member)
    shop.schema("hr", owner)
    shop.table("hr.pay", "id", "amount")
    shop.table("dbo.orders", "id")
    for state, privilege, place, name, column in said:
        of_column = column and place == "hr.pay" and privilege in ("SELECT", "UPDATE")
        more = {"column": "amount"} if of_column else {}
        shop.grant(privilege, place, to=name, state=state, **more)
    with FakeSqlServer(SqlServerBackend(server)) as running:
        stored = Stored(observed_by(running, "sa", "Sa-Pass-1"), RULES)
        assert [each for name in LOGINS for each in compare(stored, server, name)] == []


USERS = ("ANN", "BEN", "CID")
ORACLE_ROLES = ("ONE", "TWO", "THREE", "LOCKED")
RIGHTS = st.sampled_from(("SELECT", "READ", "INSERT", "UPDATE", "DELETE"))
SYSTEM = st.sampled_from(
    ("SELECT ANY TABLE", "READ ANY TABLE", "DELETE ANY TABLE", "SELECT ANY DICTIONARY")
)
HOLDERS = st.sampled_from((*USERS, *ORACLE_ROLES, "PUBLIC"))
GRANTED = st.sets(
    st.tuples(
        st.sampled_from((*USERS, *ORACLE_ROLES)), st.sampled_from((*ORACLE_ROLES, "DBA")),
        st.booleans(),
    ).filter(
        lambda e: e[0] not in ORACLE_ROLES
        or (*ORACLE_ROLES, "DBA").index(e[1]) > ORACLE_ROLES.index(e[0])
    ),
    max_size=8,
)  # fmt: skip
DEFAULTS = st.dictionaries(
    st.sampled_from(USERS), st.sampled_from(("NONE", "ALL", "ALL EXCEPT one, dba"))
)
QUESTIONS = [
    (right, *place)
    for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
    for place in (("HR", "PAY"), ("SYS", "USER$"), ("ANN", "OWN"))
]


@FEW
@given(granted=GRANTED, defaults=DEFAULTS,
       on_table=st.sets(st.tuples(RIGHTS, HOLDERS, st.booleans()), max_size=5),
       system=st.sets(st.tuples(SYSTEM, HOLDERS, st.booleans()), max_size=4))  # fmt: skip
def test_oracles_facts_are_those_of_the_role_graph(granted, defaults, on_table, system):
    asked = engine("oracle")
    with FakeOracle() as server:
        server.run("CREATE USER hr IDENTIFIED BY x", "CREATE TABLE hr.pay")
        server.run(*(f"CREATE USER {name} IDENTIFIED BY x" for name in USERS))
        server.run(*(f"CREATE ROLE {name}" for name in ORACLE_ROLES[:-1]))
        server.run("CREATE ROLE locked IDENTIFIED BY pw", "CREATE TABLE ann.own")
        for member, role, admin in sorted(granted):
            server.run(f"GRANT {role} TO {member}{' WITH ADMIN OPTION' * admin}")
        for right, holder, option in sorted(on_table):
            is_user = holder in USERS  # a role takes no GRANT OPTION
            server.run(
                f"GRANT {right} ON hr.pay TO {holder}{' WITH GRANT OPTION' * (option and is_user)}"
            )
        for right, holder, admin in sorted(system):
            server.run(f"GRANT {right} TO {holder}{' WITH ADMIN OPTION' * admin}")
        for name, which in defaults.items():
            server.run(f"ALTER USER {name} DEFAULT ROLE {which}")
        with asked.connect(server.target()) as opened:
            observation = opened.observe()
        tokens = Stored(observation, asked.rules).tokens
        wrong = [
            (name, question)
            for name in observation.accounts
            if observation.accounts[name].kind is Kind.USER
            for question in QUESTIONS
            if covered(asked, tokens[name], *question)
            != Independent(server.main, name).may(*question)
        ]
        assert wrong == []
