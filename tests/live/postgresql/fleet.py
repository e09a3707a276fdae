"""The awkward fleet: roles, objects and grants in all the ways that have gone wrong somewhere.

Built by plain statements, so that it says nothing about what the engine should find: that is asked
of the server itself.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

AWKWARD = (
    'we"ird',
    "50%",
    "a_b",
    "me@host",
    "dots.and spaces",
    "smile 😀",
    "x" * 63,
    "é" * 31,
    "O'Neil",
    "PUBLIC",
    "back\\slash",
    " lead",
    "semi;colon--",
    "{curly} $1 %s",
)
"""Role names; tables, schemas, columns and a database go by them too."""

PLAIN = """
CREATE ROLE base;
CREATE ROLE reader;
CREATE ROLE writer;
CREATE ROLE shop_owner LOGIN;
CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'throw-away';
CREATE ROLE alice LOGIN PASSWORD 'throw-away' CONNECTION LIMIT 3;
CREATE ROLE bob LOGIN NOINHERIT PASSWORD 'throw-away' VALID UNTIL '2020-01-01';
CREATE ROLE carol LOGIN CREATEROLE VALID UNTIL 'infinity';
CREATE ROLE dave LOGIN CREATEDB CONNECTION LIMIT 0;
CREATE ROLE erin LOGIN REPLICATION BYPASSRLS;
CREATE ROLE frank LOGIN;
CREATE ROLE gina LOGIN;
CREATE ROLE hank LOGIN;
CREATE ROLE outsider LOGIN;
GRANT base TO reader;
GRANT reader TO writer;
GRANT reader TO alice;
GRANT writer TO bob;
GRANT writer TO carol WITH ADMIN OPTION;
GRANT shop_owner TO frank;
GRANT pg_monitor TO gina;
GRANT boss TO dave;
ALTER ROLE alice SET statement_timeout = '5s';
ALTER ROLE alice SET my.secret = 'hunter2';
COMMENT ON ROLE alice IS 'Alice, reporting';
"""
SINCE = {
    140000: "GRANT pg_read_all_data TO erin; GRANT pg_write_all_data TO frank;",
    150000: "GRANT SET, ALTER SYSTEM ON PARAMETER work_mem TO writer;"
    "GRANT SET ON PARAMETER log_statement TO carol WITH GRANT OPTION;",
    160000: """
        GRANT base TO dave WITH INHERIT FALSE, SET TRUE;
        GRANT writer TO erin WITH INHERIT TRUE, SET FALSE;
        GRANT writer TO gina WITH INHERIT FALSE, SET FALSE, ADMIN TRUE;
        GRANT reader TO bob WITH INHERIT TRUE;
        GRANT CREATE ON TABLESPACE pg_default TO carol;
        GRANT writer TO hank WITH INHERIT FALSE, SET FALSE;
        SET ROLE carol;
        GRANT writer TO gina WITH INHERIT FALSE, SET TRUE;
        GRANT writer TO hank WITH INHERIT TRUE, SET FALSE;
        RESET ROLE;
    """,
    170000: "GRANT pg_maintain TO gina;",
}
SHOP = """
CREATE SCHEMA sales AUTHORIZATION shop_owner;
CREATE SCHEMA vault;
SET ROLE shop_owner;
CREATE TABLE sales.orders (id int PRIMARY KEY, customer text, card text);
CREATE VIEW sales.open_orders AS SELECT id FROM sales.orders;
CREATE MATERIALIZED VIEW sales.totals AS SELECT count(*) FROM sales.orders;
CREATE SEQUENCE sales.numbers;
CREATE TABLE sales.parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE sales.parts_1 PARTITION OF sales.parts
  FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE sales.parts_2 PARTITION OF sales.parts
  FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE sales.secured (id int);
