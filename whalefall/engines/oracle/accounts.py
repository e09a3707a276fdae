"""Rows of the users' and roles' views as accounts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from whalefall.engines.observed import Kind, ObservedAccount
from whalefall.engines.oracle.names import EVERYWHERE, PUBLIC, ROOT, qualified

ROOT_ID = 1
DEFAULT = "DEFAULT"
LIMITS = (
    "FAILED_LOGIN_ATTEMPTS",
    "INACTIVE_ACCOUNT_TIME",
    "PASSWORD_GRACE_TIME",
    "PASSWORD_LIFE_TIME",
    "PASSWORD_LOCK_TIME",
    "PASSWORD_REUSE_MAX",
    "PASSWORD_REUSE_TIME",
    "PASSWORD_ROLLOVER_TIME",
    "PASSWORD_VERIFY_FUNCTION",
    "SESSIONS_PER_USER",
)
"""The limits of a profile that rules ask about; times are in days."""

MAINTAINED_BEFORE_12 = frozenset({
    "ANONYMOUS", "APEX_PUBLIC_USER", "APPQOSSYS", "CTXSYS", "DBSNMP", "DIP", "EXFSYS",
    "FLOWS_FILES", "LBACSYS", "MDDATA", "MDSYS", "MGMT_VIEW", "OLAPSYS", "ORACLE_OCM",
    "ORDDATA", "ORDPLUGINS", "ORDSYS", "OUTLN", "OWBSYS", "OWBSYS_AUDIT", "SI_INFORMTN_SCHEMA",
    "SPATIAL_CSW_ADMIN_USR", "SPATIAL_WFS_ADMIN_USR", "SYS", "SYSMAN", "SYSTEM", "WMSYS", "XDB",
    "XS$NULL", "ADM_PARALLEL_EXECUTE_TASK", "AQ_ADMINISTRATOR_ROLE", "AQ_USER_ROLE",
    "AUTHENTICATEDUSER", "CAPI_USER_ROLE", "CONNECT", "CSW_USR_ROLE", "CTXAPP", "CWM_USER",
    "DATAPUMP_EXP_FULL_DATABASE", "DATAPUMP_IMP_FULL_DATABASE", "DBA", "DBFS_ROLE",
    "DELETE_CATALOG_ROLE", "EJBCLIENT", "EXECUTE_CATALOG_ROLE", "EXP_FULL_DATABASE",
    "GATHER_SYSTEM_STATISTICS", "GLOBAL_AQ_USER_ROLE", "HS_ADMIN_EXECUTE_ROLE", "HS_ADMIN_ROLE",
    "HS_ADMIN_SELECT_ROLE", "IMP_FULL_DATABASE", "JAVADEBUGPRIV", "JAVAIDPRIV", "JAVASYSPRIV",
    "JAVAUSERPRIV", "JAVA_ADMIN", "JAVA_DEPLOY", "JMXSERVER", "LBAC_DBA",
    "LOGSTDBY_ADMINISTRATOR", "MGMT_USER", "OEM_ADVISOR", "OEM_MONITOR", "OLAPI_TRACE_USER",
    "OLAP_DBA", "OLAP_USER", "OLAP_XS_ADMIN", "ORDADMIN", "RECOVERY_CATALOG_OWNER", "RESOURCE",
    "SCHEDULER_ADMIN", "SELECT_CATALOG_ROLE", "SPATIAL_CSW_ADMIN", "SPATIAL_WFS_ADMIN",
    "WFS_USR_ROLE", "WM_ADMIN_ROLE", "XDBADMIN", "XDB_SET_INVOKER", "XDB_WEBSERVICES",
    "XDB_WEBSERVICES_OVER_HTTP", "XDB_WEBSERVICES_WITH_PUBLIC",
})  # fmt: skip
"""What came with 11.2, whose views do not say so."""


@dataclass(slots=True)
class Names:
    """Whose name is whose: read from the root, common names stand as they are, local ones with
    their container. `containers`: id -> name of the pluggable databases; None elsewhere.
    """

    containers: Mapping[int, str] | None = None
    common: set[str] = field(default_factory=lambda: {PUBLIC})
    _known: dict[tuple[int, str], str] = field(default_factory=dict)

    def container(self, con_id: int, common: str | None = "NO") -> str | None:
        """The container that a row is about, or all of them; None where there is only one."""
        if self.containers is None:
            return None
        return EVERYWHERE if common == "YES" else self.containers.get(int(con_id), ROOT)

    def learn(self, con_id: int, name: str) -> bool:
        """Take a name of the root's down; whether the row is to count."""
        if self.containers is None or con_id <= ROOT_ID:
            self.common.add(name)
            return True
        return name not in self.common

    def of(self, con_id: int, name: str) -> str:
        """The account's name on the instance; equal ones are one string."""
        key = (con_id, name)
        if key not in self._known:
            self._known[key] = qualified(name, self.local_to(con_id, name))
        return self._known[key]

    def local_to(self, con_id: int, name: str) -> str | None:
        """The container that a local name belongs to; None for common ones, and elsewhere."""
        is_common = self.containers is None or name in self.common
        return None if is_common else self.container(con_id)


