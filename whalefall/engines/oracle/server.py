"""An open Oracle database: which statements are sent, and how each section ends.

16 statements for accounts and privileges (17 on 23ai), whatever the number of users; one more from
the root, and one where Java's permissions are denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from whalefall.engines.base import Server, Target
from whalefall.engines.errors import EngineError, PermissionDenied, UnsupportedVersion
from whalefall.engines.observed import (
    MissingPrivilege,
    Observation,
    ObservedAccount,
    ObservedDatabase,
    ObservedGrant,
    ObservedMembership,
    ObservedTable,
    Probe,
    Section,
    SectionStatus,
)
from whalefall.engines.oracle import capacity, testimony
from whalefall.engines.oracle.accounts import (
    ROOT_ID,
    AccountReader,
    Names,
    Profiles,
    offset_of,
    public_account,
)
from whalefall.engines.oracle.connection import Connection
from whalefall.engines.oracle.grants import LOCAL_USERS, GrantReader, MembershipReader, RowReader
from whalefall.engines.oracle.names import OLDEST, ROOT, main_version, quoted, version_number
from whalefall.engines.queries import load
from whalefall.engines.testimony import Testimony

SQL = Path(__file__).parent / "sql"
SEED = "PDB$SEED"
OPEN = ("READ WRITE", "READ ONLY")
ALIAS = re.compile(r"/\*(\w\.)\*/0 AS con_id")
ONLY_IN_ROOT = re.compile(r"/\*cdb (.*?)\*/")
VIEW = re.compile(r"\bsys\.((?:dba_|cdb_|v_\$)\w+)")

PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "accounts": (("accounts",), ("users", "roles")),
    "settings": (("settings",), ("settings",)),
    "profiles": (("profiles",), ("profiles",)),
    "default_passwords": (("default_passwords",), ("default_passwords",)),
    "memberships": (("memberships",), ("memberships",)),
    "system": (("system",), ("system",)),
    "schema": (("schema",), ("schema",)),
    "objects": (("table", "routine", "sequence", "other"), ("objects",)),
    "columns": (("column",), ("columns",)),
    "quotas": (("tablespace",), ("quotas",)),
    "password_file": (("password_file",), ("password_file",)),
    "proxies": (("proxy",), ("proxies",)),
    "links": (("links",), ("links",)),
    "java": (("java",), ("java",)),
    "databases": (("databases",), ("tablespaces",)),
    "sizes": (("sizes",), ("files",)),
    "free": (("free",), ("free",)),
    "table_sizes": (("table_sizes",), ("tables",)),
}
"""Part -> the sections that it is read for, and its statements."""
SCHEMA_PRIVILEGES_SINCE = 230000


class OracleServer(Server):
    """A pluggable database, a database without containers, or the root with all of its own."""

    db_type = "oracle"

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target)
        self.connection = connection
        self.number = 0
        self.login = ""
        self.container = ""
        self.uses_tls = False
        self.names = Names()
        self.unread: dict[str, str] = {}
        self._maintained: set[str] = set()
        self._users: list[tuple[str, str, str | None]] = []
        self._delegates: list[ObservedGrant] = []

    @property
    def statements(self) -> int:
        return self.connection.statements

    @statements.setter
    def statements(self, value: int) -> None:
        """Counted by the connection."""

    @property
    def is_root(self) -> bool:
        return self.container == ROOT

    def open(self) -> None:
        """One read-only snapshot from here on; then version, place and clock. Raises
        UnsupportedVersion.
        """
        self.number = version_number(self.connection.version)
        if self.number < OLDEST:
            raise UnsupportedVersion(
                f"Oracle {self.connection.version} is too old.",
                "11.2 is the oldest that can be read.",
            )
        self.main_version = main_version(self.number)
        self.connection.execute(self.sql("read_only"))
        ((login, database, container, protocol, role, offset, version),) = self.connection.rows(
            self.sql("server")
        )
        self.login, self.container = login, container or database or ""
        self.version = version or self.connection.version
        self.uses_tls = (protocol or "").lower() == "tcps"
        self.offset = offset_of(offset)
        self.settings = {"container": self.container, "database_role": role or ""}

    def sql(self, name: str) -> str:
        """A statement for this version; in the root, over all containers."""
        text = load(SQL / f"{name}.sql", self.number)
        if not self.is_root or name == "containers":
            return text
        text = ALIAS.sub(r"\1con_id AS con_id", text).replace("--cdb ", " ")
        return ONLY_IN_ROOT.sub(r"\1", text).replace("sys.dba_", "sys.cdb_")

    def rows(self, name: str, **binds: Any) -> Iterator[tuple[Any, ...]]:
        return self.connection.rows(self.sql(name), **binds)

    def grants_for(self, statements: tuple[str, ...]) -> str:
        """The GRANTs that make these statements readable."""
        views = sorted({view for name in statements for view in VIEW.findall(self.sql(name))})
        return " ".join(f"GRANT SELECT ON sys.{view} TO {quoted(self.login)};" for view in views)

    # Connection test

    def probe(self) -> Probe:
        """Tries every view that is read; says for each what mends it."""
        return Probe(
            version=self.version,
            main_version=self.main_version,
            vendor="Oracle",
            login=self.login,
            tls=self.uses_tls,
            missing=tuple(self._missing()),
        )

    def _missing(self) -> Iterator[MissingPrivilege]:
        wanted: dict[str, list[str]] = {}
        for part, (sections, statements) in PARTS.items():
            for name in statements if part in self.parts() else ():
                for view in VIEW.findall(self.sql(name)):
                    wanted.setdefault(view, []).extend(sections)
        for view, suffering in wanted.items():
            try:
                self.connection.execute(f"SELECT 1 FROM sys.{view} WHERE 1 = 0")  # noqa: S608
            except PermissionDenied:
                if view.endswith("java_policy") and not self._has_java():
                    continue
                remedy = f"GRANT SELECT ON sys.{view} TO {quoted(self.login)};"
                yield MissingPrivilege(
                    f"SELECT on sys.{view}", tuple(dict.fromkeys(suffering)), remedy
                )

    def parts(self) -> tuple[str, ...]:
        """What there is to read in this version."""
        has_schema_grants = self.number >= SCHEMA_PRIVILEGES_SINCE
        return tuple(part for part in PARTS if part != "schema" or has_schema_grants)

    def _has_java(self) -> bool:
        """Whether Java is installed, or may be for all that this login can tell."""
        try:
            return bool(list(self.rows("java_installed")))
        except PermissionDenied:
            return True

    # Accounts

    def observe_accounts(self) -> Iterator[ObservedAccount]:
        """PUBLIC, users, roles. Raises EngineError when a list cannot be read; a container that
        cannot be read is named in the section `database_accounts`.
        """
        self._read_containers()
        with self.reading("settings"):
            self.settings |= {name.lower(): value or "" for name, value in self.rows("settings")}
        profiles = Profiles()
        with self.reading("profiles"):
            profiles = Profiles(self.rows("profiles"))
        known: frozenset[tuple[int, str]] | None = None
        with self.reading("default_passwords"):
            known = frozenset((con_id, name) for con_id, name in self.rows("default_passwords"))
        read = AccountReader(self.names, profiles, known, self.offset)
        yield public_account()
        with self.reading("accounts"):
            for row in self.rows("users"):
                if account := read.user(row):
                    is_common = row[1] in self.names.common
                    place = self.names.container(row[0], "YES" if is_common else "NO")
                    self._users.append((account.username, row[1], place))
                    yield self._noted(account)
            for row in self.rows("roles"):
                if account := read.role(row):
                    yield self._noted(account)
        accounts = self.sections["accounts"]
        if not accounts.is_complete:
            raise EngineError(f"The users cannot be read: {accounts.message}", accounts.remedy)

    def _noted(self, account: ObservedAccount) -> ObservedAccount:
        if account.attributes.get("oracle_maintained"):
            self._maintained.add(account.username)
        return account

    def _read_containers(self) -> None:
        """From the root: which pluggable databases there are. One that cannot be seen or is closed
        shows no users, without an error: that must not pass for "has none".
        """
        if self.is_root:
            self.unread = dict(self._containers())
            self.sections[LOCAL_USERS] = self._in_containers(Section(LOCAL_USERS))

    def _in_containers(self, section: Section) -> Section:
        """The section as it stands where some containers cannot be read."""
        if not self.unread or not section.is_complete:
            return section
        closed = any("not open" in reason for reason in self.unread.values())
        login = quoted(self.login)
        return replace(
            section,
            status=SectionStatus.FAILED if closed else SectionStatus.DENIED,
            message="; ".join(f"{name}: {why}" for name, why in sorted(self.unread.items())),
            remedy=f"Open the containers, or ALTER USER {login} SET CONTAINER_DATA = ALL "
            "CONTAINER = CURRENT;",
            databases=self.unread,
        )

    def _containers(self) -> Iterator[tuple[str, str]]:
        """Learn the containers' names; yields those that cannot be read, with the reason."""
        found = [row for row in self.rows("containers") if row[1] != SEED]
        self.names.containers = {int(con_id): name for con_id, name, _mode in found}
        for _con_id, name, mode in found:
            if mode is None:
                yield name, "this login does not see the container"
            elif mode not in OPEN:
                yield name, f"the container is not open ({mode})"

    # Memberships and grants

    def observe_memberships(self) -> Iterator[ObservedMembership]:
        read = MembershipReader(self.names)
        with self.reading("memberships"):
            for row in self.rows("memberships"):
                yield from read(row)
        self._delegates = read.delegates

    def observe_grants(self) -> Iterator[ObservedGrant]:
        read = GrantReader(self.names, frozenset(self._maintained))
        readers: dict[str, RowReader] = {
            "system": read.system,
            "schema": read.schema,
            "objects": read.object,
            "columns": read.column,
            "quotas": read.quota,
            "password_file": read.password_file,
            "proxies": read.proxy,
            "links": read.link,
            "java": read.java,
        }
        for user in self._users:
            yield read.ownership(*user)
        yield from self._delegates
        for name, reader in readers.items():
            with self.reading(name):
                for row in self.rows(name) if name in self.parts() else ():
                    yield from reader(row)
        java = self.sections["java"]
        if java.status is SectionStatus.DENIED and not self._has_java():
            self.sections["java"] = self._in_containers(Section("java"))  # nothing to read

    @contextmanager
    def reading(self, part: str) -> Iterator[None]:
        """The sections that a part is read for end alike, with the GRANTs that mend them."""
        sections, statements = PARTS[part]
        first = sections[0]
        with self.section(first):
            yield
        ended = self.sections[first]
        if ended.status is SectionStatus.DENIED:
            ended = replace(ended, remedy=self.grants_for(statements))
        if part not in ("accounts", "settings", "password_file"):
            ended = self._in_containers(ended)
        self.sections |= {name: replace(ended, name=name) for name in sections}

    # Sizes

    def observe_databases(self) -> Iterator[ObservedDatabase]:
        """Tablespaces: they are what fills up. From the root `CONTAINER/TABLESPACE`. Sections:
        `databases` (the names), `sizes` (their files), `free` (without it `free_bytes` is None).
        """
        self._know_containers()
        sizes = capacity.Sizes(self.names)
        with self.reading("sizes"):
            sizes.files = capacity.files(self.rows("files"))
        with self.reading("free"):
            sizes.free = capacity.free(self.rows("free"))
        ended = self.sections["sizes"]
        unseen = "" if ended.is_complete or ended.databases else ended.message
        with self.reading("databases"):
            for row in self.rows("tablespaces"):
                yield sizes.tablespace(row, unseen)

    def _know_containers(self) -> None:
        if self.is_root and self.names.containers is None:
            self.unread = dict(self._containers())

    def observe_tables(self, database: str) -> Iterator[ObservedTable]:
        """The tables with a segment in this tablespace."""
        container, _, tablespace = database.rpartition("/")
        binds: dict[str, Any] = {"tablespace": tablespace}
        self._know_containers()
        if self.names.containers is not None:
            ids = {name: con_id for con_id, name in self.names.containers.items()}
            binds["con_id"] = ids.get(container, ROOT_ID)
        with self.reading("table_sizes"):
            for row in self.rows("tables", **binds):
                yield capacity.table(database, row)

    def reads_as(self) -> str:
        """Connected to the root it is a common user, whose name bears no container."""
        return self.login

    # The server's own words

    def testify(
        self, observation: Observation, accounts: Sequence[str], objects: int = 50
    ) -> Iterator[Testimony]:
        """`objects` does not matter: system privileges and roles are compared."""
        yield from testimony.testify(self.rows, self.login, self.is_root, observation, accounts)
