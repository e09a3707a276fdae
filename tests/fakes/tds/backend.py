"""The catalog behind the wire: logins are checked, and the engine's own statements are run on the
rows that this login may see (metadata visibility: fewer rows, and no error).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlglot import exp

from tests.fakes.replica import NoSuchTable, Replica, Result, Row
from tests.fakes.tds import requests
from tests.fakes.tds.catalog import (
    DATABASE_ROLES,
    DatabaseCatalog,
    Login,
    SqlServerCatalog,
)
from tests.fakes.tds.checks import SERVER_PERMISSIONS, Checker, closure
from tests.fakes.tds.server import Session, SqlError

PRINCIPAL = {
    "name": "nvarchar", "principal_id": "int", "sid": "varbinary", "type": "nvarchar",
    "is_fixed_role": "bit", "owning_principal_id": "int",
}  # fmt: skip
PERMISSION = {
    "class": "int", "major_id": "int", "minor_id": "int", "grantee_principal_id": "int",
    "grantor_principal_id": "int", "type": "nvarchar", "permission_name": "nvarchar",
    "state": "nvarchar",
}  # fmt: skip
MEMBER = {"role_principal_id": "int", "member_principal_id": "int"}
THING = {
    "name": "nvarchar", "object_id": "int", "principal_id": "int", "schema_id": "int",
    "type": "nvarchar", "is_ms_shipped": "bit",
}  # fmt: skip
FILE = {
    "file_id": "int", "type": "int", "size": "int", "max_size": "int", "growth": "int",
}  # fmt: skip
SERVER_VIEWS: dict[str, dict[str, str]] = {
    "server_principals": PRINCIPAL | {"is_disabled": "bit", "default_database_name": "nvarchar"},
    "sql_logins": PRINCIPAL | {
        "is_policy_checked": "bit", "is_expiration_checked": "bit", "password_hash": "nvarchar",
    },
    "server_role_members": MEMBER,
    "server_permissions": PERMISSION,
    "endpoints": {"name": "nvarchar", "endpoint_id": "int"},
    "databases": {
        "name": "nvarchar", "database_id": "int", "owner_sid": "varbinary", "state": "int",
        "state_desc": "nvarchar", "user_access_desc": "nvarchar", "is_trustworthy_on": "bit",
        "is_db_chaining_on": "bit", "containment": "int", "collation_name": "nvarchar",
        "recovery_model_desc": "nvarchar",
    },
    "configurations": {"name": "nvarchar", "value_in_use": "int"},
    "master_files": {"database_id": "int"} | FILE,
    "servers": {"server_id": "int", "name": "nvarchar", "is_linked": "bit"},
    "linked_logins": {
        "server_id": "int", "local_principal_id": "int", "uses_self_credential": "bit",
        "remote_name": "nvarchar",
    },
}  # fmt: skip
DATABASE_VIEWS: dict[str, dict[str, str]] = {
    "database_principals": PRINCIPAL | {
        "authentication_type": "int", "default_schema_name": "nvarchar",
    },
    "database_role_members": MEMBER,
    "database_permissions": PERMISSION,
    "schemas": {"name": "nvarchar", "schema_id": "int", "principal_id": "int"},
    "objects": THING,
    "all_objects": THING,
    "all_columns": {"object_id": "int", "name": "nvarchar", "column_id": "int"},
    "sql_modules": {"object_id": "int", "execute_as_principal_id": "int"},
    "types": {"name": "nvarchar", "user_type_id": "int", "schema_id": "int"},
    "assemblies": {
        "name": "nvarchar", "principal_id": "int", "assembly_id": "int",
        "permission_set_desc": "nvarchar",
    },
    "symmetric_keys": {"name": "nvarchar", "symmetric_key_id": "int"},
    "certificates": {"name": "nvarchar", "certificate_id": "int"},
    "asymmetric_keys": {"name": "nvarchar", "asymmetric_key_id": "int"},
    "database_files": FILE,
    "dm_db_file_space_usage": {"file_id": "int", "unallocated_extent_page_count": "bigint"},
    "dm_db_partition_stats": {
        "object_id": "int", "index_id": "int", "used_page_count": "bigint", "row_count": "bigint",
    },
}  # fmt: skip
STATES = {"ONLINE": 0, "RESTORING": 1, "RECOVERING": 2, "SUSPECT": 4, "OFFLINE": 6}
SYSTEM_LOGINS = ("sa",)
BRACKETED = re.compile(r"\[((?:[^\]]|\]\])*)\]")
EXECUTE_AS = re.compile(r"^EXECUTE AS LOGIN = N'((?:[^']|'')*)';$", re.MULTILINE)
REVERT = re.compile(r"^REVERT;$", re.MULTILINE)


class SqlServerReplica(Replica):
    """The views of one instance as one login sees them; its functions answer for that login."""

    dialect = "tsql"
    types = {"bigint": "bigint", "tinyint": "int", "varbinary": "varbinary"}

    def __init__(self, server: SqlServerCatalog, session: Session) -> None:
        super().__init__()
        self.server, self.session = server, session
        self.checker = Checker(server, session.login)
        # a statement is translated before its views are made; elsewhere these two are numbers
        self.columns |= {"type": "nvarchar", "state": "nvarchar"}
        for columns in (*SERVER_VIEWS.values(), *DATABASE_VIEWS.values()):
            for column, type_ in columns.items():
                self.columns.setdefault(column, type_)
        self._add_functions()

    def run_one(
        self, tree: exp.Expression, parameters: Mapping[str, Any] | Sequence[Any] = ()
    ) -> Result:
        """sys.dm_os_volume_stats is a function in the place of a table, which SQLite has not."""
        applied = tree.find(exp.Lateral)
        if applied is None or "dm_os_volume_stats" not in applied.sql().lower():
            return super().run_one(tree, parameters)
        if not self.checker.on_server("VIEW SERVER STATE"):
            raise SqlError(300, "VIEW SERVER STATE permission was denied on object 'server'.", 14)
        names = [each.alias_or_name.lower() for each in tree.expressions]  # type: ignore[attr-defined]
        known = ("volume_mount_point", "total_bytes", "available_bytes")
        rows = [
            tuple(volume[known.index(name)] for name in names) for volume in self.server.volumes
        ]
        types = {"volume_mount_point": "nvarchar"}
        return Result(names, [types.get(name, "bigint") for name in names], rows)

    # Where the views are

    def located(self, table: exp.Table) -> str:
        view, name = (table.name or table.this.name).lower(), table.sql(dialect="tsql")
        if view == "fn_my_permissions":
            return self._kept(view, {"permission_name": "nvarchar"}, self._my_permissions)
        if table.db.lower() != "sys":
            raise SqlError(208, f"Invalid object name '{name}'.", 16)
        if view in SERVER_VIEWS:
            if self.server.engine_edition == 5 and view != "databases":
                raise SqlError(208, f"Invalid object name '{name}'.", 16)
            return self._kept(f"sys.{view}", SERVER_VIEWS[view], lambda: self._server_rows(view))
        if view not in DATABASE_VIEWS:
            raise NoSuchTable(name)
        database = self._entered(table.catalog or self.session.database)
        if view.startswith("dm_db_"):
            self._require_state(database)
        kept = f"{database.name}.sys.{view}"
        return self._kept(kept, DATABASE_VIEWS[view], lambda: self._rows(database, view))

    def _kept(self, name: str, columns: dict[str, str], rows: Callable[[], Any]) -> str:
        if not self.has(name):
            self.table(name, columns, rows())
        return name

    def _entered(self, name: str) -> DatabaseCatalog:
        database = self._database(name)
        if database is None:
            raise SqlError(911, f"Database '{name}' does not exist.", 16)
        if database.state == "OFFLINE":
            raise SqlError(942, f"Database '{name}' cannot be opened because it is offline.")
        if database.state != "ONLINE":
            raise SqlError(
                927, f"Database '{name}' cannot be opened. It is in the middle of a restore."
            )
        if not self.checker.can_enter(database):
            raise SqlError(
                916,
                f'The server principal "{self.session.login}" is not able to access the database '
                f'"{name}" under the current security context.',
            )
        return database

    def _require_state(self, database: DatabaseCatalog) -> None:
        if not self.checker.on_database(database, "VIEW DATABASE STATE"):
            raise SqlError(
                262, f"VIEW DATABASE STATE permission denied in database '{database.name}'."
            )

    def _database(self, name: str) -> DatabaseCatalog | None:
        found = (d for d in self.server.databases.values() if d.name.lower() == name.lower())
        return next(found, None)

    # What this login sees of the server

    def _server_rows(self, view: str) -> Iterator[Row]:
        server = self.server
        all_seen = self.checker.on_server("VIEW ANY DEFINITION")
        if view in ("server_principals", "sql_logins"):
            for each in server.logins.values():
                if all_seen or self._sees_login(each):
                    if view == "server_principals":
                        yield self._principal(each)
                    elif each.type == "S":
                        yield self._sql_login(each)
        elif view == "server_role_members":
            for member, role in server.members:
                if all_seen or member in self.checker.ids:
                    yield role, member
        elif view == "server_permissions":
            for p in server.permissions:
                if all_seen or p.grantee in self.checker.ids:
                    yield p.class_, p.major, p.minor, p.grantee, p.grantor, p.code, p.name, p.state
        elif view == "endpoints":
            names = (
                "TSQL Local Machine",
                "TSQL Named Pipes",
                "TSQL Default TCP",
                "TSQL Default VIA",
            )
            yield from ((name, number) for number, name in enumerate(names, 2))
        elif view == "databases":
            yield from map(_database, filter(self._sees_database, server.databases.values()))
        elif view == "configurations":
            yield from server.settings.items()
        elif view == "master_files" and all_seen:
            for database in server.databases.values():
                yield from ((database.id, *file) for file in _files(database))
        elif view in ("servers", "linked_logins"):
            yield from self._linked(view, all_seen)

    def _sees_login(self, login: Login) -> bool:
        is_shipped = login.fixed or login.name in ("public", *SYSTEM_LOGINS)
        return is_shipped or login.id in self.checker.ids

    def _sees_database(self, database: DatabaseCatalog) -> bool:
        always = database.name in ("master", "tempdb")
        return (
            always
            or self.checker.on_server("VIEW ANY DATABASE")
            or (self.checker.can_enter(database))
        )

    def _principal(self, each: Login) -> Row:
        owner = 1 if each.type == "R" else None
        return (
            each.name, each.id, each.sid, each.type, each.fixed, owner, each.disabled,
            None if each.type == "R" else "master",
        )  # fmt: skip

    def _sql_login(self, each: Login) -> Row:
        hash_ = each.password if self.checker.on_server("CONTROL SERVER") else None
        return (
            each.name, each.id, each.sid, each.type, False, None, each.policy, each.expiration,
            hash_,
        )  # fmt: skip

    def _linked(self, view: str, all_seen: bool) -> Iterator[Row]:
        names = dict.fromkeys(name for name, _, _ in self.server.linked)
        numbers = {name: number for number, name in enumerate(names, 1)}
        if view == "servers":
            yield 0, self.server.machine, False
            yield from ((number, name, True) for name, number in numbers.items())
        elif all_seen:
            yield from ((numbers[name], who, False, as_) for name, who, as_ in self.server.linked)

    # What it sees of a database

    def _rows(self, database: DatabaseCatalog, view: str) -> Iterator[Row]:
        all_seen = self.checker.on_database(database, "VIEW DEFINITION")
        user = self.checker.user_in(database) or 0
        mine = closure({user}, database.members) | {0}
        if view == "database_principals":
            shipped = {0, 1, 2, 3, 4, *DATABASE_ROLES.values()}
            for u in database.users.values():
                if all_seen or u.id in mine | shipped:
                    schema = None if u.type == "R" else "dbo"
                    yield (
                        u.name, u.id, u.sid, u.type, u.fixed, u.owner, u.authentication, schema,
                    )  # fmt: skip
        elif view == "database_role_members":
            yield from ((r, m) for m, r in database.members if all_seen or m in mine)
        elif view == "database_permissions":
            for p in database.permissions:
                if all_seen or p.grantee in mine:
                    yield p.class_, p.major, p.minor, p.grantee, p.grantor, p.code, p.name, p.state
        elif view == "schemas":
            yield from ((name, *numbers) for name, numbers in database.schemas.items())
        elif view in ("objects", "all_objects"):
            for t in database.things.values():
                if (t.id > 0 or view == "all_objects") and (all_seen or t.id < 0):
                    yield t.name, t.id, t.owner, t.schema, t.type, t.id < 0
        else:
            yield from _details(database, view)

    # Functions

    def _add_functions(self) -> None:
        add = self.function
        add("SERVERPROPERTY", self._property)
        add("SUSER_SNAME", self._login_name, "nvarchar")
        add("DB_NAME", lambda: self.session.database, "nvarchar")
        add("HAS_PERMS_BY_NAME", self._has_permission, "int")
        add("HAS_DBACCESS", self._has_access, "int")
        add("LOGINPROPERTY", self._login_property)
        add(
            "PWDCOMPARE", lambda clear, hash_: None if hash_ is None else int(clear == hash_), "int"
        )
        add("QUOTENAME", lambda name: "[" + name.replace("]", "]]") + "]", "nvarchar")
        add("MINUTES_EAST", lambda: self.server.minutes_east, "int")

    def _property(self, name: str) -> Any:
        return {
            "ProductVersion": f"{self.server.major}.0.4123.1",
            "Edition": self.server.edition,
            "EngineEdition": self.server.engine_edition,
            "IsIntegratedSecurityOnly": int(self.server.windows_only),
            "MachineName": self.server.machine,
        }.get(name)

    def _login_name(self, sid: bytes | None = None, *more: Any) -> str | None:
        if sid is None:
            return self.session.login
        return next((n for n, login in self.server.logins.items() if login.sid == sid), None)

    def _my_permissions(self) -> Iterator[Row]:
        held = filter(self.checker.on_server, SERVER_PERMISSIONS)
        return ((name,) for name in held)

    def _has_access(self, name: str) -> int | None:
        database = self._database(name)
        return None if database is None else int(self.checker.can_enter(database))

    def _has_permission(self, securable: str | None, class_: str | None, name: str) -> int | None:
        """None where the securable, the class or the permission is not known, or not seen."""
        if class_ is None:
            return int(self.checker.on_server(name))
        parts = [part.replace("]]", "]") for part in BRACKETED.findall(securable or "")]
        database = self._database(parts[0])
        if database is None or not self.checker.can_enter(database):
            return None if database is None else 0
        if class_ == "SCHEMA":
            return int(self.checker.on_schema(database, parts[1], name))
        if class_ == "OBJECT":
            thing = database.things.get((parts[1], parts[2]))
            return None if thing is None else int(self.checker.on_object(database, thing, name))
        return int(self.checker.on_database(database, name)) if class_ == "DATABASE" else None

    def _login_property(self, name: str, property_: str) -> Any:
        login = self.server.logins.get(name)
        if login is None or login.type != "S":
            return None
        seen = self.checker.on_server("VIEW ANY DEFINITION") or self._sees_login(login)
        return {
            "IsLocked": int(login.locked_out),
            "IsExpired": int(login.expired),
            "IsMustChange": int(login.must_change),
            "PasswordLastSetTime": login.password_set,
        }.get(property_) if seen else None  # fmt: skip

    def rewritten(self, tree: exp.Expression) -> exp.Expression:
        """DATEDIFF between the two clocks is the time zone."""
        for node in list(tree.find_all(exp.DateDiff)):
            node.replace(exp.Anonymous(this="MINUTES_EAST", expressions=[]))
        for user in list(tree.find_all(exp.CurrentUser)):  # what sqlglot makes of SUSER_SNAME
            given = [user.this] if user.this else []
            user.replace(exp.Anonymous(this="SUSER_SNAME", expressions=given))
        return tree


def _database(each: DatabaseCatalog) -> Row:
    return (
        each.name, each.id, each.owner_sid, STATES[each.state], each.state, each.access,
        each.trustworthy, each.chaining, each.containment, "Latin1_General_CI_AS", "FULL",
    )  # fmt: skip


def _files(database: DatabaseCatalog) -> tuple[Row, ...]:
    """One file for data, one for the log; what a database comes with may grow for ever."""
    growth = 0 if database.max_pages == 0 else 128
    return (
        (1, 0, database.data_pages, database.max_pages, growth),
        (2, 1, database.log_pages, 268435456, 128),
    )


def _details(database: DatabaseCatalog, view: str) -> Iterator[Row]:
    things = list(database.things.values())
    if view == "all_columns":
        for t in things:
            yield from ((t.id, name, at) for at, name in enumerate(t.columns, 1))
    elif view == "sql_modules":
        yield from ((t.id, t.execute_as) for t in things if t.type in ("P", "FN", "TF", "IF", "V"))
    elif view == "assemblies":
        yield from ((name, owner, at, level) for at, name, owner, level in database.assemblies)
    elif view == "database_files":
        yield from _files(database)
    elif view == "dm_db_file_space_usage":
        yield 1, database.free_pages
    elif view == "dm_db_partition_stats":
        for t in things:
            if t.type == "U" and t.id > 0:
                yield t.id, 1, t.data_pages, t.rows
                yield t.id, 2, t.index_pages, t.rows


class SqlServerBackend:
    """Logs in against the catalog and answers for each session by its own replica."""

    def __init__(self, server: SqlServerCatalog) -> None:
        self.server = server
        self.refusals: dict[str, SqlError] = {}

    @property
    def major(self) -> int:
        return self.server.major

    def log_in(self, login: requests.Login) -> Session:
        name = login.username
        if name in self.refusals:
            raise self.refusals[name]
        known = self.server.logins.get(name)
        failed = f"Login failed for user '{name}'."
        if known is None or known.type != "S":
            raise SqlError(18456, failed, state=5)
        if known.locked_out:
            raise SqlError(
                18486,
                f"Login failed for user '{name}' because the account is currently locked out. "
                "The system administrator can unlock it.",
            )
        if known.password != login.password:
            raise SqlError(18456, failed, state=8)
        if known.disabled:
            raise SqlError(
                18470, f"Login failed for user '{name}'. Reason: The account is disabled."
            )
        if known.must_change:
            raise SqlError(
                18488,
                f"Login failed for user '{name}'.  Reason: The password of the account must be "
                "changed.",
            )
        if known.expired:
            raise SqlError(
                18487,
                f"Login failed for user '{name}'.  Reason: The password of the account has "
                "expired.",
            )
        if self.server.windows_only:
            raise SqlError(18452, f"Login failed for user '{name}'. Reason: Not associated with a "
                           "trusted SQL Server connection.", state=1)  # fmt: skip
        if not Checker(self.server, name).on_server("CONNECT SQL"):
            raise SqlError(18456, failed, state=12)
        return self._in_database(name, login.database)

    def _in_database(self, name: str, asked: str) -> Session:
        wanted = asked or "master"
        found = {d.name.lower(): d for d in self.server.databases.values()}.get(wanted.lower())
        if found is None or not Checker(self.server, name).can_enter(found):
            message = f'Cannot open database "{wanted}" requested by the login. The login failed.'
            raise SqlError(4060, message, 11)
        return Session(name, found.name)

    def answer(
        self, session: Session, sql: str, parameters: Mapping[str, Any]
    ) -> Iterator[Result | None]:
        if self._switches(session, sql):
            yield None
            return
        replica = SqlServerReplica(self.server, session)
        for tree in replica.statements(sql):
            if isinstance(tree, exp.Set | exp.Command | exp.Use):
                yield None
                continue
            try:
                found = replica.run_one(tree, parameters)
            except NoSuchTable as exc:
                raise SqlError(208, f"Invalid object name '{exc}'.", 16) from exc
            yield _typed(found)

    def _switches(self, session: Session, sql: str) -> bool:
        """EXECUTE AS LOGIN and REVERT, which sqlglot does not read; each in a batch of its own."""
        original = session.settings.setdefault("login", session.login)
        if REVERT.search(sql):
            session.login = original
            return True
        found = EXECUTE_AS.search(sql)
        if found is None:
            return False
        name = found[1].replace("''", "'")
        known = name in self.server.logins and self.server.logins[name].type in "SU"
        if not known or not Checker(self.server, session.login).may_impersonate(name):
            raise SqlError(
                15406,
                "Cannot execute as the server principal because the principal "
                f'"{name}" does not exist, this type of principal cannot be impersonated, or you '
                "do not have permission.",
                16,
            )
        session.login = name
        return True


def _typed(found: Result) -> Result:
    """Dates go out as dates: SQLite keeps them as text."""
    for type_, values in zip(found.types, zip(*found.rows, strict=True), strict=False):
        if type_ in ("datetime", "datetime2"):
            for value in values:
                assert value is None or datetime.fromisoformat(value)
    return found
