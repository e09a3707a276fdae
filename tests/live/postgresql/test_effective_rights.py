"""What the engine makes of the catalogs, against what the server answers about every role."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.postgresql.effective import Effective
from tests.live.postgresql.fleet import AWKWARD
from tests.servers.postgresql import PostgreSQLServer
from whalefall.engines.observed import Scope

AWKWARD_DATABASE = AWKWARD[0] + " db.%"
ROLES = "pg_roles r"
USER_MADE = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
RELATIONS = f"""pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace
    AND o.relkind IN ('r', 'p', 'v', 'm') AND {USER_MADE}"""

# scope, has_..._privilege, the objects with the names of their parts, the privileges
KINDS = {
    "table": (Scope.TABLE, "table", RELATIONS, "n.nspname, o.relname",
              "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER"),
    "maintain": (Scope.TABLE, "table", RELATIONS, "n.nspname, o.relname", "MAINTAIN"),
    "sequence": (Scope.SEQUENCE, "sequence",
                 f"pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace AND {USER_MADE}"
                 " AND o.relkind = 'S'", "n.nspname, o.relname", "SELECT UPDATE USAGE"),
    "schema": (Scope.SCHEMA, "schema",
               f"pg_namespace o JOIN pg_namespace n ON n.oid = o.oid AND {USER_MADE}",
               "o.nspname", "CREATE USAGE"),
    "function": (Scope.ROUTINE, "function",
                 f"pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace AND {USER_MADE}",
                 "n.nspname, o.proname || '(' || oidvectortypes(o.proargtypes) || ')'", "EXECUTE"),
    "type": (Scope.OTHER, "type",
             f"pg_type o JOIN pg_namespace n ON n.oid = o.typnamespace AND {USER_MADE}"
             " AND o.typtype IN ('e', 'd')", "n.nspname, o.typname", "USAGE"),
    "language": (Scope.OTHER, "language", "pg_language o JOIN pg_namespace n"
                 " ON n.nspname = 'public' AND o.oid > 16384", "o.lanname", "USAGE"),
    "wrapper": (Scope.OTHER, "foreign_data_wrapper", "pg_foreign_data_wrapper o JOIN pg_namespace n"
                " ON n.nspname = 'public'", "o.fdwname", "USAGE"),
    "server": (Scope.OTHER, "server", "pg_foreign_server o JOIN pg_namespace n"
               " ON n.nspname = 'public'", "o.srvname", "USAGE"),
}  # fmt: skip
SINCE = {"maintain": 170000}


def answers(server: PostgreSQLServer, database: str, query: str) -> list[tuple[Any, ...]]:
    with server.connect(database) as connection:
        rows = connection.execute(query).fetchall()
    assert rows, "the server had nothing to say: the comparison would be empty"
    return rows


def matrix(kind: str, option: str = "") -> str:
    _, function, objects, parts, privileges = KINDS[kind]
    return f"""
        SELECT r.rolname, p, ARRAY[{parts}]::text[],
               has_{function}_privilege(r.oid, o.oid, p || '{option}')
          FROM {ROLES} CROSS JOIN {objects}
         CROSS JOIN unnest(string_to_array('{privileges}', ' ')) p"""


WHERE = [(kind, "shop") for kind in KINDS]
WHERE += [(kind, AWKWARD_DATABASE) for kind in ("table", "schema", "function")]
WHERE += [("schema", "postgres"), ("schema", "template1")]


@pytest.mark.parametrize(("kind", "database"), WHERE)
def test_every_role_may_do_to_every_object_what_the_server_says(server, effective, kind, database):
    with server.connect() as connection:
        if connection.info.server_version < SINCE.get(kind, 0):
            pytest.skip(f"{kind} came with {SINCE[kind]}")
    check_same(effective, KINDS[kind][0], database, answers(server, database, matrix(kind)))


@pytest.mark.parametrize("kind", ["table", "sequence", "schema", "function"])
def test_every_role_may_grant_on_what_the_server_says(server, effective, kind):
    rows = answers(server, "shop", matrix(kind, " WITH GRANT OPTION"))
    wrong = [
        row
        for row in rows
        if effective.may_grant(row[0], row[1], KINDS[kind][0], ("shop", *row[2])) != row[3]
    ]
    assert wrong == []


@pytest.mark.parametrize("database", ["shop", AWKWARD_DATABASE])
def test_every_role_may_do_to_every_column_what_the_server_says(server, effective, database):
    query = f"""
        SELECT r.rolname, p, ARRAY[n.nspname, o.relname, a.attname]::text[],
               has_column_privilege(r.oid, o.oid, a.attnum, p)
          FROM {ROLES} CROSS JOIN {RELATIONS}
          JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
         CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p"""
    check_same(effective, Scope.COLUMN, database, answers(server, database, query))


def test_every_role_may_do_to_every_database_what_the_server_says(server, effective):
    query = """SELECT r.rolname, p, d.datname, has_database_privilege(r.oid, d.oid, p)
                 FROM pg_roles r CROSS JOIN pg_database d
                CROSS JOIN unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) p"""
    rows = [(r, p, [d], verdict) for r, p, d, verdict in answers(server, "postgres", query)]
    check_same(effective, Scope.DATABASE, None, rows)


def test_every_role_may_do_to_every_tablespace_what_the_server_says(server, effective):
    query = """SELECT r.rolname, 'CREATE', ARRAY[t.spcname]::text[],
                      has_tablespace_privilege(r.oid, t.oid, 'CREATE')
                 FROM pg_roles r CROSS JOIN pg_tablespace t"""
    check_same(effective, Scope.TABLESPACE, None, answers(server, "postgres", query))


def test_every_role_may_do_to_parameters_what_the_server_says(server, effective):
    with server.connect() as connection:
        if connection.info.server_version < 150000:
            pytest.skip("parameters cannot be granted before 15")
    query = """SELECT r.rolname, p, ARRAY[a.parname]::text[],
                      has_parameter_privilege(r.oid, a.parname, p)
                 FROM pg_roles r CROSS JOIN pg_parameter_acl a
                CROSS JOIN unnest(ARRAY['SET', 'ALTER SYSTEM']) p"""
    check_same(effective, Scope.SERVER, None, answers(server, "postgres", query))


def test_every_role_may_do_to_large_objects_what_the_server_says(server, effective):
    with server.connect() as connection:
        if connection.info.server_version < 180000:
            pytest.skip("has_largeobject_privilege came with 18")
    query = """SELECT r.rolname, p, ARRAY[l.oid::text], has_largeobject_privilege(r.oid, l.oid, p)
                 FROM pg_roles r CROSS JOIN pg_largeobject_metadata l
                CROSS JOIN unnest(ARRAY['SELECT', 'UPDATE']) p
                WHERE l.lomacl IS NOT NULL"""
    check_same(effective, Scope.OTHER, "shop", answers(server, "shop", query))


@pytest.mark.parametrize("kind", ["USAGE", "SET", "MEMBER"])
@pytest.mark.parametrize("database", ["shop", "postgres"])
def test_every_role_is_in_every_role_as_the_server_says(server, effective, kind, database):
    with server.connect() as connection:
        asked = "MEMBER" if connection.info.server_version < 160000 and kind == "SET" else kind
    query = f"""SELECT m.rolname, r.rolname, pg_has_role(m.oid, r.oid, '{asked}')
                  FROM pg_roles m CROSS JOIN pg_roles r
                 WHERE m.oid <> r.oid AND NOT m.rolsuper AND r.rolname <> 'pg_database_owner'"""
    rows = answers(server, database, query)
    wrong = [row for row in rows if (row[1] in effective.roles(row[0], kind)) != row[2]]
    assert wrong == []


def test_the_owner_of_a_database_is_its_database_owner(server, effective):
    with server.connect() as connection:
        if connection.info.server_version < 140000:
            pytest.skip("pg_database_owner came with 14")
    assert effective.roles("shop_owner")["pg_database_owner"] == ("pg_database_owner",)
    assert effective.roles("frank")["pg_database_owner"] == ("shop_owner", "pg_database_owner")
    assert "pg_database_owner" not in effective.roles("alice")


def check_same(effective: Effective, scope: Scope, database: str | None, rows: list[Any]) -> None:
    prefix = (database,) if database else ()
    wrong = [
        (role, privilege, parts, f"server says {verdict}")
        for role, privilege, parts, verdict in rows
        if effective.may(role, privilege, scope, (*prefix, *parts)) != verdict
    ]
    assert wrong == []
