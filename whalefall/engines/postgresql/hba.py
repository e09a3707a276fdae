"""pg_hba.conf: kept as text in the settings, and asked which line lets a role in.

The first line that matches a connection decides, so a line counts for a role only as far as no
earlier line takes its connections away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from whalefall.engines.postgresql.names import quoted


@dataclass(frozen=True, slots=True)
class Line:
    """One line of pg_hba.conf. `address` is as written there, with the netmask behind a slash."""

    kind: str
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str
    method: str

    @property
    def is_remote(self) -> bool:
        """Over TCP, from elsewhere than the machine itself."""
        return self.kind != "local" and not self.address.startswith(("127.", "::1", "samehost"))

    def __str__(self) -> str:
        words = (self.kind, ",".join(self.databases), ",".join(self.users), self.address)
        return " ".join(word for word in (*words, self.method) if word)

    def names(self, role: str, groups: Collection[str]) -> bool:
        """Whether the line is for `role`, itself or as a member (at any depth) of a `+group`."""
        return any(self._is_for(user, role, groups) for user in self.users)

    def _is_for(self, user: str, role: str, groups: Collection[str]) -> bool:
        if user.startswith("+"):
            return user[1:] == role or user[1:] in groups
        if user.startswith("/"):
            return _matches(user[1:], role)
        return user in ("all", role)

    def covers(self, other: Line) -> bool:
        """Whether every connection of `other` (by the same role) is already taken by this line."""
        same_kind = self.kind == other.kind or (self.kind == "host" and other.kind != "local")
        same_databases = "all" in self.databases or set(other.databases) <= set(self.databases)
        return same_kind and same_databases and _wider(self.address, other.address)


def _wider(address: str, other: str) -> bool:
    return address in ("all", other) or (address == "0.0.0.0/0" and ":" not in other)


def _matches(pattern: str, role: str) -> bool:
    try:
        return re.search(pattern, role) is not None
    except re.error:  # PostgreSQL's expressions know more than Python's
        return False


def remedy(login: str) -> str:
    """What lets a login read pg_hba.conf."""
    name = quoted(login)
    return (
        f"GRANT SELECT ON pg_catalog.pg_hba_file_rules TO {name}; "
        f"GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {name};"
    )


def as_text(found: Iterable[tuple[Any, ...]]) -> str:
    """Rows of `hba.sql` as JSON for the settings; lines with an error are not in force."""
    lines = []
    for kind, databases, users, address, netmask, method, error in found:
        if error is None:
            where = f"{address}/{_bits(netmask)}" if netmask else (address or "")
            lines.append([kind, databases, users, where, method])
    return json.dumps(lines, ensure_ascii=False)


def _bits(netmask: str) -> str:
    """255.255.255.0 as 24."""
    digits, base = (netmask.split("."), 10) if "." in netmask else (netmask.split(":"), 16)
    return str(sum(int(digit or "0", base).bit_count() for digit in digits))


def lines(text: str) -> tuple[Line, ...]:
    """The lines kept in the settings."""
    kept = json.loads(text or "[]")
    return tuple(Line(k, tuple(d), tuple(u), a, m) for k, d, u, a, m in kept)


def lines_for(role: str, groups: Collection[str], all_lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that decide on connections of `role`, those that refuse left out."""
    earlier: list[Line] = []
    for line in all_lines:
        if line.names(role, groups):
            if line.method != "reject" and not any(seen.covers(line) for seen in earlier):
                yield line
            earlier.append(line)
