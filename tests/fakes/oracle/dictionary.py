"""One container's users, roles, grants and objects, as statements of DDL leave them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

CREATED = "2025-03-04 05:06:07"
CHANGED = "2025-04-05 06:07:08"
EXPIRES = "2027-01-02 03:04:05"
NAME = r'(?:"[^"]+"|[\w$#]+)'
WORDS = re.compile(r'"[^"]*"|\'[^\']*\'|[\w$#@.]+|[^\s\w]', re.UNICODE)
ADMINISTRATIVE = ("SYSDBA", "SYSOPER", "SYSASM", "SYSBACKUP", "SYSDG", "SYSKM")
PROFILE_DEFAULTS = {
    "SESSIONS_PER_USER": "UNLIMITED",
    "IDLE_TIME": "UNLIMITED",
    "FAILED_LOGIN_ATTEMPTS": "10",
    "PASSWORD_LIFE_TIME": "180",
    "PASSWORD_REUSE_TIME": "UNLIMITED",
    "PASSWORD_REUSE_MAX": "UNLIMITED",
    "PASSWORD_VERIFY_FUNCTION": "NULL",
    "PASSWORD_LOCK_TIME": "1",
    "PASSWORD_GRACE_TIME": "7",
    "INACTIVE_ACCOUNT_TIME": "UNLIMITED",
}


class Rejected(Exception):
    """What the server would answer to such a statement."""


@dataclass(slots=True)
class User:
    """`default_roles`: None for all, else those named; `except_roles` are taken out of all."""

    name: str
    common: bool = False
    maintained: bool = False
    authentication: str = "PASSWORD"
    status: str = "OPEN"
    profile: str = "DEFAULT"
    tablespace: str = "USERS"
    versions: str = "11G 12C"
    locked_at: str | None = None
    expires: str | None = EXPIRES
    last_login: str | None = None
    default_roles: set[str] | None = None
    except_roles: set[str] = field(default_factory=set)
    default_password: bool = False
    password: str = ""


@dataclass(slots=True)
class Role:
    name: str
    common: bool = False
    maintained: bool = False
    authentication: str = "NONE"


@dataclass(slots=True)
class Options:
    """`admin`: WITH ADMIN, GRANT; `hierarchy`, `delegate`."""

    admin: bool = False
    hierarchy: bool = False
    delegate: bool = False
    grantor: str = "SYS"


Key = tuple[Any, ...]


class Dictionary:
    """Run statements, then look at what is there. `con_id`, `name`: which container this is."""

    def __init__(self, name: str = "ORCLPDB", con_id: int = 0) -> None:
        self.name, self.con_id = name, con_id
        self.open_mode = "READ WRITE"
        self.users: dict[str, User] = {}
        self.roles: dict[str, Role] = {}
        self.role_grants: dict[Key, Options] = {}
        self.system_grants: dict[Key, Options] = {}
        self.schema_grants: dict[Key, Options] = {}
        self.object_grants: dict[Key, Options] = {}
        self.column_grants: dict[Key, Options] = {}
        self.objects: dict[tuple[str, str], str] = {}
        self.profiles: dict[str, dict[str, str]] = {"DEFAULT": dict(PROFILE_DEFAULTS)}
        self.quotas: dict[tuple[str, str], int] = {}
        self.proxies: dict[tuple[str, str], str] = {}
        self.links: list[tuple[str, str, str | None]] = []
        self.password_file: dict[str, set[str]] = {}
        self.java: list[tuple[str, str, str, str]] = []
        self.tablespaces: dict[str, dict[str, Any]] = {}
        self.segments: list[tuple[str, str, str, str, int]] = []
        self.indexes: list[tuple[str, str, str, str]] = []
        self.lobs: list[tuple[str, str, str]] = []
        self.row_counts: dict[tuple[str, str], int] = {}
        self.parameters: dict[str, str] = {}
        self.has_java = True
        self.maintained = False
        self.everywhere = False

    def run(self, *statements: str, everywhere: bool = False, maintained: bool = False) -> None:
        """Each statement as Oracle would take it. `everywhere`: CONTAINER=ALL."""
        self.everywhere, self.maintained = everywhere, maintained
        for statement in statements:
            self._run(" ".join(statement.split()).rstrip("; "))
        self.everywhere = self.maintained = False

    def _run(self, text: str) -> None:
        for pattern, act in STATEMENTS:
            found = pattern.fullmatch(text)
            if found:
                act(self, **found.groupdict())
                return
        raise Rejected(f"the dictionary knows no such statement: {text}")

    # Users and roles

    def create_user(self, name: str, clauses: str) -> None:
        user = User(plain(name), common=self.everywhere, maintained=self.maintained)
        self.users[user.name] = user
        self._clauses(user, clauses or "")

    def alter_user(self, name: str, clauses: str) -> None:
        self._clauses(self.users[plain(name)], clauses)

    def _clauses(self, user: User, clauses: str) -> None:
        for pattern, act in CLAUSES:
            for found in re.finditer(pattern, clauses, re.IGNORECASE):
                act(self, user, **found.groupdict())

    def create_role(self, name: str, how: str | None, _: str | None = None) -> None:
        words = (how or "").upper()
        kinds = {"BY": "PASSWORD", "USING": "APPLICATION", "EXTERNALLY": "EXTERNAL",
                 "GLOBALLY": "GLOBAL"}  # fmt: skip
        kind = next((kind for word, kind in kinds.items() if f" {word}" in words), "NONE")
        if "NOT IDENTIFIED" in words:
            kind = "NONE"
        role = Role(plain(name), self.everywhere, self.maintained, kind)
        self.roles[role.name] = role

    def profile(self, name: str, limits: str) -> None:
        """A new profile has DEFAULT for what is not named."""
        known = self.profiles.setdefault(plain(name), dict.fromkeys(PROFILE_DEFAULTS, "DEFAULT"))
        words = limits.split()
        known.update(
            {key.upper(): value for key, value in zip(words[::2], words[1::2], strict=True)}
        )

    # Grants

    def grant(self, rights: str, grantees: str, option: str | None) -> None:
        """System privileges and roles; administrative privileges go to the password file."""
        options = Options(admin="ADMIN" in (option or ""), delegate="DELEGATE" in (option or ""))
        for grantee in names(grantees):
            self._known(grantee)
            for right in names(rights):
                self._grant(grantee, right, options)

    def _grant(self, grantee: str, right: str, options: Options) -> None:
        if right in ADMINISTRATIVE:
            self.password_file.setdefault(grantee, set()).add(right)
        elif right in self.roles:
            _join(self.role_grants, (grantee, right, self.everywhere), options)
        else:
            _join(self.system_grants, (grantee, right.upper(), self.everywhere), options)

    def grant_on(
        self, rights: str, kind: str | None, owner: str | None, name: str, grantees: str,
        option: str | None, by: str | None,
    ) -> None:  # fmt: skip
        words = (option or "").upper()
        grantor = plain(by) if by else plain(owner or "SYS")
        options = Options("GRANT" in words, "HIERARCHY" in words, grantor=grantor)
        place = (plain(owner or "SYS"), plain(name))
        self.objects.setdefault(place, (kind or self._guess(place[1])).strip().upper())
        for grantee in names(grantees):
            self._known(grantee)
            for right, columns in rights_with_columns(rights):
                for column in columns:
                    of_column = (grantee, right, *place, column, grantor, self.everywhere)
                    _join(self.column_grants, of_column, options)
                if not columns:
                    key = (grantee, right, *place, grantor, self.everywhere)
                    _join(self.object_grants, key, options)

    def _guess(self, name: str) -> str:
        is_view = name.startswith(("DBA_", "CDB_", "V_$", "ALL_", "USER_"))
        return "VIEW" if is_view else "TABLE"

    def grant_on_schema(self, rights: str, schema: str, grantees: str, option: str | None) -> None:
        for grantee in names(grantees):
            self._known(grantee)
            for right in names(rights):
                key = (grantee, right.upper(), plain(schema), self.everywhere)
                _join(self.schema_grants, key, Options(admin=bool(option)))

    def revoke(self, rights: str, grantees: str) -> None:
        for grantee in names(grantees):
            for right in names(rights):
                for table in (self.role_grants, self.system_grants):
                    for key in [k for k in table if k[:2] == (grantee, right)]:
                        del table[key]
                self.password_file.get(grantee, set()).discard(right)

    def revoke_on(self, rights: str, owner: str | None, name: str, grantees: str) -> None:
        place = (plain(owner or "SYS"), plain(name))
        for grantee in names(grantees):
            for right in names(rights):
                for key in [k for k in self.object_grants if k[:4] == (grantee, right, *place)]:
                    del self.object_grants[key]

    def _known(self, grantee: str) -> None:
        if grantee not in self.users and grantee not in self.roles and grantee != "PUBLIC":
            raise Rejected(f"ORA-01917: user or role '{grantee}' does not exist")

    def create_object(self, kind: str, owner: str, name: str) -> None:
        self.objects[plain(owner), plain(name)] = kind.upper()

    def create_link(self, public: str | None, name: str, user: str | None) -> None:
        self.links.append(
            ("PUBLIC" if public else "SYS", plain(name), plain(user) if user else None)
        )

    def drop_user(self, name: str) -> None:
        gone = plain(name)
        self.users.pop(gone, None)
        tables = (self.role_grants, self.system_grants, self.schema_grants, self.object_grants,
                  self.column_grants)  # fmt: skip
        for table in tables:
            for key in [key for key in table if key[0] == gone]:
                del table[key]

    # What clauses of CREATE and ALTER USER do

    def _identified(self, user: User, how: str, password: str | None = None) -> None:
        kinds = {"EXTERNALLY": "EXTERNAL", "GLOBALLY": "GLOBAL", "NO": "NONE"}
        user.authentication = next(
            (kind for word, kind in kinds.items() if how.upper().startswith(word)), "PASSWORD"
        )
        user.password = (password or "").strip('"')
        if user.authentication != "PASSWORD":
            user.versions, user.expires = "", None

    def _quota(self, user: User, size: str, tablespace: str) -> None:
        units = {"K": 2**10, "M": 2**20, "G": 2**30}
        number = -1 if size.upper() == "UNLIMITED" else (
            int(size[:-1]) * units[size[-1].upper()] if size[-1].isalpha() else int(size)
        )  # fmt: skip
        self.quotas[user.name, plain(tablespace)] = number

    def _lock(self, user: User, word: str) -> None:
        expired = user.status.startswith("EXPIRED")
        if word.upper() == "LOCK":
            user.status, user.locked_at = ("EXPIRED & LOCKED" if expired else "LOCKED"), CHANGED
        else:
            user.status, user.locked_at = ("EXPIRED" if expired else "OPEN"), None

    def _expire(self, user: User) -> None:
        user.status = "EXPIRED & LOCKED" if "LOCKED" in user.status else "EXPIRED"
        user.expires = CHANGED

    def _default_role(self, user: User, which: str) -> None:
        words = which.strip()
        user.except_roles = set()
        if words.upper() == "NONE":
            user.default_roles = set()
        elif words.upper().startswith("ALL"):
            user.default_roles = None
            user.except_roles = set(names(words[len("ALL EXCEPT") :])) if " " in words else set()
        else:
            user.default_roles = set(names(words))

    def _proxy(self, user: User, proxy: str, roles: str | None) -> None:
        self.proxies[plain(proxy), user.name] = (
            "NO CLIENT ROLES MAY BE ACTIVATED" if roles else "PROXY MAY ACTIVATE ALL CLIENT ROLES"
        )

    # Questions

    def is_default(self, member: str, role: str) -> bool:
        """DEFAULT_ROLE of DBA_ROLE_PRIVS; what is granted to roles reads NO there."""
        user = self.users.get(member)
        if user is None:
            return False
        chosen = user.default_roles is None or role in user.default_roles
        return chosen and role not in user.except_roles

    def active_roles(self, user: str) -> set[str]:
        """The roles that a login of this user starts with."""
        direct = [role for member, role, _ in self.role_grants if member == user]
        waiting = [
            role
            for role in direct
            if self.is_default(user, role) and self.roles[role].authentication == "NONE"
        ]
        found: set[str] = set()
        while waiting:
            role = waiting.pop()
            if role not in found:
                found.add(role)
                waiting += [inner for member, inner, _ in self.role_grants if member == role]
        return found

    def may_select(self, user: str, view: str) -> bool:
        """Whether a login of this user sees a view of SYS."""
        if user == "SYS":
            return True
        holders = {user, "PUBLIC", *self.active_roles(user)}
        if holders & {"DBA", "SELECT_CATALOG_ROLE"}:
            return True
        if any((name, "SELECT ANY DICTIONARY", common) in self.system_grants
               for name in holders for common in (True, False)):  # fmt: skip
            return True
        return any(
            key[0] in holders and key[1] in ("SELECT", "READ") and key[2:4] == ("SYS", view.upper())
            for key in self.object_grants
        )

    def may_log_in(self, user: str) -> bool:
        holders = {user, "PUBLIC", *self.active_roles(user)}
        return any(key[0] in holders and key[1] == "CREATE SESSION" for key in self.system_grants)


def _join(table: dict[Key, Options], key: Key, options: Options) -> None:
    """Granting again adds options and takes none away."""
    known = table.setdefault(key, options)
    known.admin |= options.admin
    known.hierarchy |= options.hierarchy
    known.delegate |= options.delegate


def plain(name: str) -> str:
    """A name as the dictionary keeps it."""
    name = name.strip()
    return name[1:-1] if name.startswith('"') else name.upper()


def names(text: str) -> list[str]:
    """The names of a list; commas inside quotation marks are part of a name."""
    return [plain(name) for name in re.findall(r'(?:"[^"]*"|[^,"])+', text)]


def rights_with_columns(text: str) -> Iterator[tuple[str, list[str]]]:
    """`SELECT, UPDATE (a, b)` as pairs of a right and its columns."""
    for right, columns in re.findall(r"([A-Za-z ]+?)\s*(?:\(([^)]*)\))?\s*(?:,|$)", text):
        yield right.strip().upper(), names(columns) if columns else []


def _statement(text: str) -> re.Pattern[str]:
    text = text.replace("NAME", NAME).replace("NAMES", rf"{NAME}(?:\s*,\s*{NAME})*")
    return re.compile(text, re.IGNORECASE)


STATEMENTS: list[tuple[re.Pattern[str], Callable[..., None]]] = [
    (_statement(r"CREATE USER (?P<name>NAME)(?P<clauses>.*)"), Dictionary.create_user),
    (_statement(r"ALTER USER (?P<name>NAME) (?P<clauses>.*)"), Dictionary.alter_user),
    (_statement(r"DROP USER (?P<name>NAME)(?: CASCADE)?"), Dictionary.drop_user),
    (_statement(r"CREATE ROLE (?P<name>NAME)(?P<how> .*)?"), Dictionary.create_role),
    (
        _statement(r"(?:CREATE|ALTER) PROFILE (?P<name>NAME) LIMIT (?P<limits>.*)"),
        Dictionary.profile,
    ),
    (
        _statement(r"CREATE (?P<public>PUBLIC )?DATABASE LINK (?P<name>NAME)"
                   r"(?: CONNECT TO (?P<user>NAME).*)?"),
        Dictionary.create_link,
    ),
    (
        _statement(r"CREATE (?P<kind>TABLE|VIEW|SEQUENCE|PROCEDURE|FUNCTION|PACKAGE|TYPE|LIBRARY|"
                   r"DIRECTORY|MATERIALIZED VIEW) (?P<owner>NAME)\.(?P<name>NAME)"),
        Dictionary.create_object,
    ),
    (
        _statement(r"GRANT (?P<rights>.+?) ON SCHEMA (?P<schema>NAME) TO (?P<grantees>.+?)"
                   r"(?P<option> WITH ADMIN OPTION)?"),
        Dictionary.grant_on_schema,
    ),
    (
        _statement(
            r"GRANT (?P<rights>.+?) ON (?P<kind>DIRECTORY |USER |EDITION )?"
            r"(?:(?P<owner>NAME)\.)?(?P<name>NAME) TO (?P<grantees>.+?)"
            r"(?P<option>(?: WITH (?:HIERARCHY|GRANT) OPTION)+)?(?: GRANTED BY (?P<by>NAME))?"
        ),
        Dictionary.grant_on,
    ),
    (
        _statement(r"GRANT (?P<rights>.+?) TO (?P<grantees>.+?)"
                   r"(?P<option> WITH (?:ADMIN|DELEGATE) OPTION)?"),
        Dictionary.grant,
    ),
    (
        _statement(r"REVOKE (?P<rights>.+?) ON (?:(?P<owner>NAME)\.)?(?P<name>NAME) "
                   r"FROM (?P<grantees>.+)"),
        Dictionary.revoke_on,
    ),
    (_statement(r"REVOKE (?P<rights>.+?) FROM (?P<grantees>.+)"), Dictionary.revoke),
]  # fmt: skip

CLAUSES: list[tuple[str, Callable[..., None]]] = [
    (
        r'IDENTIFIED (?P<how>BY|EXTERNALLY|GLOBALLY)(?: (?P<password>"[^"]*"|\S+))?',
        Dictionary._identified,
    ),
    (r"(?P<how>NO AUTHENTICATION)", Dictionary._identified),
    (
        rf"DEFAULT TABLESPACE (?P<name>{NAME})",
        lambda self, user, name: setattr(user, "tablespace", plain(name)),
    ),
    (
        rf"QUOTA (?P<size>\w+) ON (?P<tablespace>{NAME})",
        Dictionary._quota,
    ),
    (
        rf"(?<!FAULT )PROFILE (?P<name>{NAME})",
        lambda self, user, name: setattr(user, "profile", plain(name)),
    ),
    (r"PASSWORD EXPIRE", Dictionary._expire),
    (r"ACCOUNT (?P<word>UNLOCK|LOCK)", Dictionary._lock),
    (r"DEFAULT ROLE (?P<which>.+)$", Dictionary._default_role),
    (
        rf"GRANT CONNECT THROUGH (?P<proxy>{NAME})(?P<roles> WITH NO ROLES)?",
        Dictionary._proxy,
    ),
    (
        rf"REVOKE CONNECT THROUGH (?P<proxy>{NAME})",
        lambda self, user, proxy: self.proxies.pop((plain(proxy), user.name), None),
    ),
]
