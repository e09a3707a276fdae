"""One server of each product under the same few words, so that one contract can be held against
all of them. MariaDB, MySQL and PostgreSQL are real; SQL Server and Oracle are stand-ins.

People and roles have plain names here; `username` is what the instance calls them.
"""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.servers.base import Unavailable
from whalefall.engines import engine
from whalefall.engines.base import Engine, Target

PASSWORD = "Se-cret1"
TABLE = "orders"
LIBRARIES = ("libltdl.so.7", "libgssapi_krb5.so.2", "libkrb5.so.3")


class World:
    """`server` is started by `start`. `has_admin_option`: whether a role can be given on."""

    db_type = ""
    longest = 128
    has_admin_option = True
    cannot_have = ""
    """Characters that no name may hold."""

    server: Any

    @property
    def engine(self) -> Engine:
        return engine(self.db_type)

    def start(self) -> None:
        try:
            self.server.start()
        except Unavailable as exc:
            if os.environ.get("CI") == "true":
                pytest.fail(str(exc))
            pytest.skip(str(exc))

    def stop(self) -> None:
        self.server.stop()

    def takes(self, name: str) -> bool:
        return len(name) <= self.longest and not set(self.cannot_have) & set(name)

    def username(self, name: str) -> str:
        return name

    def role_name(self, name: str) -> str:
        return self.username(name)

    def path(self, person: str, *roles: str) -> list[str]:
        return [self.role_name(role) for role in roles]

    def make(self) -> None:
        """A table to be granted on."""
        raise NotImplementedError

    def parts(self, table: str) -> tuple[str, ...]:
        raise NotImplementedError

    def table(self, name: str) -> None:
        raise NotImplementedError

    def person(self, name: str, state: str = "") -> None:
        """`state`: locked, expired."""
        raise NotImplementedError

    def role(self, name: str) -> None:
        raise NotImplementedError

    def put(self, role: str, member: str, to_role: bool = False, admin: bool = False) -> None:
        raise NotImplementedError

    def grant(self, privilege: str, table: str, to: str, **more: bool) -> None:
        """`more`: `option`, `to_role`."""
        raise NotImplementedError

    def revoke(self, privilege: str, table: str, of: str) -> None:
        raise NotImplementedError

    def crowd(self, count: int) -> None:
        """So many more people, each with a right of its own."""
        raise NotImplementedError

    def target(self) -> Target:
        raise NotImplementedError

    def collector(self) -> Target:
        """The login that the shipped script makes."""
        raise NotImplementedError

    def blinded(self) -> tuple[Target, str]:
        """A login that may read all but one section, and that section."""
        raise NotImplementedError

    def mend(self, remedy: str) -> None:
        """Run what a section says would mend it."""
        raise NotImplementedError


