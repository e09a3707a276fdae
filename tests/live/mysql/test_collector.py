"""The least privileges: the shipped script reads everything, less is told by section."""

from __future__ import annotations

import pytest

from tests.live.mysql.conftest import observe, on
from whalefall.engines import engine
from whalefall.engines.errors import PermissionDenied

pytestmark = pytest.mark.live

TABLES = {
    "database": "mysql.db",
    "table": "mysql.tables_priv",
    "column": "mysql.columns_priv",
    "routine": "mysql.procs_priv",
    "proxy": "mysql.proxies_priv",
}


def of(name: str, *values: str) -> list[object]:
    """A parameter set for one server, in its group."""
    return [pytest.param(name, *values, marks=pytest.mark.xdist_group(name))]


def run_script(server, leave_out: str = "\0") -> None:
    version = server.execute("SELECT VERSION()")[0][0]
    script = engine("mysql").collector_grants("whalefall", version)
    lines = [line for line in script.splitlines() if line and not line.startswith("--")]
    for statement in " ".join(lines).split(";"):
        if statement.strip() and leave_out not in statement:
            server.execute(statement.replace("<password>", "Se-cret1"))


def as_collector(server) -> dict[str, str]:
    return {"username": "whalefall", "password": "Se-cret1"}


def test_the_shipped_script_is_enough_to_read_everything(server):
    run_script(server)
    server.execute(
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders (id int)",
        "CREATE USER li@'10.%' IDENTIFIED BY 'Se-cret1'",
        "GRANT UPDATE (id) ON sales.orders TO li@'10.%'",
    )

    mine, theirs = observe(server, **as_collector(server)), observe(server)

    assert {section.status for section in mine.sections.values()} == {"complete"}
    assert (mine.accounts, mine.grants) == (theirs.accounts, theirs.grants)
    assert mine.memberships == theirs.memberships


def test_the_shipped_script_leaves_nothing_to_ask_for(server):
    run_script(server)

    with engine("mysql").connect(server.target(**as_collector(server))) as opened:
        answer = opened.probe()

    assert (answer.login, answer.missing) == ("whalefall@%", ())


def test_the_shipped_script_gives_no_access_to_data(server):
    run_script(server)
    server.execute("CREATE DATABASE sales", "CREATE TABLE sales.orders (id int)")

    collector = engine("mysql").connect(server.target(**as_collector(server)))
    with collector as opened, pytest.raises(PermissionDenied):
        opened.connection.execute("SELECT * FROM sales.orders")


@pytest.mark.parametrize(("section", "table"), TABLES.items())
def test_a_table_that_is_denied_is_a_section_with_its_remedy(server, section, table):
    run_script(server, leave_out=f"{table} ")

    sections = observe(server, **as_collector(server)).sections

    denied = [name for name, one in sections.items() if one.status == "denied"]
    assert denied == [section]
    assert sections[section].remedy == f"GRANT SELECT ON {table} TO 'whalefall'@'%';"
    assert "command denied to user 'whalefall'" in sections[section].message


@pytest.mark.parametrize(
    ("server", "right", "remedy"),
    [
        *of("mariadb", "mysql.proc ", "GRANT SELECT ON mysql.proc TO"),
        *of("mysql56", "mysql.event ", "GRANT SELECT ON mysql.event TO"),
        *of("mysql9", "SHOW_ROUTINE", "GRANT SHOW_ROUTINE ON *.* TO"),
    ],
    indirect=["server"],
)
def test_code_that_may_not_be_seen_is_a_denied_section(server, right, remedy):
    run_script(server, leave_out=right)

    section = observe(server, **as_collector(server)).sections["definer"]

    assert section.status == "denied"
    assert remedy in section.remedy


def test_views_that_may_not_be_seen_make_their_section_denied(server):
    run_script(server)
    server.execute("REVOKE SHOW VIEW ON *.* FROM whalefall@'%'")
    section = observe(server, **as_collector(server)).sections["definer"]
    assert (section.status, section.remedy) == (
        "denied",
        "GRANT SHOW VIEW ON *.* TO 'whalefall'@'%';",
    )
    server.execute(section.remedy)
    assert observe(server, **as_collector(server)).sections["definer"].is_complete


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_views_of_a_database_taken_out_by_a_partial_revoke_make_it_denied(server):
    server.execute("SET GLOBAL partial_revokes = ON", "CREATE DATABASE sales")
    try:
        run_script(server)
        server.execute("REVOKE SHOW VIEW ON sales.* FROM whalefall@'%'")
        assert observe(server, **as_collector(server)).sections["definer"].status == "denied"
    finally:
        server.execute("DROP USER whalefall@'%'", "SET GLOBAL partial_revokes = OFF")


def test_the_remedy_mends_the_section(server):
    run_script(server, leave_out="mysql.procs_priv ")
    before = observe(server, **as_collector(server)).sections["routine"]

    server.execute(before.remedy)

    assert observe(server, **as_collector(server)).sections["routine"].is_complete


def test_a_denied_section_still_shows_the_logins_own_grants(server):
    run_script(server, leave_out="mysql.tables_priv ")

    grants = observe(server, **as_collector(server)).grants_of("whalefall@%")

    own = {grant.parts for grant in grants if grant.section == "table"}
    assert ("mysql", "db") in own


def test_accounts_that_cannot_be_read_raise(server):
    server.execute("CREATE USER nobody IDENTIFIED BY 'Se-cret1'")

    with (
        engine("mysql").connect(server.target("nobody", "Se-cret1")) as opened,
        pytest.raises(PermissionDenied, match="GRANT SELECT ON mysql") as caught,
    ):
        list(opened.observe_accounts())

    assert "TO 'nobody'@'%'" in caught.value.remedy
    assert opened.sections["accounts"].status == "denied"


def test_probe_names_every_missing_privilege_and_its_remedy(server):
    server.execute("CREATE USER nobody IDENTIFIED BY 'Se-cret1'")

    with engine("mysql").connect(server.target("nobody", "Se-cret1")) as opened:
        missing = opened.probe().missing
    for one in missing:
        server.execute(one.remedy)
    with engine("mysql").connect(server.target("nobody", "Se-cret1")) as opened:
        assert opened.probe().missing == ()

    assert {name for one in missing for name in one.sections} >= {
        *TABLES,
        "accounts",
        "global",
        "databases",
        "sizes",
        "files",
    }
