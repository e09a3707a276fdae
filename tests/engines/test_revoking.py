"""Statements that would take a right away, as each engine writes them."""

import pytest

from accounts import tokens
from whalefall.engines import engine

POSTGRESQL = [
    (("app", "SELECT", "table", ("shop", "public", 'od"d')), 'TABLE "public"."od""d" FROM "app";'),
    (("app", "UPDATE", "column", ("d", "s", "t", "c")), 'UPDATE ("c") ON TABLE "s"."t" FROM "app"'),
    (("public", "TEMPORARY", "database", ("shop",)), 'ON DATABASE "shop" FROM PUBLIC;'),
    (("app", "OWNER", "schema", ("shop", "s")), 'ALTER SCHEMA "s" OWNER TO'),
    (("app", "SELECT", "table", ("d", "s", "t"), True), "REVOKE GRANT OPTION FOR SELECT"),
]
MYSQL = [
    (("app@%", "FILE", "global", ()), "REVOKE FILE ON *.* FROM 'app'@'%';"),
    (("app@%", "SELECT", "database.pattern", ("sa%",)), "REVOKE SELECT ON `sa%`.* FROM 'app'@'%';"),
    (("a@h", "SELECT", "table", ("d", "t`")), "REVOKE SELECT ON `d`.`t``` FROM 'a'@'h';"),
    (("a@h", "SELECT", "column", ("d", "t", "c")), "REVOKE SELECT (`c`) ON `d`.`t` FROM 'a'@'h';"),
    (("a@h", "PROXY", "other", ("root@%",)), "REVOKE PROXY ON 'root'@'%' FROM 'a'@'h';"),
    (("o'x@h", "SELECT", "global", (), True), r"REVOKE GRANT OPTION ON *.* FROM 'o\'x'@'h';"),
]


SQLSERVER = [
    (("app", "CONTROL SERVER", "server", ()), "REVOKE CONTROL SERVER FROM [app];"),
    (("a]b", "ALTER ANY LOGIN", "server", (), True),
     "REVOKE GRANT OPTION FOR ALTER ANY LOGIN FROM [a]]b] CASCADE;"),
    (("[a@b]@sa", "SELECT", "database", ("sa",)), "USE [sa]; REVOKE SELECT FROM [a@b];"),
    (("app@[s]]x]", "SELECT", "schema", ("s]x", "hr")),
     "USE [s]]x]; REVOKE SELECT ON SCHEMA::[hr] FROM [app];"),
    (("public@d", "EXECUTE", "routine", ("d", "dbo", "p")),
     "USE [d]; REVOKE EXECUTE ON OBJECT::[dbo].[p] FROM [public];"),
    (("app@d", "SELECT", "column", ("d", "hr", "t", "c]")),
     "ON OBJECT::[hr].[t] ([c]]]) FROM [app];"),
    (("app", "IMPERSONATE", "other", ("boss",)), "REVOKE IMPERSONATE ON LOGIN::[boss] FROM [app];"),
    (("app@d", "IMPERSONATE", "other", ("d", "li")),
     "USE [d]; REVOKE IMPERSONATE ON USER::[li] FROM"),
    (("li", "OWNER", "database", ("d",)), "ALTER AUTHORIZATION ON DATABASE::[d] TO ...;"),
    (("li@d", "OWNER", "schema", ("d", "s")),
     "USE [d]; ALTER AUTHORIZATION ON SCHEMA::[s] TO ...;"),
    (("public", "LINKED LOGIN", "other", ("E'RP",)), "EXEC sp_droplinkedsrvlogin N'E''RP', NULL;"),
]  # fmt: skip
ORACLE = [
    (("APP", "SELECT ANY TABLE", "system", ()), "REVOKE SELECT ANY TABLE FROM APP;"),
    (("app", "CREATE USER", "system", (), True),
     'REVOKE CREATE USER FROM "app"; GRANT CREATE USER TO "app";'),
    (("APP", "SELECT", "table", ("HR", "Mixed t")), 'REVOKE SELECT ON HR."Mixed t" FROM APP;'),
    (("APP", "UPDATE", "column", ("HR", "EMP", "SAL")), "REVOKE UPDATE ON HR.EMP FROM APP; -- "),
    (("PUBLIC", "EXECUTE", "routine", ("SYS", "UTL_HTTP")),
     "REVOKE EXECUTE ON SYS.UTL_HTTP FROM PUBLIC;"),
    (("APP", "READ", "other", ("DUMP",)), "REVOKE READ ON DIRECTORY DUMP FROM APP;"),
    (("APP", "PROXY", "other", ("HR",)), "ALTER USER HR REVOKE CONNECT THROUGH APP;"),
    (("BOB", "SYSDBA", "server", ()), "REVOKE SYSDBA FROM BOB;"),
    (("APP", "QUOTA", "tablespace", ("SYSTEM",)), "ALTER USER APP QUOTA 0 ON SYSTEM;"),
    (("APP", "DELETE ANY TABLE", "schema", ("HR",)),
     "REVOKE DELETE ANY TABLE ON SCHEMA HR FROM APP;"),
    (("PUBLIC", "DATABASE LINK", "other", ("BACK.EXAMPLE",)),
     "DROP PUBLIC DATABASE LINK BACK.EXAMPLE;"),
    (("HR@PDB", "SELECT", "table", ("PDB", "X", "T")),
     "REVOKE SELECT ON X.T FROM HR; -- in container PDB"),
    (("C##LI", "DROP USER", "system", ("ALL CONTAINERS",)), "FROM C##LI; -- add CONTAINER = ALL"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "text"), SQLSERVER)