class MySQLWorld(World):
    db_type = "mysql"
    longest = 32

    def __init__(self) -> None:
        from tests.servers.mysql import MySQLServer

        self.server = MySQLServer()

    def takes(self, name: str) -> bool:
        """No name beyond the first plane of Unicode: what the server keeps them in has no room."""
        return super().takes(name) and max(map(ord, name)) < 0x10000

    def username(self, name: str) -> str:
        return f"{name}@%"

    def make(self) -> None:
        self.server.execute("CREATE DATABASE shop")
        self.table(TABLE)

    def parts(self, table: str) -> tuple[str, ...]:
        return ("shop", table)

    def table(self, name: str) -> None:
        self.server.execute(f"CREATE TABLE {self._on(name)} (id int)")

    def _on(self, table: str) -> str:
        return "shop." + "`" + table.replace("`", "``") + "`"

    def _account(self, name: str) -> str:
        return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'@'%'"

    def _role(self, name: str) -> str:
        return self._account(name)

    def person(self, name: str, state: str = "") -> None:
        word = {"locked": "ACCOUNT LOCK", "expired": "PASSWORD EXPIRE"}.get(state, "")
        self.server.execute(f"CREATE USER {self._account(name)} IDENTIFIED BY '{PASSWORD}' {word}")

    def role(self, name: str) -> None:
        self.server.execute(f"CREATE ROLE {self._role(name)}")

    def put(self, role: str, member: str, to_role: bool = False, admin: bool = False) -> None:
        who = self._role(member) if to_role else self._account(member)
        option = " WITH ADMIN OPTION" if admin else ""
        self.server.execute(f"GRANT {self._role(role)} TO {who}{option}")
        if not to_role:
            self.server.execute(self._default(role, who))

    def _default(self, role: str, who: str) -> str:
        return f"SET DEFAULT ROLE {self._role(role)} TO {who}"

    def grant(self, privilege: str, table: str, to: str, **more: bool) -> None:
        who = self._role(to) if more.get("to_role") else self._account(to)
        option = " WITH GRANT OPTION" if more.get("option") else ""
        self.server.execute(f"GRANT {privilege} ON {self._on(table)} TO {who}{option}")

    def revoke(self, privilege: str, table: str, of: str) -> None:
        self.server.execute(f"REVOKE {privilege} ON {self._on(table)} FROM {self._account(of)}")

    def crowd(self, count: int) -> None:
        """As rows: CREATE USER takes milliseconds."""
        numbers = ", ".join(f"('crowd{n}')" for n in range(count))
        self.server.execute(
            "CREATE TABLE shop.names (name varchar(16))",
            f"INSERT INTO shop.names VALUES {numbers}",
            f"CREATE USER template IDENTIFIED BY '{PASSWORD}'",
            "GRANT SELECT, EVENT ON shop.* TO template",
        )
        users = "global_priv" if self.server.label == "MariaDB" else "user"
        for table in (users, "db"):
            asked = (
                "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'mysql' "
                f"AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
            )
            columns = [name for (name,) in self.server.execute(asked)]
            values = ", ".join("n.name" if name == "User" else f"t.{name}" for name in columns)
            self.server.execute(
                f"INSERT INTO mysql.{table} SELECT {values} FROM mysql.{table} t, shop.names n "
                "WHERE t.User = 'template'"
            )
        self.server.execute("FLUSH PRIVILEGES", "DROP TABLE shop.names")

    def target(self) -> Target:
        return self.server.target()

    def collector(self) -> Target:
        self._run(self._script("whalefall"))
        return self.server.target("whalefall", PASSWORD)

    def blinded(self) -> tuple[Target, str]:
        self._run(re.sub(r"GRANT SELECT ON mysql.tables_priv TO [^;]*;", "", self._script("blind")))
        return self.server.target("blind", PASSWORD), "table"

    def _script(self, login: str) -> str:
        version = self.server.execute("SELECT VERSION()")[0][0]
        script = self.engine.collector_grants(login, version).replace("<password>", PASSWORD)
        return "\n".join(line for line in script.splitlines() if not line.startswith("--"))

    def _run(self, script: str) -> None:
        self.server.execute(*(each for each in script.split(";") if each.strip()))

    def mend(self, remedy: str) -> None:
        self._run(remedy)


class MariaDBWorld(MySQLWorld):
    longest = 80

    def __init__(self) -> None:
        from tests.servers.mariadb import MariaDBServer

        self.server = MariaDBServer()

    def role_name(self, name: str) -> str:
        return name

    def _role(self, name: str) -> str:
        return self._account(name).removesuffix("@'%'")

    def _default(self, role: str, who: str) -> str:
        return f"SET DEFAULT ROLE {self._role(role)} FOR {who}"


