"""Every privilege as the server itself lists it, told in another way: information_schema for what
stands there, SHOW GRANTS for the rest.
"""

from __future__ import annotations

import re

import pytest

from tests.live.mysql.conftest import observe, on
from tests.servers.mariadb import identifier, literal
from whalefall.engines.observed import GrantState, ObservedGrant, Scope

pytestmark = pytest.mark.live

USERS = ["o'brien", "a%b", "a\\b", "two words", 'say "x"', "é", "a`b", "u" * 16]
DATABASES = ["sales", "Sales", "we ird", "é", "back`tick", "d" * 64, "quo'te"]


def listed(server, view: str, *columns: str) -> set[tuple]:
    """(grantee, names ..., privilege, grantable) of a view of information_schema, without USAGE."""
    names = ", ".join(("GRANTEE", *columns, "PRIVILEGE_TYPE", "IS_GRANTABLE = 'YES'"))
    rows = server.execute(f"SELECT {names} FROM information_schema.{view}")
    found = {(account(row[0]), *row[1:-1], bool(row[-1])) for row in rows if row[-2] != "USAGE"}
    return {row for row in found if row[-2] != "GRANT OPTION"}


def account(grantee: str) -> str:
    """`'user'@'host'` as information_schema has it; MariaDB writes its roles without host."""
    user, _, host = grantee[1:-1].rpartition("'@'")
    return f"{user}@{host}" if host else user


def seen(server, scope: Scope) -> set[tuple]:
    grants = [
        grant
        for grants in observe(server).grants.values()
        for grant in grants
        if grant.scope is scope and grant.state is GrantState.GRANT
    ]
    rows = {(g.grantee, *g.parts, g.privilege, g.grantable) for g in grants}
    return {row for row in rows if row[-2] != "GRANT OPTION" and row[0] != "PUBLIC"}


def create(server, *statements: str) -> None:
    server.execute(*(f"CREATE USER {literal(u)}@'10.%' IDENTIFIED BY 'Se-cret1'" for u in USERS))
    server.execute(*(f"CREATE DATABASE {identifier(d)}" for d in DATABASES), *statements)


def test_global_privileges(server):
    create(
        server,
        "GRANT SELECT, FILE, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'o''brien'@'10.%'",
        "GRANT ALL ON *.* TO 'two words'@'10.%' WITH GRANT OPTION",
    )

    assert seen(server, Scope.GLOBAL) == listed(server, "USER_PRIVILEGES")


def test_database_privileges_of_awkward_names(server):
    create(
        server,
        *(
            f"GRANT SELECT, EXECUTE, EVENT ON {identifier(database)}.* TO {literal(user)}@'10.%'"
            for user, database in zip(USERS, DATABASES, strict=False)
        ),
        "GRANT ALL ON `sa\\_es%`.* TO 'é'@'10.%' WITH GRANT OPTION",
    )

    expected = listed(server, "SCHEMA_PRIVILEGES", "TABLE_SCHEMA")

    assert seen(server, Scope.DATABASE) == expected
    assert ("é@10.%", "sa\\_es%", "TRIGGER", True) in expected


def test_table_and_column_privileges_of_awkward_names(server):
    create(
        server,
        "CREATE TABLE `we ird`.`o'r.d@er` (`id` int, `na``me %` int, `é` int)",
        "GRANT SELECT, CREATE VIEW ON `we ird`.`o'r.d@er` TO 'a\\\\b'@'10.%' WITH GRANT OPTION",
        "GRANT SELECT (`na``me %`), UPDATE (`é`, `id`) ON `we ird`.`o'r.d@er` TO 'a%b'@'10.%'",
    )

    assert seen(server, Scope.TABLE) == listed(
        server, "TABLE_PRIVILEGES", "TABLE_SCHEMA", "TABLE_NAME"
    )
    assert seen(server, Scope.COLUMN) == listed(
        server, "COLUMN_PRIVILEGES", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"
    )
    assert ("a%b@10.%", "we ird", "o'r.d@er", "na`me %", "SELECT", False) in seen(
        server, Scope.COLUMN
    )


def test_routine_privileges_name_their_kind(server):
    create(
        server,
        "CREATE PROCEDURE `we ird`.`pro'c`() SELECT 1",
        "CREATE FUNCTION `we ird`.`pro'c`() RETURNS int DETERMINISTIC RETURN 1",
        "GRANT EXECUTE ON PROCEDURE `we ird`.`pro'c` TO 'é'@'10.%' WITH GRANT OPTION",
        "GRANT ALTER ROUTINE ON FUNCTION `we ird`.`pro'c` TO 'é'@'10.%'",
    )

    grants = [g for g in observe(server).grants_of("é@10.%") if g.scope is Scope.ROUTINE]

    assert {(g.object_type, g.parts, g.privilege, g.grantable) for g in grants} == {
        ("procedure", ("we ird", "pro'c"), "EXECUTE", True),
        ("procedure", ("we ird", "pro'c"), "GRANT OPTION", True),
        ("function", ("we ird", "pro'c"), "ALTER ROUTINE", False),
    }
    assert routines_shown(server, "'é'@'10.%'") == {
        ("PROCEDURE", "EXECUTE", True),
        ("FUNCTION", "ALTER ROUTINE", False),
    }