def test_sql_server_quotes_every_name_in_its_database(asked, text):
    assert text in engine("sqlserver").rules.revoke(*asked)


@pytest.mark.parametrize(("asked", "text"), ORACLE)
def test_oracle_quotes_every_name_and_names_the_container(asked, text):
    assert text in engine("oracle").rules.revoke(*asked)


@pytest.mark.parametrize(
    ("db_type", "asked"),
    [
        ("sqlserver", ("db_datareader@d", "SELECT", "database", ("d",))),  # a fixed role's nature
        ("sqlserver", ("sysadmin", "CONTROL SERVER", "server", ())),
        (
            "sqlserver",
            ("app@d", "USAGE", "other", ("d", "s", "t")),
        ),  # which kind it is, is not said
        ("oracle", ("HR", "OWNER", "schema", ("HR",))),
        ("oracle", ("APP", "JAVA PERMISSION", "other", ("java.io.FilePermission x read",))),
    ],
)
def test_what_cannot_be_revoked_or_is_not_named_gives_no_statement(db_type, asked):
    assert engine(db_type).rules.revoke(*asked) == ""


def test_a_membership_is_taken_away_and_a_login_stays_in_its_user():
    rules = engine("sqlserver").rules
    assert rules.revoke_role("sysadmin", "o]") == "ALTER SERVER ROLE [sysadmin] DROP MEMBER [o]]];"
    assert rules.revoke_role("readers@sales", "app@sales").startswith(
        "USE [sales]; ALTER ROLE [readers] DROP MEMBER [app]; -- or leave it in, and DENY"
    )
    assert rules.revoke_role("app_user@sales", "app") == ""


def test_the_right_to_give_a_role_on_is_taken_as_each_product_can():
    def taken(db_type, role="r", member="m"):
        return engine(db_type).rules.revoke_role(role, member, admin_only=True)

    assert taken("postgresql") == 'REVOKE ADMIN OPTION FOR "r" FROM "m";'
    assert taken("mysql", "r", "m@%") == "REVOKE ADMIN OPTION FOR 'r' FROM 'm'@'%';"  # MariaDB
    assert taken("mysql", "r@%", "m@%") == "REVOKE 'r'@'%' FROM 'm'@'%'; GRANT 'r'@'%' TO 'm'@'%';"
    assert taken("oracle", "R", "M") == "REVOKE R FROM M; GRANT R TO M;"
    assert taken("oracle", "R@P", "M@P") == "REVOKE R FROM M; GRANT R TO M; -- in container P"
    assert taken("sqlserver") == ""  # who owns a role gives it on


@pytest.mark.parametrize(("asked", "text"), POSTGRESQL)
def test_postgresql_quotes_every_name(asked, text):
    assert text in engine("postgresql").rules.revoke(*asked)


@pytest.mark.parametrize(("asked", "text"), MYSQL)
def test_mysql_quotes_every_name(asked, text):
    assert engine("mysql").rules.revoke(*asked) == text


@pytest.mark.parametrize("db_type", ["mysql", "postgresql"])
def test_what_a_name_does_not_tell_in_full_gives_no_statement(db_type):
    assert engine(db_type).rules.revoke("app@%", "EXECUTE", "routine", ("d", "s", "f")) == ""


def test_roles_are_taken_from_their_members():
    assert engine("mysql").rules.revoke_role("dba@%", "app@h") == "REVOKE 'dba'@'%' FROM 'app'@'h';"
    assert engine("postgresql").rules.revoke_role("dba", "app") == 'REVOKE "dba" FROM "app";'


@pytest.mark.parametrize("parts", [("a", "b"), ("a.b", 'c"d', "e@f"), ("", "x")])
def test_names_are_read_as_they_were_written(parts):
    assert tokens.parts(tokens.object_name(parts)) == parts