class Profiles:
    """The limits of profiles, with DEFAULT looked up in the profile of that name."""

    def __init__(self, rows: Iterable[tuple[Any, ...]] = ()) -> None:
        self._limits: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
        for con_id, profile, resource, limit in rows:
            if resource in LIMITS:
                self._limits[con_id, profile][resource] = limit
        self._resolved: dict[tuple[int, str], Mapping[str, str]] = {}

    def limits(self, con_id: int, profile: str) -> Mapping[str, str]:
        """Name -> limit as the server writes it (`10`, `UNLIMITED`, a function's name, `NULL`).
        Empty where the profile could not be read.
        """
        key = (con_id, profile)
        if key not in self._resolved:
            base = self._limits.get((con_id, DEFAULT), {})
            own = self._limits.get(key, {})
            self._resolved[key] = {
                name: base.get(name, limit) if limit == DEFAULT else limit
                for name, limit in sorted(own.items())
            }
        return self._resolved[key]


class AccountReader:
    """Turns rows into accounts. Equal attributes are shared: 100,000 users have a few dozen."""

    def __init__(
        self,
        names: Names,
        profiles: Profiles,
        default_passwords: frozenset[tuple[int, str]] | None,
        offset: timedelta,
    ) -> None:
        self.names = names
        self.profiles = profiles
        self.default_passwords = default_passwords
        self.offset = offset
        self._shared: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def user(self, row: tuple[Any, ...]) -> ObservedAccount | None:
        """A row of `users.sql`; None for a common user's row in a pluggable database."""
        con_id, name, status, locked_at, expires, created, profile, *rest = row
        authentication, tablespace, versions, common, maintained, last_login, changed = rest
        if not self.names.learn(con_id, name):
            return None
        known = self.default_passwords
        has_default = None if known is None else (con_id, name) in known
        key = (con_id, status, profile, authentication, tablespace, versions, common, maintained,
               has_default, maintained is None and name in MAINTAINED_BEFORE_12,
               self.names.local_to(con_id, name))  # fmt: skip
        if key not in self._shared:
            self._shared[key] = MappingProxyType(self._attributes(*key))
        return ObservedAccount(
            username=self.names.of(con_id, name),
            kind=Kind.USER,
            # A schema without any way to prove oneself is there to own objects only.
            can_login=authentication != "NONE",
            is_locked="LOCKED" in status,
            valid_until=self._utc(expires),
            password_changed_at=self._utc(changed),
            last_login_at=last_login.replace(tzinfo=UTC) if last_login else None,
            attributes=self._shared[key],
            details=self._details(locked_at, created),
        )

    def role(self, row: tuple[Any, ...]) -> ObservedAccount | None:
        """A row of `roles.sql`."""
        con_id, name, authentication, common, maintained = row
        if not self.names.learn(con_id, name):
            return None
        attributes: dict[str, Any] = {"authentication": authentication or "NONE"}
        attributes["oracle_maintained"] = _maintained(
            maintained, maintained is None and name in MAINTAINED_BEFORE_12
        )
        if common is not None:
            attributes["common"] = common == "YES"
        if local_to := self.names.local_to(con_id, name):
            attributes["database"] = local_to
        return ObservedAccount(
            self.names.of(con_id, name), Kind.ROLE, can_login=False, attributes=attributes
        )

    def _attributes(
        self,
        con_id: int,
        status: str,
        profile: str,
        authentication: str | None,
        tablespace: str | None,
        versions: str | None,
        common: str | None,
        maintained: str | None,
        has_default: bool | None,
        known_maintained: bool,
        local_to: str | None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = {
            "status": status,
            "password_expired": "EXPIRED" in status and "GRACE" not in status,
            "profile": profile,
            "authentication": authentication,
            "default_tablespace": tablespace,
            "password_versions": (versions or "").split(),
            "oracle_maintained": _maintained(maintained, known_maintained),
            "default_password": has_default,
            "limits": dict(self.profiles.limits(con_id, profile)),
        }
        if common is not None:
            found["common"] = common == "YES"
        if local_to is not None:
            found["database"] = local_to
        return found

    def _details(self, locked_at: datetime | None, created: datetime | None) -> dict[str, Any]:
        times = {"locked_at": self._utc(locked_at), "created_at": self._utc(created)}
        return {name: time.isoformat() for name, time in times.items() if time}

    def _utc(self, time: datetime | None) -> datetime | None:
        """A DATE of the dictionary is in the time of the server's machine. Its offset now is taken
        for all: across a change to summer time a date may be one hour off.
        """
        return (time - self.offset).replace(tzinfo=UTC) if time else None


def _maintained(flag: str | None, known: bool) -> bool:
    return known if flag is None else flag == "Y"


def public_account() -> ObservedAccount:
    return ObservedAccount(PUBLIC, Kind.PUBLIC, can_login=False)


def offset_of(text: str | None) -> timedelta:
    """`+05:30` as a time difference."""
    sign = -1 if (text or "").startswith("-") else 1
    hours, _, minutes = (text or "").lstrip("+-").partition(":")
    return sign * timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