class PostgreSQLWorld(World):
    db_type = "postgresql"
    longest = 63

    def __init__(self) -> None:
        from tests.servers.postgresql import PostgreSQL18

        self.server = PostgreSQL18()

    def make(self) -> None:
        self.server.run("CREATE DATABASE shop")
        self.table(TABLE)

    def parts(self, table: str) -> tuple[str, ...]:
        return ("shop", "public", table)

    def table(self, name: str) -> None:
        self.server.run(f"CREATE TABLE {_quoted(name)} (id int)", "shop")

    def person(self, name: str, state: str = "") -> None:
        word = {"locked": "CONNECTION LIMIT 0", "expired": "VALID UNTIL '2020-01-01'"}.get(
            state, ""
        )
        self.server.run(f"CREATE ROLE {_quoted(name)} LOGIN {word}")

    def role(self, name: str) -> None:
        self.server.run(f"CREATE ROLE {_quoted(name)}")

    def put(self, role: str, member: str, to_role: bool = False, admin: bool = False) -> None:
        option = " WITH ADMIN OPTION" if admin else ""
        self.server.run(f"GRANT {_quoted(role)} TO {_quoted(member)}{option}")

    def grant(self, privilege: str, table: str, to: str, **more: bool) -> None:
        option = " WITH GRANT OPTION" if more.get("option") else ""
        self.server.run(f"GRANT {privilege} ON {_quoted(table)} TO {_quoted(to)}{option}", "shop")

    def revoke(self, privilege: str, table: str, of: str) -> None:
        self.server.run(f"REVOKE {privilege} ON {_quoted(table)} FROM {_quoted(of)}", "shop")

    def crowd(self, count: int) -> None:
        """A hundred to a table: longer lists of rights take the server long to add to."""
        self.server.run(
            f"DO $$ BEGIN FOR i IN 0..{count - 1} LOOP "
            "IF i % 100 = 0 THEN EXECUTE format('CREATE TABLE crowded%s (id int)', i); END IF; "
            "EXECUTE format('CREATE ROLE crowd%s LOGIN', i); "
            "EXECUTE format('GRANT SELECT ON crowded%s TO crowd%s', i / 100 * 100, i); "
            "END LOOP; END $$",
            "shop",
        )

    def target(self) -> Target:
        login = {"username": self.server.admin_username, "password": self.server.admin_password}
        return Target(self.server.host, self.server.port, tls_mode="off", **login)

    def collector(self) -> Target:
        return self._made("whalefall")

    def blinded(self) -> tuple[Target, str]:
        """Of its catalogs, PostgreSQL shows all or nothing: who is in which role, to nobody."""
        found = self._made("blind")
        self.server.run("REVOKE SELECT ON pg_catalog.pg_auth_members FROM PUBLIC")
        return found, "memberships"

    def _made(self, login: str) -> Target:
        self.server.run(self.engine.collector_grants(login, "18"))
        self.server.run(f"ALTER ROLE {login} PASSWORD '{PASSWORD}'")
        return replace(self.target(), username=login, password=PASSWORD)

    def mend(self, remedy: str) -> None:
        self.server.run(remedy)


class SqlServerWorld(World):
    db_type = "sqlserver"
    has_admin_option = False

    def __init__(self) -> None:
        from tests.fakes.tds.backend import SqlServerBackend
        from tests.fakes.tds.catalog import SqlServerCatalog
        from tests.fakes.tds.server import FakeSqlServer

        self.catalog = SqlServerCatalog()
        self.catalog.logins["sa"].password = PASSWORD
        self.server = FakeSqlServer(SqlServerBackend(self.catalog))

    def start(self) -> None:
        """mssql-python loads without these libraries, and fails when it is to connect."""
        for name in LIBRARIES:
            try:
                ctypes.CDLL(name)
            except OSError as exc:
                pytest.skip(f"mssql-python needs {name}: {exc}")
        self.server.__enter__()

    def stop(self) -> None:
        if self.server.port:
            self.server.__exit__(None, None, None)
        assert self.server.crashes == []

    def role_name(self, name: str) -> str:
        return f"{name}@shop"

    def path(self, person: str, *roles: str) -> list[str]:
        """A login is its user in the database first."""
        return [f"{person}@shop", *(self.role_name(role) for role in roles)]

    def make(self) -> None:
        self.shop = self.catalog.database("shop")
        self.table(TABLE)

    def parts(self, table: str) -> tuple[str, ...]:
        return ("shop", "dbo", table)

    def table(self, name: str) -> None:
        self.shop.thing("dbo", name, "id")

    def person(self, name: str, state: str = "") -> None:
        self.catalog.login(name, disabled=state == "locked", expired=state == "expired")
        self.shop.user(name, name)

    def role(self, name: str) -> None:
        self.shop.role(name)

    def put(self, role: str, member: str, to_role: bool = False, admin: bool = False) -> None:
        self.shop.add(role, member)

    def grant(self, privilege: str, table: str, to: str, **more: bool) -> None:
        self.shop.grant(privilege, ("dbo", table), to=to, option=more.get("option", False))

    def revoke(self, privilege: str, table: str, of: str) -> None:
        self.shop.revoke(privilege, ("dbo", table), of=of)

    def crowd(self, count: int) -> None:
        from tests.fakes.tds.catalog import Login, Permission, User, sid_of

        made = [Login(9000 + n, f"crowd{n}", "S", sid_of(f"crowd{n}")) for n in range(count)]
        self.catalog.logins |= {each.name: each for each in made}
        self.catalog.permissions += [
            Permission(100, 0, 0, each.id, 1, "CONNECT SQL", "G") for each in made
        ]
        users = [User(3000 + n, each.name, "S", each.sid, 1) for n, each in enumerate(made)]
        self.shop.users |= {user.name: user for user in users}
        self.shop.permissions += [Permission(0, 0, 0, u.id, 1, "CONNECT", "G") for u in users]

    def target(self) -> Target:
        return Target(self.server.host, self.server.port, "sa", PASSWORD, tls_mode="off")

    def collector(self) -> Target:
        return self._made("whalefall", self.engine.collector_grants("whalefall", "2019"))

    def blinded(self) -> tuple[Target, str]:
        script = self.engine.collector_grants("blind", "2019")
        return self._made("blind", script.replace("GRANT CONNECT ANY DATABASE", "--")), "table"

    def _made(self, login: str, script: str) -> Target:
        self.catalog.login(login, password=PASSWORD)
        self.mend(script)
        return replace(self.target(), username=login)

    def mend(self, remedy: str) -> None:
        for privilege, login in re.findall(r"^GRANT (.+?) TO \[(.+?)\];", remedy, re.MULTILINE):
            self.catalog.grant(privilege, login)


