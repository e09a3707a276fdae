"""What lists leave out by default: the product's own accounts and databases. Read all the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import yaml

from whalefall.engines import DB_TYPES, engine


@dataclass(frozen=True, slots=True)
class Hidden:
    """Shell patterns on names."""

    accounts: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()


@cache
def hidden() -> dict[str, Hidden]:
    """What is hidden, by db_type, from each engine's `hidden.yaml`."""
    found = {}
    for db_type in DB_TYPES:
        try:
            path = engine(db_type).folder / "hidden.yaml"
        except LookupError:  # known, but not part of this version
            continue
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[db_type] = Hidden(tuple(names["accounts"]), tuple(names["databases"]))
    return found


def like(pattern: str) -> str:
    """The LIKE pattern (escape character backslash) of a shell pattern with `*` and `?`."""
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%").replace("?", "_")
