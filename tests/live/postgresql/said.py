"""What PostgreSQL answers about every role, thing and privilege: the other side of a comparison."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.servers.postgresql import PostgreSQLServer
from whalefall.engines.observed import Scope

OURS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
IN_SCHEMA = f"JOIN pg_namespace n ON n.oid = {{0}} AND {OURS}"
RELATION = f"pg_class o {IN_SCHEMA.format('o.relnamespace')}"
TABLE = "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER"


class Kind(NamedTuple):
    """`parts`: SQL for the names below the database; `function`: has_<function>_privilege."""

    scope: Scope
    function: str
    things: str
    parts: str
    owner: str
    privileges: str
    since: int = 0


IN_DATABASE = (
    Kind(Scope.TABLE, "table", f"{RELATION} AND o.relkind IN ('r', 'p', 'v', 'm', 'f')",
         "n.nspname, o.relname", "o.relowner", TABLE),
    Kind(Scope.TABLE, "table", f"{RELATION} AND o.relkind IN ('r', 'p', 'v', 'm', 'f')",
         "n.nspname, o.relname", "o.relowner", "MAINTAIN", 170000),
    Kind(Scope.SEQUENCE, "sequence", f"{RELATION} AND o.relkind = 'S'", "n.nspname, o.relname",
         "o.relowner", "SELECT UPDATE USAGE"),
    Kind(Scope.SCHEMA, "schema", f"pg_namespace o {IN_SCHEMA.format('o.oid')}", "o.nspname",
         "o.nspowner", "CREATE USAGE"),
    Kind(Scope.ROUTINE, "function", f"pg_proc o {IN_SCHEMA.format('o.pronamespace')}",
         "n.nspname, o.proname || '(' || oidvectortypes(o.proargtypes) || ')'", "o.proowner",
         "EXECUTE"),
    Kind(Scope.OTHER, "type", f"pg_type o {IN_SCHEMA.format('o.typnamespace')}"
         " AND o.typtype IN ('b', 'c', 'd', 'e', 'r')"
         " AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)"
         " AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = o.typrelid AND c.relkind <> 'c')",
         "n.nspname, o.typname", "o.typowner", "USAGE"),
    Kind(Scope.OTHER, "language", "pg_language o", "o.lanname", "o.lanowner", "USAGE"),
    Kind(Scope.OTHER, "foreign_data_wrapper", "pg_foreign_data_wrapper o", "o.fdwname",
         "o.fdwowner", "USAGE"),
    Kind(Scope.OTHER, "server", "pg_foreign_server o", "o.srvname", "o.srvowner", "USAGE"),
    Kind(Scope.OTHER, "largeobject", "pg_largeobject_metadata o", "o.oid::text", "o.lomowner",
         "SELECT UPDATE", 180000),
)  # fmt: skip
ON_SERVER = (
    Kind(Scope.DATABASE, "database", "pg_database o", "o.datname", "o.datdba",
         "CONNECT CREATE TEMPORARY"),
    Kind(Scope.TABLESPACE, "tablespace", "pg_tablespace o", "o.spcname", "o.spcowner", "CREATE"),
)  # fmt: skip


class Answer(NamedTuple):
    """`role` is `public` for everybody; `owns`: is in the owning role (None: nobody owns it)."""

    role: str
    privilege: str
    scope: Scope
    parts: tuple[str, ...]
    holds: bool
    may_grant: bool
    owns: bool | None


WHO = "(SELECT rolname, oid FROM pg_roles UNION ALL SELECT 'public', 0) r"
OWNS = "CASE r.oid WHEN 0 THEN false ELSE pg_has_role(r.oid, {0}, 'USAGE') END"


def _select(kind: Kind) -> str:
    has = f"has_{kind.function}_privilege(r.oid, o.oid, p"
    only = " AND o.lanispl AND o.oid >= 16384" if kind.function == "language" else ""
    only += " AND o.lomacl IS NOT NULL" if kind.function == "largeobject" else ""
    return f"""
        SELECT r.rolname::text, p, '{kind.scope.value}', ARRAY[{kind.parts}]::text[],
               {has}), {has} || ' WITH GRANT OPTION'), {OWNS.format(kind.owner)}
          FROM {WHO} CROSS JOIN {kind.things}
         CROSS JOIN unnest(string_to_array('{kind.privileges}', ' ')) p WHERE true{only}"""


def _columns() -> str:
    has = "has_column_privilege(r.oid, o.oid, a.attnum, p"
    return f"""
        SELECT r.rolname::text, p, 'column', ARRAY[n.nspname, o.relname, a.attname]::text[],
               {has}), {has} || ' WITH GRANT OPTION'), {OWNS.format("o.relowner")}
          FROM {WHO} CROSS JOIN {RELATION} AND o.relkind IN ('r', 'p', 'v', 'm', 'f')
          JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
         CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p"""


def _parameters() -> str:
    has = "has_parameter_privilege(r.oid, o.parname, p"
    return f"""
        SELECT r.rolname::text, p, 'server', ARRAY[o.parname]::text[], {has}),
               {has} || ' WITH GRANT OPTION'), NULL::boolean
          FROM {WHO} CROSS JOIN pg_parameter_acl o
         CROSS JOIN unnest(ARRAY['SET', 'ALTER SYSTEM']) p"""


def of_server(server: PostgreSQLServer) -> list[Answer]:
    with server.connect() as connection:
        asked = [_select(kind) for kind in ON_SERVER]
        if connection.info.server_version >= 150000:
            asked.append(_parameters())
        rows = connection.execute(" UNION ALL ".join(asked)).fetchall()
    return [_answer(row) for row in rows]


def databases(server: PostgreSQLServer) -> list[str]:
    """Those that can be connected to."""
    with server.connect() as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    return [name for (name,) in rows]


def in_database(server: PostgreSQLServer, database: str) -> list[Answer]:
    with server.connect(database) as connection:
        connection.execute("SET search_path = pg_catalog")  # names of types: always with schema
        version = connection.info.server_version
        asked = [_select(kind) for kind in IN_DATABASE if version >= kind.since]
        rows = connection.execute(" UNION ALL ".join([*asked, _columns()])).fetchall()
    return [_answer(row, database) for row in rows]


def _answer(row: tuple[Any, ...], database: str | None = None) -> Answer:
    role, privilege, scope, names, holds, may_grant, owns = row
    parts = (database, *names) if database else tuple(names)
    return Answer(role, privilege, Scope(scope), parts, holds, may_grant, owns)


def roles(server: PostgreSQLServer, database: str) -> dict[str, set[tuple[str, str]]]:
    """Pairs (member, role) by USAGE and SET, superusers left out: they are in every role."""
    with server.connect(database) as connection:
        last = "SET" if connection.info.server_version >= 160000 else "MEMBER"
        rows = connection.execute(f"""
            SELECT m.rolname::text, r.rolname::text, pg_has_role(m.oid, r.oid, 'USAGE'),
                   pg_has_role(m.oid, r.oid, '{last}')
              FROM pg_roles m CROSS JOIN pg_roles r WHERE m.oid <> r.oid AND NOT m.rolsuper
        """).fetchall()
    found: dict[str, set[tuple[str, str]]] = {"USAGE": set(), "SET": set()}
    for member, role, usage, settable in rows:
        found["USAGE"].update([(member, role)] if usage else [])
        # Known limit before 16: who owns a database NOINHERIT may set it, and is not said to.
        settable = settable and role != "pg_database_owner"
        found["SET"].update([(member, role)] if settable else [])
    return found
