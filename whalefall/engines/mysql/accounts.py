"""Rows of mysql.user (MySQL, MariaDB 10.3) and mysql.global_priv (MariaDB 10.4+) as accounts. Pure.

A password's verifier is looked at for its *kind* only, and for whether another account has the very
same one; neither it nor anything computed from it leaves this module.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from whalefall.engines.mysql.names import account_name, from_bits, from_columns, role_name
from whalefall.engines.observed import Kind, ObservedAccount

PUBLIC = "PUBLIC"
"""The account of kind `public`: MariaDB's role of that name. MySQL has none, but has rights that
everybody gets (the anonymous rows of mysql.db, mandatory_roles): they stand on it as well.
"""

NATIVE = re.compile(r"\*[0-9A-F]{40}", re.IGNORECASE)
OLD = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
UNUSABLE = "INVALIDSALTANDPASSWORD"

PLUGIN_KINDS = {
    "mysql_old_password": "old",
    "sha256_password": "sha256",
    "caching_sha2_password": "caching_sha2",
    "ed25519": "ed25519",
    "parsec": "parsec",
    "auth_socket": "socket",
    "unix_socket": "socket",
    "auth_pam": "pam",
    "auth_pam_compat": "pam",
    "authentication_pam": "pam",
    "pam": "pam",
    "authentication_ldap_simple": "ldap",
    "authentication_ldap_sasl": "ldap",
    "authentication_kerberos": "kerberos",
    "gssapi": "kerberos",
    "authentication_windows": "windows",
    "named_pipe": "windows",
    "authentication_fido": "webauthn",
    "authentication_webauthn": "webauthn",
    "authentication_openid_connect": "openid",
    "AWSAuthenticationPlugin": "iam",
    "mysql_no_login": "none",
}
STORED_HERE = {"native", "old", "sha256", "caching_sha2", "ed25519", "parsec"}
"""Kinds whose verifier stands in the grant tables: an empty one lets anybody in."""

UNSALTED = {"native", "old"}

TLS = {"": "none", "ANY": "any", "X509": "x509", "SPECIFIED": "specified"}
MARIADB_TLS = ("none", "any", "x509", "specified")
LIMITS = ("max_questions", "max_updates", "max_connections", "max_user_connections")
LIMITS_WITHOUT_SIGN = 2**32


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One principal as read: the account, its global privileges, partial revokes per database."""

    account: ObservedAccount
    privileges: tuple[str, ...] = ()
    restrictions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    verifiers: tuple[str, ...] = ()