class OracleWorld(World):
    db_type = "oracle"
    cannot_have = '"'

    def __init__(self) -> None:
        from tests.fakes.oracle.server import FakeOracle

        self.server = FakeOracle("19.21.0.0.0")

    def start(self) -> None:
        self.server.__enter__()

    def stop(self) -> None:
        self.server.__exit__(None, None, None)

    def make(self) -> None:
        self.server.run(f"CREATE USER shop IDENTIFIED BY {PASSWORD}")
        self.table(TABLE)

    def parts(self, table: str) -> tuple[str, ...]:
        return ("SHOP", table)

    def table(self, name: str) -> None:
        self.server.run(f'CREATE TABLE shop."{name}"')

    def person(self, name: str, state: str = "") -> None:
        word = {"locked": "ACCOUNT LOCK", "expired": "PASSWORD EXPIRE"}.get(state, "")
        self.server.run(f'CREATE USER "{name}" IDENTIFIED BY {PASSWORD} {word}')

    def role(self, name: str) -> None:
        self.server.run(f'CREATE ROLE "{name}"')

    def put(self, role: str, member: str, to_role: bool = False, admin: bool = False) -> None:
        option = " WITH ADMIN OPTION" if admin else ""
        self.server.run(f'GRANT "{role}" TO "{member}"{option}')

    def grant(self, privilege: str, table: str, to: str, **more: bool) -> None:
        option = " WITH GRANT OPTION" if more.get("option") else ""
        self.server.run(f'GRANT {privilege} ON shop."{table}" TO "{to}"{option}')

    def revoke(self, privilege: str, table: str, of: str) -> None:
        self.server.run(f'REVOKE {privilege} ON shop."{table}" FROM "{of}"')

    def crowd(self, count: int) -> None:
        self.server.run(*(f'CREATE USER "crowd{n}" IDENTIFIED BY x' for n in range(count)))
        everybody = ", ".join(f'"crowd{n}"' for n in range(count))
        self.server.run(f"GRANT CREATE SESSION, CREATE TABLE TO {everybody}")

    def target(self) -> Target:
        return self.server.target()

    def collector(self) -> Target:
        return self._made("whalefall", self.engine.collector_grants("whalefall", "19"))

    def blinded(self) -> tuple[Target, str]:
        script = self.engine.collector_grants("blind", "19")
        return self._made(
            "blind", re.sub(r"GRANT SELECT ON sys.dba_tab_privs.*", "", script)
        ), "table"

    def _made(self, login: str, script: str) -> Target:
        self.server.script(script.replace("********", PASSWORD))
        return self.server.target(login, PASSWORD)

    def mend(self, remedy: str) -> None:
        self.server.script(remedy)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
