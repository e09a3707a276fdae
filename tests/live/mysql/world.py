"""A random world of users, roles and grants: plain statements, most of which the server takes.

The same seed makes the same statements; what the server refuses is left out of `done`.
"""

from __future__ import annotations

import random
from typing import Any

import MySQLdb

from tests.servers.mariadb import MySQLFamilyServer, identifier, literal

USERS = ("fz", "FZ", "f'z%`_", "", "\u00e9 z")
HOSTS = ("%", "127.%", "127.0.0.1", "127.0.%", "127.1.2.3", "localhost", "10.%",
         "192.168.0.0/255.255.0.0", "127.0.0.0/255.255.255.0")  # fmt: skip
ADDRESSES = ("127.0.0.1", "127.0.0.7", "127.1.2.3")
ROLES = ("r one", "r2", "r'3%", "fz")
DATABASES = ("fz_a", "fzXa", "fz%b", "fz `c")
NAMES = ("fz\\_a", "fzXa", "fz\\%b", "fz `c", "nowhere")
PATTERNS = ("fz_a", "%", "fz\\_%", "f%a")
MORE_PATTERNS = ("fz%", "fz%b", "fz_%")
"""Of two that MySQL ranks alike, like fz_a and fz%, either may be the one that counts."""
TABLES = ("t", "T `q%")
COLUMNS = ("a", "B.`b")
ON_GLOBAL = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "INDEX", "ALTER", "EXECUTE",
             "PROCESS", "RELOAD", "CREATE VIEW", "EVENT", "TRIGGER", "CREATE ROUTINE",
             "CREATE TEMPORARY TABLES", "FILE", "SUPER", "CREATE USER", "SHOW VIEW")  # fmt: skip
ON_DATABASE = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER",
               "EXECUTE", "CREATE VIEW", "EVENT", "TRIGGER", "CREATE ROUTINE", "SHOW VIEW",
               "CREATE TEMPORARY TABLES", "LOCK TABLES", "ALTER ROUTINE")  # fmt: skip
ON_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER",
            "CREATE VIEW", "TRIGGER", "SHOW VIEW")  # fmt: skip
ON_COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
DYNAMIC = ("BACKUP_ADMIN", "ROLE_ADMIN", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN",
           "SET_ANY_DEFINER", "REPLICATION_APPLIER", "FLUSH_STATUS")  # fmt: skip
EXISTING = {"table": "t", "procedure": "p", "function": "f", "event": "e", "trigger": "g"}


