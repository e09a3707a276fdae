"""Names and values as PostgreSQL can keep them: no NUL, no half of a character, no name too long.

Servers let such names in where they are read byte by byte; they must not stop a collection. Pure.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from accounts.snapshot import canonical
from whalefall.engines.observed import Observation

UNFIT = re.compile("[\x00\ud800-\udfff]")
LONGEST_NAME = 400


def text(value: str) -> str:
    """NUL as its picture, halves of characters as question marks in a box."""
    if not UNFIT.search(value):
        return value
    return UNFIT.sub(lambda found: "\u2400" if found[0] == "\x00" else "\ufffd", value)


def json_text(value: Any) -> str:
    """Canonical JSON that a jsonb column takes."""
    written = canonical(value)
    if "\\u0000" in written or UNFIT.search(written):
        return canonical(_cleaned(value))
    return written


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def observation(found: Observation) -> Observation:
    """The same with account names that can be stored; two of them never become one."""
    names = _names(found.accounts)
    if not names:
        return found
    clean = dataclasses.replace(
        found,
        accounts={
            names.get(name, name): dataclasses.replace(account, username=names.get(name, name))
            for name, account in found.accounts.items()
        },
        memberships=[
            dataclasses.replace(
                edge,
                member=names.get(edge.member, edge.member),
                role=names.get(edge.role, edge.role),
            )
            for edge in found.memberships
        ],
        grants=defaultdict(list),
    )
    for grantee, grants in found.grants.items():
        name = names.get(grantee, grantee)
        clean.grants[name] = [dataclasses.replace(grant, grantee=name) for grant in grants]
    return clean


def _names(accounts: Iterable[str]) -> dict[str, str]:
    """Observed name -> stored name, for those that differ."""
    taken = {name for name in accounts if name == _short(text(name))}
    found = {}
    for name in accounts:
        stored = _short(text(name))
        if stored == name:
            continue
        if stored in taken:
            stored = _short(f"{stored}#{_digest(name)}")
        taken.add(stored)
        found[name] = stored
    return found


def _short(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 65]}#{_digest(name)}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
