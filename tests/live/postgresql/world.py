"""A random world of roles, objects and grants: plain statements, most of which the server takes.

The same seed makes the same statements. What the server refuses (circles, what nobody may do) is
part of the game; nothing here says what should be found: that is asked of the server.
"""

from __future__ import annotations

import random
from typing import Any

import psycopg

from tests.servers.postgresql import PostgreSQLServer

NAMES = (
    'fuzz"quote', "fuzz`tick", "fuzz%", "fuzz_", "fuzz@10.%", "fuzz space ", "Fuzz", "fuzz",
    "FUZZ", "fuzz \U0001f433", "fuzz\\slash", "fuzz'single", "f" * 63, "fuzz.dot", "Public",
    "[fuzz]", "(fuzz", "fuzz:colon", "fuzz,comma", "-- fuzz", "r\u00f4le",
)  # fmt: skip
DATABASES = ("fuzz one", 'Fuzz."two"')
SCHEMAS = ("plain", 'sch"ema.x', "(s) @%_")
THINGS = ("t", 'T."q"', "t@%_\\")
COLUMNS = ("a", 'B "c".d')
PREDEFINED = (
    "pg_read_all_data", "pg_write_all_data", "pg_monitor", "pg_maintain", "pg_signal_backend",
    "pg_read_all_settings", "pg_execute_server_program", "pg_read_server_files", "pg_checkpoint",
    "pg_create_subscription", "pg_database_owner", "pg_read_all_stats",
)  # fmt: skip
TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
KINDS = {
    "TABLE": TABLE,
    "SEQUENCE": ("SELECT", "UPDATE", "USAGE"),
    "SCHEMA": ("CREATE", "USAGE"),
    "FUNCTION": ("EXECUTE",),
    "TYPE": ("USAGE",),
    "LANGUAGE": ("USAGE",),
    "FOREIGN DATA WRAPPER": ("USAGE",),
    "FOREIGN SERVER": ("USAGE",),
    "LARGE OBJECT": ("SELECT", "UPDATE"),
    "DATABASE": ("CONNECT", "CREATE", "TEMPORARY"),
    "TABLESPACE": ("CREATE",),
    "PARAMETER": ("SET", "ALTER SYSTEM"),
}
PARAMETERS = ("work_mem", "log_statement", "my.fuzz")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class World:
    """Statements so far that the server took are in `done`, as (role, database, statement)."""

    def __init__(self, server: PostgreSQLServer, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        self.done: list[tuple[str, str, str]] = []
        self.roles = list(NAMES)
        self.objects: dict[str, dict[str, list[str]]] = {}
        self.connections: dict[str, psycopg.Connection[Any]] = {}
        with server.connect() as connection:
            self.version: int = connection.info.server_version
            rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            self.predefined = [name for name in PREDEFINED if (name,) in rows]

    # Statements

    def run(self, statement: str, database: str = "postgres", role: str = "") -> bool:
        """Whether the server took it, said by `role` or by the administrator."""
        connection = self.connection(database)
        if role:
            connection.execute(f"SET SESSION AUTHORIZATION {quoted(role)}")
        try:
            connection.execute(statement.encode())
        except psycopg.Error:
            return False
        else:
            self.done.append((role, database, statement))
            return True
        finally:
            connection.execute("RESET SESSION AUTHORIZATION")

    def connection(self, database: str) -> psycopg.Connection[Any]:
        if database not in self.connections:
            self.connections[database] = self.server.connect(database)
        return self.connections[database]

    def build(self) -> None:
        for name in self.roles:
            self.run(f"CREATE ROLE {quoted(name)} {self._attributes()}")
        for name in DATABASES:
            owner = quoted(self._role())
            self.run(f"CREATE DATABASE {quoted(name)} OWNER {owner} TEMPLATE template0")
            self._fill(name)

    def _attributes(self) -> str:
        pick, words = self.random.random, []
        for chance, word in (
            (0.06, "SUPERUSER"), (0.25, "NOINHERIT"), (0.15, "CREATEROLE"), (0.1, "CREATEDB"),
            (0.6, "LOGIN"), (0.05, "BYPASSRLS"), (0.05, "REPLICATION"),
        ):  # fmt: skip
            if pick() < chance:
                words.append(word)
        return " ".join(words)

    def _fill(self, database: str) -> None:
        self.objects[database] = found = {kind: [] for kind in KINDS}
        self._make(database, "LANGUAGE", "fuzz lang", "CREATE TRUSTED LANGUAGE {0} HANDLER"
                   " plpgsql_call_handler")  # fmt: skip
        self._make(database, "FOREIGN DATA WRAPPER", 'w"rap', "CREATE FOREIGN DATA WRAPPER {0}")
        self._make(database, "FOREIGN SERVER", "serve.r",
                   'CREATE SERVER {0} FOREIGN DATA WRAPPER "w""rap"')  # fmt: skip
        for number in (4242, 4243):
            if self.run(f"SELECT lo_create({number})", database):
                found["LARGE OBJECT"].append(str(number))
        for name in SCHEMAS:
            owner = self._role()
            self.run(f"CREATE SCHEMA {quoted(name)} AUTHORIZATION {quoted(owner)}", database)
            found["SCHEMA"].append(quoted(name))
        found["SCHEMA"].append("public")
        for _ in range(9):
            self._thing(database)

    def _make(self, database: str, kind: str, name: str, statement: str) -> None:
        if self.run(statement.format(quoted(name)), database):
            self.objects[database][kind].append(quoted(name))

    def _thing(self, database: str) -> None:
        """Something new in a schema, mostly made by some role, so that default privileges count."""
        found, pick = self.objects[database], self.random.choice
        schema, name, role = pick(found["SCHEMA"]), pick(THINGS), pick(["", self._role()])
        full = f"{schema}.{quoted(name)}"
        columns = ", ".join(f"{quoted(column)} int" for column in COLUMNS)
        kind, made, statement = pick([
            ("TABLE", full, f"CREATE TABLE {full} ({columns})"),
            ("TABLE", full, f"CREATE TABLE {full} ({columns}) PARTITION BY LIST (a)"),
            ("TABLE", full, f'CREATE VIEW {full} AS SELECT 1 AS a, 2 AS "B ""c"".d"'),
            ("SEQUENCE", full, f"CREATE SEQUENCE {full}"),
            ("FUNCTION", f"{full}(int, text)", f"CREATE FUNCTION {full}(int, text) RETURNS int"
             " LANGUAGE sql AS 'SELECT 1'"),
            ("FUNCTION", f"{full}()", f"CREATE FUNCTION {full}() RETURNS int LANGUAGE sql"
             " SECURITY DEFINER AS 'SELECT 1'"),
            ("TYPE", full, f"CREATE TYPE {full} AS ENUM ('x')"),
            ("TYPE", full, f"CREATE DOMAIN {full} AS int"),
            ("TYPE", full, f"CREATE TYPE {full} AS RANGE (subtype = int)"),
            ("TYPE", full, f"CREATE TYPE {full} AS (a int)"),
        ])  # fmt: skip
        if self.run(statement, database, role) or (role and self.run(statement, database)):
            found[kind].append(made)

    # Moves

    def step(self) -> None:
        """One random statement."""
        pick = self.random.choices
        (move,) = pick(
            [self._grant_role, self._revoke_role, self._grant, self._revoke, self._columns,
             self._own, self._default, self._alter, self._everywhere, self._predefined,
             self._new, self._gone],
            [18, 4, 26, 8, 8, 5, 5, 3, 4, 4, 4, 1],
        )  # fmt: skip
        move()

    def _role(self) -> str:
        return self.random.choice(self.roles)

    def _grantee(self) -> str:
        if self.random.random() < 0.1:
            return "PUBLIC"
        names = [*self.roles, *self.predefined] if self.random.random() < 0.1 else self.roles
        return quoted(self.random.choice(names))

    def _speaker(self) -> str:
        """Who says it: mostly the administrator, who speaks for the owner."""
        return self._role() if self.random.random() < 0.3 else ""

    def _grant_role(self) -> None:
        pick = self.random.choice
        role, member = quoted(self._role()), quoted(self._role())
        option = pick(["", "", "", " WITH ADMIN OPTION"])
        if self.version >= 160000 and self.random.random() < 0.6:
            words = [f"{name} {pick(['TRUE', 'FALSE'])}" for name in ("INHERIT", "SET", "ADMIN")]
            option = " WITH " + ", ".join(self.random.sample(words, self.random.randint(1, 3)))
        if self.random.random() < 0.2:
            option += f" GRANTED BY {quoted(self._role())}"
        self.run(f"GRANT {role} TO {member}{option}", role=self._speaker())

    def _revoke_role(self) -> None:
        what = ["", "", "ADMIN OPTION FOR "]
        if self.version >= 160000:
            what += ["INHERIT OPTION FOR ", "SET OPTION FOR "]
        option = self.random.choice(what)
        cascade = self.random.choice(["", " CASCADE"])
        self.run(f"REVOKE {option}{quoted(self._role())} FROM {quoted(self._role())}{cascade}")

    def _place(self) -> tuple[str, str, str]:
        """A database (to say it in), a kind, and a thing of that kind."""
        database = self.random.choice(list(self.objects))
        kind = self.random.choice(list(KINDS))
        if kind == "DATABASE":
            return "postgres", kind, quoted(self.random.choice(DATABASES))
        if kind == "TABLESPACE":
            return "postgres", kind, self.random.choice(["pg_default", "pg_global"])
        if kind == "PARAMETER":
            if self.version < 150000:
                return self._place()
            return "postgres", kind, self.random.choice(PARAMETERS)
        things = self.objects[database][kind]
        return (database, kind, self.random.choice(things)) if things else self._place()

    def _privileges(self, kind: str) -> str:
        known = KINDS[kind]
        if kind == "TABLE" and self.version >= 170000:
            known = (*known, "MAINTAIN")
        if self.random.random() < 0.15:
            return "ALL"
        return ", ".join(self.random.sample(known, self.random.randint(1, min(3, len(known)))))

    def _grant(self) -> None:
        database, kind, thing = self._place()
        option = self.random.choice(["", "", " WITH GRANT OPTION"])
        what = f"{self._privileges(kind)} ON {kind} {thing}"
        self.run(f"GRANT {what} TO {self._grantee()}{option}", database, self._speaker())

    def _revoke(self) -> None:
        database, kind, thing = self._place()
        option = self.random.choice(["", "", "GRANT OPTION FOR "])
        cascade = self.random.choice(["", " CASCADE"])
        what = f"{option}{self._privileges(kind)} ON {kind} {thing}"
        self.run(f"REVOKE {what} FROM {self._grantee()}{cascade}", database, self._speaker())

    def _columns(self) -> None:
        database = self.random.choice(list(self.objects))
        tables = self.objects[database]["TABLE"]
        if not tables:
            return
        privilege = self.random.choice(["SELECT", "INSERT", "UPDATE", "REFERENCES", "ALL"])
        columns = ", ".join(map(quoted, self.random.sample(COLUMNS, self.random.randint(1, 2))))
        what, who = f"{privilege} ({columns}) ON {self.random.choice(tables)}", self._grantee()
        option = self.random.choice(["", "", " WITH GRANT OPTION"])
        statement = f"GRANT {what} TO {who}{option}"
        if self.random.random() < 0.25:
            statement = f"REVOKE {what} FROM {who}"
        self.run(statement, database, self._speaker())

    def _own(self) -> None:
        database, kind, thing = self._place()
        if kind in ("PARAMETER", "TABLESPACE"):
            return
        kind = {"FOREIGN SERVER": "SERVER"}.get(kind, kind)
        self.run(f"ALTER {kind} {thing} OWNER TO {quoted(self._role())}", database)

    def _default(self) -> None:
        database, pick = self.random.choice(list(self.objects)), self.random.choice
        kinds = ["TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"]
        kind = pick(kinds + (["LARGE OBJECTS"] if self.version >= 180000 else []))
        where = pick(["", f" IN SCHEMA {pick(self.objects[database]['SCHEMA'])}"])
        who = pick([self._role(), "postgres"])
        verb, to = pick([("GRANT", "TO"), ("GRANT", "TO"), ("REVOKE", "FROM")])
        option = " WITH GRANT OPTION" if verb == "GRANT" and self.random.random() < 0.2 else ""
        self.run(f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(who)}{where}"
                 f" {verb} ALL ON {kind} {to} {self._grantee()}{option}", database)  # fmt: skip

    def _alter(self) -> None:
        words = ["INHERIT", "NOINHERIT", "SUPERUSER", "NOSUPERUSER", "NOSUPERUSER", "LOGIN",
                 "NOLOGIN", "CREATEROLE", "NOCREATEROLE", "BYPASSRLS"]  # fmt: skip
        self.run(f"ALTER ROLE {quoted(self._role())} {self.random.choice(words)}")

    def _everywhere(self) -> None:
        database = self.random.choice(list(self.objects))
        kind, words = self.random.choice([
            ("TABLES", ["SELECT", "INSERT", "ALL"]), ("SEQUENCES", ["USAGE", "ALL"]),
            ("FUNCTIONS", ["EXECUTE"]),
        ])  # fmt: skip
        schema = self.random.choice(self.objects[database]["SCHEMA"])
        what, who = f"{self.random.choice(words)} ON ALL {kind} IN SCHEMA {schema}", self._grantee()
        verb, to = self.random.choice([("GRANT", "TO"), ("GRANT", "TO"), ("REVOKE", "FROM")])
        self.run(f"{verb} {what} {to} {who}", database)

    def _predefined(self) -> None:
        role = self.random.choice(self.predefined)
        self.run(f"GRANT {role} TO {quoted(self._role())}")

    def _new(self) -> None:
        self._thing(self.random.choice(list(self.objects)))

    def _gone(self) -> None:
        """A role loses all it has and owns in one database."""
        database = self.random.choice(list(self.objects))
        self.run(f"REASSIGN OWNED BY {quoted(self._role())} TO {quoted(self._role())}", database)

    # The end

    def clean(self) -> None:
        """Everything is taken away again: others use the server too."""
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()
        every = ", ".join(map(quoted, self.roles))
        with self.server.connect() as connection:
            for name in DATABASES:
                connection.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")
            connection.execute(f"DROP OWNED BY {every} CASCADE")
            connection.execute(f"DROP ROLE {every}")
            left = ", ".join(["PUBLIC", *self.predefined])
            places = ["TABLESPACE pg_default", "TABLESPACE pg_global"]
            if self.version >= 150000:
                places += [f"PARAMETER {name}" for name in PARAMETERS]
            for place in places:
                connection.execute(f"REVOKE ALL ON {place} FROM {left}")
