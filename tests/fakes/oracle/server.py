"""An Oracle database: a dictionary per container behind the wire."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from tests.fakes.oracle.dictionary import Dictionary
from tests.fakes.oracle.predefined import install
from tests.fakes.oracle.views import VIEWS, columns_at
from tests.fakes.replica import NoSuchTable, Replica
from tests.fakes.tns.messages import OracleError, Result
from tests.fakes.tns.server import FakeNet
from tests.fakes.tns.session import Session
from tests.fakes.tns.values import Type
from whalefall.engines.base import Target

ROOT, SEED = "CDB$ROOT", "PDB$SEED"
TYPES = {
    "varchar2": Type.VARCHAR,
    "number": Type.NUMBER,
    "date": Type.DATE,
    "timestamp": Type.TIMESTAMP,
}
TABLE = re.compile(r"\bsys\.([\w$]+)", re.IGNORECASE)
TEXTS = re.compile(r"'[^']*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
BIND = re.compile(r":(\w+)")
OF_SESSION = {"session_privs": "PRIVILEGE", "session_roles": "ROLE"}
"""Views that everybody may read, about himself; with their one column."""
MISSING = "table or view does not exist"


class OracleReplica(Replica):
    """What one service shows: the views of its container, from the root those of all."""

    dialect = "oracle"

    def __init__(self, server: FakeOracle, container: Dictionary) -> None:
        super().__init__()
        self.server, self.container = server, container
        self.function("SYS_CONTEXT", self.context, "varchar2")
        self.function("SYS_EXTRACT_UTC", lambda time: time, "timestamp", 1)
        self.table("DUAL", {"DUMMY": "varchar2"}, [("X",)])
        version = {"VERSION": "varchar2", "VERSION_FULL": "varchar2", "PRODUCT": "varchar2"}
        kept = list(version)[: 3 if server.number >= 180000 else None]
        row = (server.net.full_version, server.full_version, "Oracle Database 19c Enterprise")
        self.table("PRODUCT_COMPONENT_VERSION", {name: version[name] for name in kept}, [row])
        self._fill()
        for view, column in OF_SESSION.items():
            self.table(view.upper(), {column: "varchar2"})
        self.session: Session | None = None

    def know(self, session: Session) -> None:
        """Whose statement comes next."""
        if session is not self.session:
            self.session = session
            container, user = self.container, session.user
            roles = container.active_roles(user) | container.active_roles("PUBLIC")
            holders = {user, "PUBLIC", *roles}
            rights = {key[1] for key in container.system_grants if key[0] in holders}
            for view, found in (("SESSION_PRIVS", rights), ("SESSION_ROLES", roles)):
                self.clear(view)
                self.fill(view, [(name,) for name in sorted(found)])

    def context(self, namespace: str, name: str) -> str | None:
        known = {
            "SESSION_USER": self.session.user if self.session else None,
            "DB_NAME": "ORCL",
            "CON_NAME": self.container.name,
            "NETWORK_PROTOCOL": "tcps" if self.session and self.session.uses_tls else "tcp",
            "DATABASE_ROLE": "PRIMARY",
        }
        return known[name]

    def rewritten(self, tree: exp.Expression) -> exp.Expression:
        """The one use of the server's clock, its offset from UTC; and columns whose names SQLite
        takes for words of its own.
        """

        def reworded(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.ToChar):
                return exp.Literal.string(self.server.offset)
            if isinstance(node, exp.Column) and node.table:
                node.this.set("quoted", True)
            return node

        return tree.transform(reworded)

    def _fill(self) -> None:
        version = self.server.number
        for name, (columns, rows) in VIEWS.items():
            places = columns_at(columns, version)
            if not places or (name == "DBA_JAVA_POLICY" and not self.container.has_java):
                continue
            types = {column: kind for column, (_, kind) in places.items()}
            chosen = [at for at, _ in places.values()]
            self.table(name, types, _cut(rows(self.container), chosen))
            if self.container.name == ROOT and name.startswith("DBA_"):
                everywhere = [
                    (*row, container.con_id)
                    for container in self.server.shown_in_root()
                    for row in _cut(rows(container), chosen)
                ]
                self.table(f"CDB_{name[4:]}", {**types, "CON_ID": "number"}, everywhere)
        if self.container.name == ROOT:
            seed = (2, SEED, "NORMAL")
            known = [(d.con_id, d.name, "NORMAL") for d in self.server.pluggable]
            of_pdbs = {"PDB_ID": "number", "PDB_NAME": "varchar2", "STATUS": "varchar2"}
            self.table("DBA_PDBS", of_pdbs, [seed, *known])
            modes = [(d.con_id, d.name, d.open_mode) for d in self.server.visible()]
            of_containers = {"CON_ID": "number", "NAME": "varchar2", "OPEN_MODE": "varchar2"}
            self.table("V_$CONTAINERS", of_containers, [(2, SEED, "READ ONLY"), *modes])


def _cut(rows: Iterable[tuple[Any, ...]], places: Sequence[int]) -> list[tuple[Any, ...]]:
    return [tuple(row[at] for at in places) for row in rows]


class FakeOracle:
    """One database of `version`; with `pluggable` names a container database.

    `run(...)` changes the dictionary of a container (the only one, the root, or the one named);
    `everywhere=True` is CONTAINER=ALL. `hidden_containers`: outside the login's CONTAINER_DATA.
    """

    def __init__(
        self,
        version: str = "19.21.0.0.0",
        pluggable: Sequence[str] = (),
        certificates: Path | None = None,
        services: Sequence[str] = ("orclpdb",),
    ) -> None:
        self.full_version = version
        major, minor = (*map(int, version.split(".")), 0)[:2]
        self.number = major * 10000 + (minor * 100 if major < 18 else 0)
        self.offset = "+00:00"
        self.hidden_containers: set[str] = set()
        is_cdb = bool(pluggable)
        self.main = Dictionary(ROOT, 1) if is_cdb else Dictionary(services[0].upper())
        self.pluggable = [Dictionary(name, at) for at, name in enumerate(pluggable, 3)]
        self.containers = {each.name: each for each in (self.main, *self.pluggable)}
        for container in self.containers.values():
            install(container, common=self.number >= 120100)
        services = ["orcl", *(name.lower() for name in pluggable)] if is_cdb else list(services)
        base = version if major < 18 else f"{major}.0.0.0.0"
        self.net = FakeNet(self._answer, {}, services, base, certificates)
        self.net.admit = self._admit  # type: ignore[method-assign, assignment]
        self.net.password = self._password  # type: ignore[method-assign, assignment]
        self._replicas: dict[str, OracleReplica] = {}
        self._lock = threading.Lock()

    def run(self, *statements: str, container: str = "", everywhere: bool = False) -> None:
        self._replicas.clear()
        places = [self.containers[container]] if container else [self.main]
        if everywhere:
            places = list(self.containers.values())
        for place in places:
            place.run(*statements, everywhere=everywhere)

    def script(self, text: str, container: str = "") -> None:
        """A script as it is pasted into SQL*Plus: comments and statements ended by semicolons."""
        lines = (line.split("--")[0] for line in text.splitlines())
        self.run(*filter(None, map(str.strip, "\n".join(lines).split(";"))), container=container)

    def changed(self) -> Dictionary:
        """The dictionary itself, to be changed by hand."""
        self._replicas.clear()
        return self.main

    def target(self, username: str = "system", password: str = "x", **changes: Any) -> Target:
        database = changes.pop("database", self.net.services[0])
        tls = "require" if self.net.certificates else "off"
        options = {"tls_mode": tls, "connect_timeout": 3, "statement_timeout": 10, **changes}
        return Target(self.net.host, self.net.port, username, password, database, **options)

    def visible(self) -> list[Dictionary]:
        return [
            each for each in self.containers.values() if each.name not in self.hidden_containers
        ]

    def shown_in_root(self) -> list[Dictionary]:
        """CDB_ views show the open containers that the login may see, without a word on others."""
        return [each for each in self.visible() if each.open_mode.startswith("READ")]

    def __enter__(self) -> FakeOracle:
        self.net.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.net.__exit__(*exc)

    # Behind the wire

    def _at(self, service: str) -> Dictionary:
        return self.containers.get(service.upper(), self.main)

    def _user(self, name: str) -> Any:
        plain = name.strip('"') if name.startswith('"') else name.upper()
        for container in self.containers.values():
            if plain in container.users:
                return container.users[plain]
        return None

    def _password(self, name: str) -> str | None:
        user = self._user(name)
        return user.password if user and user.authentication == "PASSWORD" else None

    def _admit(self, name: str) -> None:
        user = self._user(name)
        if "LOCKED" in user.status:
            raise OracleError(28000, "The account is locked.")
        if user.status == "EXPIRED":
            raise OracleError(28001, "the password has expired")
        if not any(each.may_log_in(user.name) for each in self.containers.values()):
            raise OracleError(
                1045, f"user {user.name} lacks CREATE SESSION privilege; logon denied"
            )

    def _answer(self, session: Session, sql: str, binds: Sequence[Any]) -> Result:
        if sql.upper().startswith("SET TRANSACTION"):
            return Result((), ())
        place = self._at(session.service)
        for view in TABLE.findall(sql):
            if view.lower() not in OF_SESSION and not place.may_select(session.user, view):
                raise OracleError(942, MISSING, sql.lower().find(view.lower()))
        with self._lock:
            if place.name not in self._replicas:
                self._replicas[place.name] = OracleReplica(self, place)
            replica = self._replicas[place.name]
            replica.know(session)
            names = BIND.findall(TEXTS.sub("", sql))  # the driver sends a value for each place
            try:
                found = replica.run_one(
                    replica.statements(sql)[0], dict(zip(names, binds, strict=True))
                )
            except NoSuchTable as exc:
                raise OracleError(942, MISSING) from exc
        return _result(found.columns, found.types, found.rows)


def _result(
    columns: Sequence[str], names: Sequence[str | None], rows: Sequence[Sequence[Any]]
) -> Result:
    types = [TYPES.get(name or "") for name in names]
    temporal = [at for at, kind in enumerate(types) if kind in (Type.DATE, Type.TIMESTAMP)]
    if temporal:
        rows = [_with_times(row, temporal) for row in rows]
    return Result([name.upper() for name in columns], rows, types)


def _with_times(row: Sequence[Any], temporal: Sequence[int]) -> list[Any]:
    values = list(row)
    for at in temporal:
        if values[at] is not None:
            values[at] = datetime.fromisoformat(values[at])
    return values
