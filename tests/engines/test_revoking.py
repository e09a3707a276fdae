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
    (("o'x@h", "SELECT", "global", (), True), r"REVOKE GRANT OPTION ON *.* FROM 'o\'x'@'h';"),
]


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