class AccountReader:
    """Turns rows into accounts. One per run: equal attributes are shared between the accounts, and
    the key under which verifiers are compared dies with it.
    """

    def __init__(self, version: int, mariadb: bool, settings: Mapping[str, str]) -> None:
        self.version = version
        self.mariadb = mariadb
        self.default_lifetime = _number(settings.get("default_password_lifetime"))
        self._key = secrets.token_bytes(32)
        self._shared: dict[tuple[tuple[str, Any], ...], Mapping[str, Any]] = {}

    def read(self, row: Mapping[str, Any], granted_roles: frozenset[str]) -> AccountRow:
        """`granted_roles`: names that were granted to somebody (they tell a role of MySQL 8)."""
        if "Priv" in row:
            return self._from_json(row, json.loads(row["Priv"]))
        return self._from_user(row, granted_roles)

    def with_shared_passwords(self, rows: Iterable[AccountRow]) -> Iterator[AccountRow]:
        """The rows again, those marked whose unsalted verifier stands in another one as well."""
        kept = list(rows)
        seen = Counter(digest for row in kept for digest in row.verifiers)
        for row in kept:
            if any(seen[digest] > 1 for digest in row.verifiers):
                attributes = {**row.account.attributes, "password_shared": True}
                account = replace(row.account, attributes=self._share(attributes))
                row = replace(row, account=account)
            yield replace(row, verifiers=())

    def _from_json(self, row: Mapping[str, Any], priv: dict[str, Any]) -> AccountRow:
        is_role = bool(priv.get("is_role"))
        changed = priv.get("password_last_changed")
        ways = [{**priv, **way} for way in priv.get("auth_or", ())] or [priv]
        # In auth_or an empty object stands for the plugin that is named beside it.
        pairs = [(way.get("plugin", ""), way.get("authentication_string", "")) for way in ways]
        attributes = {
            **self._login(pairs, is_role),
            "tls": MARIADB_TLS[min(int(priv.get("ssl_type", 0)), 3)],
            "password_expired": changed == 0 and not is_role,
            **self._lifetime(priv.get("password_lifetime", -1)),
            **{name: priv[name] for name in LIMITS if _number(priv.get(name))},
        }
        if priv.get("max_statement_time"):
            attributes["max_statement_time"] = float(priv["max_statement_time"])
        privileges = from_bits(
            int(priv.get("access", 0)), int(priv.get("version_id", 0)), self.version
        )
        locked = bool(priv.get("account_locked"))
        when = datetime.fromtimestamp(changed, UTC) if changed else None
        return self._row(row, is_role, locked, when, attributes, pairs, privileges)

    def _from_user(self, row: Mapping[str, Any], granted_roles: frozenset[str]) -> AccountRow:
        more = json.loads(row.get("User_attributes") or "{}")
        verifier = row.get("authentication_string") or row.get("Password") or ""
        pairs = [(row.get("plugin") or "", verifier)]
        locked = row.get("account_locked") == "Y"
        is_role = row.get("is_role") == "Y" or self._is_mysql_role(row, verifier, granted_roles)
        attributes = {
            **self._login(pairs, is_role),
            "tls": TLS.get(row.get("ssl_type", ""), "any"),
            "password_expired": row.get("password_expired") == "Y" and not is_role,
            **self._lifetime(row.get("password_lifetime")),
            **_policy(row, more),
            **{name: row[name] for name in LIMITS if _number(row.get(name))},
        }
        if _number(row.get("max_statement_time")):
            attributes["max_statement_time"] = float(row["max_statement_time"])
        changed = row.get("password_last_changed")
        when = changed.replace(tzinfo=UTC) if changed else None
        privileges = from_columns(row, self.version, self.mariadb)
        read = self._row(row, is_role, locked, when, attributes, pairs, privileges)
        return replace(read, restrictions=_restrictions(more))

    def _is_mysql_role(
        self, row: Mapping[str, Any], verifier: str, granted_roles: frozenset[str]
    ) -> bool:
        """In MySQL 8 a role is an account like others. CREATE ROLE makes one that is locked,
        expired and without password; where the expiry was mended, its being granted tells.
        """
        if self.mariadb or self.version < 80000 or row.get("account_locked") != "Y" or verifier:
            return False
        granted = account_name(row["User"], row["Host"]) in granted_roles
        return granted or row.get("password_expired") == "Y"

    def _login(self, pairs: list[tuple[str, str]], is_role: bool) -> dict[str, Any]:
        if is_role:
            return {"plugin": "", "password": "none"}
        plugins = [plugin or "mysql_native_password" for plugin, _ in pairs]
        kinds = [password_kind(plugin, verifier) for plugin, verifier in pairs]
        return {"plugin": " or ".join(plugins), "password": " or ".join(dict.fromkeys(kinds))}

    def _lifetime(self, days: Any) -> dict[str, Any]:
        """`password_lifetime`: days, 0 for never, None where the server's default counts."""
        number = None if days is None or int(days) < 0 else int(days)
        return {"password_lifetime": number}

    def _row(
        self,
        row: Mapping[str, Any],
        is_role: bool,
        locked: bool,
        changed: datetime | None,
        attributes: dict[str, Any],
        pairs: list[tuple[str, str]],
        privileges: tuple[str, ...],
    ) -> AccountRow:
        user, host = row["User"], row["Host"]
        kind = Kind.ROLE if is_role else Kind.USER
        if self.mariadb and is_role:
            name = role_name(user)
            kind = Kind.PUBLIC if user == PUBLIC else Kind.ROLE
        else:
            name = account_name(user, host)
        account = ObservedAccount(
            username=name,
            kind=kind,
            can_login=not is_role,
            is_locked=locked and not is_role,
            valid_until=None if is_role else self._valid_until(changed, attributes),
            password_changed_at=None if is_role else changed,
            attributes=self._share(attributes),
            details={"user": user, "host": host},
        )
        return AccountRow(account, privileges, verifiers=() if is_role else self._digests(pairs))

    def _valid_until(
        self, changed: datetime | None, attributes: Mapping[str, Any]
    ) -> datetime | None:
        days = attributes["password_lifetime"]
        if days is None:
            days = self.default_lifetime
        if not days or changed is None or attributes["password"] not in STORED_HERE:
            return None
        return changed + timedelta(days=days)

    def _digests(self, pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        return tuple(
            hmac.new(self._key, verifier.upper().encode(), hashlib.sha256).hexdigest()
            for plugin, verifier in pairs
            if password_kind(plugin, verifier) in UNSALTED
        )

    def _share(self, attributes: dict[str, Any]) -> Mapping[str, Any]:
        """100,000 accounts have a few dozen different sets of attributes."""
        key = tuple(sorted(attributes.items()))
        return self._shared.setdefault(key, MappingProxyType(attributes))


def password_kind(plugin: str, verifier: str) -> str:
    """What sort of proof an account asks for: `empty`, `native`, `old`, `sha256`, `caching_sha2`,
    `ed25519`, `parsec`, `socket`, `pam`, `ldap`, `kerberos`, `windows`, `webauthn`, `openid`,
    `iam`, `external` (another plugin), `none` (no login), `unusable` (no password matches it).
    """
    if plugin in ("", "mysql_native_password"):
        return _native_kind(verifier)
    kind = PLUGIN_KINDS.get(plugin, "external")
    if kind in STORED_HERE and not verifier:
        return "empty"
    return "unusable" if UNUSABLE in verifier else kind


def _native_kind(verifier: str) -> str:
    if not verifier:
        return "empty"
    if NATIVE.fullmatch(verifier):
        return "native"
    return "old" if OLD.fullmatch(verifier) else "unusable"


def public_account() -> ObservedAccount:
    """The stand-in for everybody, where the server has no PUBLIC of its own."""
    return ObservedAccount(username=PUBLIC, kind=Kind.PUBLIC, can_login=False, is_locked=False)


def _policy(row: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What MySQL 8 keeps about an account's passwords, only where it is set."""
    locking = more.get("Password_locking", {})
    found = {
        "password_history": row.get("Password_reuse_history"),
        "password_reuse_days": row.get("Password_reuse_time"),
        "password_require_current": row.get("Password_require_current"),
        "failed_login_attempts": locking.get("failed_login_attempts"),
        "password_lock_days": locking.get("password_lock_time_days"),
        "second_password": True if "additional_password" in more else None,
        "more_factors": len(more.get("multi_factor_authentication", ())) or None,
    }
    return {name: value for name, value in found.items() if value not in (None, 0)}


def _restrictions(more: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return {entry["Database"]: tuple(entry["Privileges"]) for entry in more.get("Restrictions", ())}


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0