class World:
    """`kind`: mariadb, mysql9 or mysql56. Statements so far that the server took are in `done`."""

    def __init__(self, server: MySQLFamilyServer, kind: str, seed: int) -> None:
        self.server, self.kind, self.random = server, kind, random.Random(seed)
        self.done: list[str] = []
        self.connection = server.connect()
        self.users: list[str] = []
        self.roles: list[str] = []
        self.has_roles = kind != "mysql56"
        self.is_mariadb = kind == "mariadb"

    def run(self, statement: str) -> bool:
        try:
            cursor = self.connection.cursor()
            cursor.execute(statement)
            cursor.close()
        except MySQLdb.Error:
            return False
        self.done.append(statement)
        return True

    def build(self) -> None:
        for database in DATABASES:
            self._fill(identifier(database))
        if self.kind == "mysql9":
            self._settings()
        for user in USERS:
            # an address and a network that holds it rank alike up to MySQL 8 and in MariaDB
            known = HOSTS if self.kind == "mysql9" else HOSTS[:-1]
            hosts = self.random.sample(known, self.random.randint(2, 5))
            for host in hosts[: 5 if user else 2]:
                name = f"{literal(user)}@{literal(host)}"
                if self.run(f"CREATE USER {name}"):
                    self.users.append(name)
        for role in ROLES if self.has_roles else ():
            name = identifier(role) if self.is_mariadb else f"{literal(role)}@'%'"
            if self.run(f"CREATE ROLE {name}"):
                self.roles.append(name)

    def _fill(self, database: str) -> None:
        columns = ", ".join(f"{identifier(column)} int" for column in COLUMNS)
        self.run(f"CREATE DATABASE {database}")
        for table in TABLES:
            self.run(f"CREATE TABLE {database}.{identifier(table)} ({columns})")
        self.run(f"CREATE VIEW {database}.v AS SELECT 1 AS a")
        self.run(f"CREATE PROCEDURE {database}.p() SELECT 1")
        self.run(f"CREATE FUNCTION {database}.f() RETURNS int DETERMINISTIC RETURN 1")
        self.run(f"CREATE EVENT {database}.e ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1")
        self.run(f"CREATE TRIGGER {database}.g BEFORE INSERT ON {database}.t FOR EACH ROW SET @a=1")

    def _settings(self) -> None:
        for name, chance in (
            ("partial_revokes", 0.3), ("activate_all_roles_on_login", 0.25),
            ("activate_mandatory_roles", 0.5),
        ):  # fmt: skip
            self.run(f"SET GLOBAL {name} = {'ON' if self.random.random() < chance else 'OFF'}")
        role = self.random.choice(["", "", "`r2`@`%`"])
        self.run(f"SET GLOBAL mandatory_roles = {literal(role)}")

    # Moves

    def step(self) -> None:
        moves = [self._global, self._database, self._table, self._column, self._routine,
                 self._revoke, self._proxy, self._role, self._default, self._partial,
                 self._dynamic, self._gone]  # fmt: skip
        self.random.choices(moves, [4, 26, 18, 12, 8, 7, 3, 12, 8, 3, 3, 1])[0]()

    def _grantee(self) -> str:
        chance = self.random.random()
        if self.is_mariadb and chance < 0.05:
            return "PUBLIC"
        if self.roles and chance < 0.3:
            return self.random.choice(self.roles)
        return self.random.choice(self.users)

    def _grant(self, known: tuple[str, ...], place: str, columns: str = "") -> None:
        privileges = self.random.sample(known, self.random.randint(1, 2))
        words = ", ".join(f"{name}{columns}" for name in privileges)
        if not columns and self.random.random() < 0.05 and place != "*.*":
            words = "ALL"
        option = self.random.choice(["", "", "", " WITH GRANT OPTION"])
        self.run(f"GRANT {words} ON {place} TO {self._grantee()}{option}")

    def _global(self) -> None:
        self._grant(self.random.choice([ON_GLOBAL, ON_GLOBAL[:4]]), "*.*")

    def _database(self) -> None:
        known = self.random.choice([ON_DATABASE, ON_DATABASE[:4]])
        names = (*NAMES, *PATTERNS, *(MORE_PATTERNS if self.is_mariadb else ()))
        self._grant(known, f"{identifier(self.random.choice(names))}.*")

    def _place(self, name: str) -> str:
        return f"{identifier(self.random.choice(DATABASES))}.{identifier(name)}"

    def _table(self) -> None:
        known = self.random.choice([ON_TABLE, ON_TABLE[:4]])
        self._grant(known, self._place(self.random.choice((*TABLES, "v"))))

    def _column(self) -> None:
        columns = self.random.choice([COLUMNS[:1], COLUMNS[1:], COLUMNS])
        listed = ", ".join(map(identifier, columns))
        self._grant(ON_COLUMN, self._place(self.random.choice(TABLES)), f" ({listed})")

    def _routine(self) -> None:
        """Not to names that are not ASCII: those grants are broken in every version."""
        kind, name = self.random.choice([("PROCEDURE", "p"), ("FUNCTION", "f")])
        users, self.users = self.users, [each for each in self.users if each.isascii()]
        self._grant(("EXECUTE", "ALTER ROUTINE"), f"{kind} {self._place(name)}")
        self.users = users

    def _revoke(self) -> None:
        """What somebody was granted, taken away again, whole or in part."""
        grants = [each for each in self.done if each.startswith("GRANT ") and " ON " in each]
        if grants:
            statement = self.random.choice(grants).removesuffix(" WITH GRANT OPTION")
            if self.random.random() < 0.3 and "PROXY" not in statement:
                head, _, tail = statement.partition(" ON ")
                statement = f"{head.split(', ')[0]} ON {tail}"
            taken = "REVOKE " + statement.removeprefix("GRANT ")
            self.run(" FROM ".join(taken.rsplit(" TO ", 1)))

    def _proxy(self) -> None:
        played = self.random.choice([*self.users, "''@''"])
        # MySQL 9 keeps GRANT OPTION on *.* in mind with it, and forgets it when it restarts.
        option = "" if self.kind == "mysql9" else self.random.choice(["", " WITH GRANT OPTION"])
        self.run(f"GRANT PROXY ON {played} TO {self.random.choice(self.users)}{option}")

    def _role(self) -> None:
        if self.roles:
            # In MariaDB a namesake's role brings that one's privileges on *.* along: known limit.
            users = list({user.rpartition("@")[0]: user for user in reversed(self.users)}.values())
            users = users if self.is_mariadb else self.users
            member = self.random.choice([*users, *users, *self.roles])
            option = self.random.choice(["", "", " WITH ADMIN OPTION"])
            role = self.random.choice(self.roles)
            if self.random.random() < 0.15:
                self.run(f"REVOKE {role} FROM {member}")
            else:
                self.run(f"GRANT {role} TO {member}{option}")

    def _default(self) -> None:
        if self.roles:
            role, user = self.random.choice(self.roles), self.random.choice(self.users)
            if not self.is_mariadb:
                self.run(f"SET DEFAULT ROLE {self.random.choice([role, 'ALL', 'NONE'])} TO {user}")
            else:
                user = self.random.choice(
                    [each for each in self.done if "GRANT `r" in each] or [""]
                )
                user = user.partition(" TO ")[2].partition(" WITH ")[0]
                self.run(f"SET DEFAULT ROLE {self.random.choice([role, role, 'NONE'])} FOR {user}")

    def _partial(self) -> None:
        if self.kind == "mysql9":
            database = identifier(self.random.choice(DATABASES))
            privilege = self.random.choice(("SELECT", "INSERT", "CREATE"))
            self.run(f"REVOKE {privilege} ON {database}.* FROM {self._grantee()}")

    def _dynamic(self) -> None:
        if self.kind == "mysql9":
            self._grant(DYNAMIC, "*.*")

    def _gone(self) -> None:
        if len(self.users) > 6:
            user = self.users.pop(self.random.randrange(len(self.users)))
            self.run(f"DROP USER {user}")

    # The end

    def clean(self) -> None:
        if self.kind == "mysql9":
            for name in ("partial_revokes", "activate_all_roles_on_login"):
                # no one may be left whose rights need them: users go first
                self._drop()
                self.run(f"SET GLOBAL {name} = OFF")
            self.run("SET GLOBAL activate_mandatory_roles = ON")
            self.run("SET GLOBAL mandatory_roles = ''")
        if self.is_mariadb:
            for table in ("tables_priv", "columns_priv", "procs_priv"):
                self.run(f"DELETE FROM mysql.{table} WHERE User = 'PUBLIC'")
            self.run("FLUSH PRIVILEGES")
        self.connection.close()

    def _drop(self) -> None:
        for user in self.users:
            self.run(f"DROP USER {user}")