def routines_shown(server, who: str) -> set[tuple[str, str, bool]]:
    lines = [line for (line,) in server.execute(f"SHOW GRANTS FOR {who}")]
    found = [re.match(r"GRANT (.+?) ON (PROCEDURE|FUNCTION) (.*)", line) for line in lines]
    return {
        (match[2], privilege, match[3].endswith("WITH GRANT OPTION"))
        for match in found
        if match
        for privilege in match[1].split(", ")
    }


def test_proxy_names_the_account_that_may_be_played(server):
    create(server, "GRANT PROXY ON 'a%b'@'10.%' TO 'é'@'10.%' WITH GRANT OPTION")

    grants = [g for g in observe(server).grants_of("é@10.%") if g.scope is Scope.OTHER]

    # (Of its own the server adds the GRANT OPTION on *.* as well: SHOW GRANTS says so too.)
    assert [(g.privilege, g.object, g.grantable) for g in grants] == [("PROXY", "a%b@10.%", True)]


def test_a_pattern_of_databases_is_kept_and_marked(server):
    create(
        server, "GRANT SELECT ON `sal%`.* TO 'é'@'10.%'", "GRANT SELECT ON sales.* TO 'é'@'10.%'"
    )

    grants = observe(server).grants_of("é@10.%")

    assert {(g.database, g.is_pattern) for g in grants} == {("sal%", True), ("sales", False)}


def test_usage_is_no_privilege(server):
    create(server, "GRANT USAGE ON *.* TO 'é'@'10.%'", "GRANT USAGE ON sales.* TO 'é'@'10.%'")

    assert observe(server).grants_of("é@10.%") == ()


def test_rows_without_user_name_are_everybodys(server):
    create(
        server,
        "CREATE USER ''@'%'",
        "GRANT SELECT ON sales.* TO ''@'%'",
    )

    seen = observe(server)

    assert [g.privilege for g in seen.grants_of("PUBLIC")] == ["SELECT"]
    assert [g.privilege for g in seen.grants_of("@%")] == ["SELECT"]


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_dynamic_privileges_keep_their_own_grant_option(server):
    create(
        server,
        "GRANT ROLE_ADMIN ON *.* TO 'é'@'10.%' WITH GRANT OPTION",
        "GRANT BACKUP_ADMIN ON *.* TO 'a`b'@'10.%'",
    )

    def of(name: str) -> list[tuple[str, bool]]:
        return [(g.privilege, g.grantable) for g in observe(server).grants_of(name)]

    assert ("ROLE_ADMIN", True) in of("é@10.%")
    assert of("a`b@10.%") == [("BACKUP_ADMIN", False)]


@pytest.mark.parametrize("server", on("mysql9"), indirect=True)
def test_a_partial_revoke_is_a_revoke_on_that_database(server):
    create(
        server,
        "SET GLOBAL partial_revokes = ON",
        "GRANT SELECT, INSERT ON *.* TO 'é'@'10.%'",
        "REVOKE INSERT ON mysql.* FROM 'é'@'10.%'",
    )
    try:
        grants = observe(server).grants_of("é@10.%")
    finally:
        server.execute("DROP USER 'é'@'10.%'", "SET GLOBAL partial_revokes = OFF")

    revokes: list[ObservedGrant] = [g for g in grants if g.state is GrantState.REVOKE]
    assert [(g.privilege, g.scope, g.database) for g in revokes] == [
        ("INSERT", Scope.DATABASE, "mysql")
    ]
    assert {g.privilege for g in grants if g.state is GrantState.GRANT} == {"SELECT", "INSERT"}


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
def test_every_single_bit_of_mariadb_reads_as_the_server_says(server):
    server.execute("CREATE USER bits IDENTIFIED BY 'Se-cret1'")
    names = {row[0].upper() for row in server.execute("SHOW PRIVILEGES")} - {"PROXY", "USAGE"}
    only = {"GRANT OPTION"}
    for name in sorted(names - only):
        server.execute("REVOKE ALL, GRANT OPTION FROM bits", f"GRANT {name} ON *.* TO bits")
        assert [g.privilege for g in observe(server).grants_of("bits@%")] == [name]


@pytest.mark.parametrize("server", on("mariadb"), indirect=True)
@pytest.mark.parametrize("version", [100400, 100502, 100508, 101100])
@pytest.mark.parametrize("access", [1 << 15, 1 << 15 | 1 << 19, 1 << 20, 1 << 34, (1 << 30) - 1])
def test_privileges_written_by_older_versions_mean_what_the_server_takes_them_for(
    server, version, access
):
    server.execute(
        "CREATE USER old_one",
        f"UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.access', {access}, "
        f"'$.version_id', {version}) WHERE User = 'old_one'",
        "FLUSH PRIVILEGES",
    )

    expected = {row for row in listed(server, "USER_PRIVILEGES") if row[0] == "old_one@%"}

    assert {row for row in seen(server, Scope.GLOBAL) if row[0] == "old_one@%"} == expected