ALTER TABLE sales.secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE sales.forced (id int);
ALTER TABLE sales.forced ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.forced FORCE ROW LEVEL SECURITY;
CREATE FUNCTION sales.total(integer, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION sales.total(integer) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE AGGREGATE sales.summed (integer) (SFUNC = int4pl, STYPE = integer);
CREATE TYPE sales.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN sales.positive AS integer CHECK (VALUE > 0);
RESET ROLE;
GRANT USAGE ON SCHEMA sales TO reader;
GRANT CREATE ON SCHEMA sales TO writer WITH GRANT OPTION;
GRANT SELECT ON sales.orders TO reader;
GRANT SELECT (id) ON sales.orders TO PUBLIC;
GRANT UPDATE (customer, card) ON sales.orders TO base;
GRANT INSERT, UPDATE ON sales.orders TO writer WITH GRANT OPTION;
SET ROLE writer; GRANT INSERT ON sales.orders TO alice; RESET ROLE;
GRANT SELECT ON sales.open_orders TO PUBLIC;
GRANT SELECT ON sales.parts_2 TO outsider;
REVOKE INSERT, DELETE ON sales.secured FROM shop_owner;
GRANT USAGE ON SEQUENCE sales.numbers TO reader;
GRANT SELECT, UPDATE ON SEQUENCE sales.numbers TO writer;
REVOKE EXECUTE ON FUNCTION sales.total(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sales.total(integer, text) TO base;
REVOKE USAGE ON TYPE sales.mood FROM PUBLIC;
GRANT USAGE ON TYPE sales.mood TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA sales GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO writer;
CREATE TABLE vault.keys (id int);
CREATE FUNCTION vault.unlock() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION vault.unlock_safely() RETURNS int LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION vault.unlock_safely() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.unlock_safely() TO alice;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO outsider;
GRANT SELECT ON pg_catalog.pg_authid TO outsider;
CREATE TRUSTED LANGUAGE plkind HANDLER plpgsql_call_handler;
REVOKE USAGE ON LANGUAGE plkind FROM PUBLIC;
GRANT USAGE ON LANGUAGE plkind TO writer;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO writer;
GRANT USAGE ON FOREIGN SERVER elsewhere TO reader;
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'hunter2');
CREATE USER MAPPING FOR alice SERVER elsewhere;
SELECT lo_create(424242);
SELECT lo_create(n) FROM generate_series(500001, 500020) n;
ALTER LARGE OBJECT 424242 OWNER TO shop_owner;
GRANT SELECT ON LARGE OBJECT 424242 TO reader;
"""
PROCEDURES = """
CREATE PROCEDURE sales.close_day() LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON PROCEDURE sales.close_day() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE sales.close_day() TO writer;
"""


def build(server: Any) -> None:
    """Make the fleet on a fresh server."""
    with server.connect() as connection:
        version = connection.info.server_version
        connection.execute(PLAIN)
        for since, statements in SINCE.items():
            if version >= since:
                connection.execute(statements)
        _awkward_roles(connection)
        for name in ("shop", AWKWARD[0] + " db.%", "closed", "private"):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.execute("ALTER DATABASE shop OWNER TO shop_owner")
        connection.execute("GRANT CREATE ON DATABASE shop TO writer WITH GRANT OPTION")
        connection.execute("REVOKE CONNECT, TEMPORARY ON DATABASE private FROM PUBLIC")
        connection.execute("GRANT CONNECT ON DATABASE private TO reader")
        connection.execute("ALTER DATABASE closed ALLOW_CONNECTIONS false")
    with server.connect("shop") as connection:
        connection.execute(SHOP)
        if version >= 110000:
            connection.execute(PROCEDURES)
    with server.connect(AWKWARD[0] + " db.%") as connection:
        _awkward_objects(connection)


def _awkward_roles(connection: psycopg.Connection[Any]) -> None:
    for number, name in enumerate(AWKWARD):
        role, before = sql.Identifier(name), sql.Identifier(AWKWARD[number - 1])
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        if number:
            connection.execute(sql.SQL("GRANT {} TO {}").format(before, role))


def _awkward_objects(connection: psycopg.Connection[Any]) -> None:
    for name in AWKWARD:
        words = {"name": sql.Identifier(name), "schema": sql.Identifier(f"s {name}"[:40])}
        for statement in (
            "CREATE SCHEMA {schema} AUTHORIZATION {name}",
            "CREATE TABLE {schema}.{name} (id int, {name} int)",
            "GRANT USAGE ON SCHEMA {schema} TO {name}",
            "GRANT SELECT, MAINTAIN ON {schema}.{name} TO {name}"
            if connection.info.server_version >= 170000
            else "GRANT SELECT ON {schema}.{name} TO {name}",
            "GRANT UPDATE ({name}) ON {schema}.{name} TO {name}",
            "CREATE FUNCTION {schema}.{name}(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "REVOKE EXECUTE ON FUNCTION {schema}.{name}(int) FROM PUBLIC",
            "GRANT EXECUTE ON FUNCTION {schema}.{name}(int) TO {name}",
        ):
            connection.execute(sql.SQL(statement).format(**words))