def trials(server: Any, connection: Any) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """What the connected account may do: (privilege, scope, names, allowed), each one tried."""
    found = []
    for privilege, scope, names, statement in _attempts():
        found.append((privilege, scope, names, may(connection, statement)))
    return found


DENIED = {1044, 1045, 1142, 1143, 1227, 1370}


def may(connection: Any, statement: str) -> bool:
    """Any other error comes after the server looked at the rights."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        while cursor.nextset():
            pass
    except MySQLdb.Error as exc:
        return exc.args[0] not in DENIED
    finally:
        cursor.close()
    return True


def _attempts() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Statements that ask for one right each and change nothing that is compared."""
    found = [("PROCESS", "global", (), "SHOW ENGINE INNODB STATUS")]
    for database in DATABASES:
        d = identifier(database)
        found += [
            ("CREATE", "database", (database,), f"CREATE TABLE {d}.n (x int, x int)"),
            ("DROP", "database", (database,), f"DROP TABLE {d}.missing"),
            ("CREATE VIEW", "database", (database,), f"CREATE VIEW {d}.n AS SELECT 1 AS a, 2 AS a"),
            ("CREATE ROUTINE", "database", (database,), f"CREATE PROCEDURE {d}.p() SELECT 1"),
            ("EVENT", "database", (database,),
             f"CREATE EVENT {d}.e ON SCHEDULE EVERY 1 YEAR DO SELECT 1"),
            ("CREATE TEMPORARY TABLES", "database", (database,),
             f"CREATE TEMPORARY TABLE {d}.n (x int, x int)"),
            ("EXECUTE", "routine", (database, "p"), f"CALL {d}.p()"),
            ("EXECUTE", "routine", (database, "f"), f"SELECT {d}.f()"),
        ]  # fmt: skip
        for table in TABLES:
            t, names = f"{d}.{identifier(table)}", (database, table)
            found += [
                ("DELETE", "table", names, f"DELETE FROM {t} LIMIT 0"),
                ("INDEX", "table", names, f"CREATE INDEX i ON {t} (missing)"),
                ("CREATE", "table", names, f"CREATE TABLE {t} (x int, x int)"),
            ]
            for column in COLUMNS:
                c, full = identifier(column), (*names, column)
                found += [
                    ("SELECT", "column", full, f"SELECT {c} FROM {t} LIMIT 0"),
                    ("INSERT", "column", full, f"INSERT INTO {t} ({c}) SELECT 1 FROM DUAL WHERE 0"),
                    ("UPDATE", "column", full, f"UPDATE {t} SET {c} = 1 LIMIT 0"),
                ]
    return found
