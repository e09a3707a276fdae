"""What the collector's own login may do, read from SHOW GRANTS. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from whalefall.engines.mysql.names import TABLE_PRIVILEGES

ON_EVERYTHING = re.compile(r"^GRANT (?P<privileges>.+?) ON \*\.\* TO ")

SEES_TABLES = frozenset(TABLE_PRIVILEGES)
"""Any of these on *.* makes all tables visible in information_schema, each by itself enough."""


def global_privileges(lines: Iterable[str]) -> frozenset[str]:
    """The privileges on *.* in the lines of SHOW GRANTS, `ALL PRIVILEGES` as it stands."""
    found: set[str] = set()
    for line in lines:
        match = ON_EVERYTHING.match(line)
        if match:
            found.update(name.strip().upper() for name in match["privileges"].split(","))
    return frozenset(found)


def may(held: frozenset[str], *wanted: str) -> bool:
    """Whether one of `wanted` is among the privileges held."""
    return "ALL PRIVILEGES" in held or not held.isdisjoint(wanted)
