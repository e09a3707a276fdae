"""SQL kept in files: one question, one file, pasteable into a client.

A line may end in a pragma comment that says for which server versions it stands:
`-- pragma: >= 80000`, `-- pragma: < 160000`, several joined by commas. Version numbers are
integers, as each engine counts them. The others are left out.
"""

from __future__ import annotations

import operator
import re
from functools import cache
from pathlib import Path

PRAGMA = re.compile(r"\s*--\s*pragma:\s*(?P<conditions>.+?)\s*$")
CONDITION = re.compile(r"(?P<op>>=|<=|<|>|==)\s*(?P<version>\d+)$")
OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


@cache
def load(path: Path, version: int = 0) -> str:
    """The statement in `path` for a server of `version`. Raises ValueError on a pragma that is
    none.
    """
    kept = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        pragma = PRAGMA.search(line)
        if pragma is None:
            kept.append(line)
        elif _holds(pragma["conditions"], version, f"{path.name}:{number}"):
            kept.append(line[: pragma.start()])
    return "\n".join(kept).strip().rstrip(";")


def _holds(conditions: str, version: int, where: str) -> bool:
    for condition in conditions.split(","):
        match = CONDITION.match(condition.strip())
        if match is None:
            raise ValueError(
                f"{where}: unknown pragma {condition.strip()!r}: expected e.g. >= 80000"
            )
        if not OPERATORS[match["op"]](version, int(match["version"])):
            return False
    return True
