"""What Oracle says: SESSION_PRIVS and SESSION_ROLES of the login that asks; and of the others what
the server itself makes of the role graph, by one recursive statement over the DBA_ views.

To hear SESSION_PRIVS about another user, ask as that user (`verify_engine --as`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from whalefall.engines.errors import PermissionDenied
from whalefall.engines.observed import Kind, Observation, Scope
from whalefall.engines.oracle.names import PUBLIC, ROOT
from whalefall.engines.testimony import Answer, Entry, Listing, Testimony, Unasked

Rows = Callable[[str], Iterator[tuple[Any, ...]]]
SYSTEM = (Scope.SYSTEM,)


def testify(
    rows: Rows, login: str, is_root: bool, observation: Observation, accounts: Sequence[str]
) -> Iterator[Testimony]:
    if login in observation.accounts:
        yield from _of_session(rows, login, is_root)
    others = [name for name in accounts if observation.accounts[name].kind is Kind.USER]
    if is_root:
        yield Unasked("", "connected to the root: only the login itself was asked about")
        return
    try:
        yield from _of_others(rows, others)
    except PermissionDenied as exc:
        yield Unasked("", exc.args[0], "Ask with the collector, or as a user with these views.")


def _of_session(rows: Rows, login: str, is_root: bool) -> Iterator[Testimony]:
    """What is active now; what PUBLIC has is in it."""
    held = frozenset(name for (name,) in rows("said_privileges"))
    roles = frozenset(name for (name,) in rows("said_roles"))
    if is_root:
        yield from (
            Answer(login, True, "SESSION_PRIVS", name, Scope.SYSTEM, (ROOT,), publics=(PUBLIC,))
            for name in sorted(held)
        )
        return
    entries: frozenset[Entry] = frozenset((Scope.SYSTEM, name, ()) for name in held)
    yield Listing(login, "SESSION_PRIVS", SYSTEM, entries, publics=(PUBLIC,))
    yield Listing(login, "SESSION_ROLES", (), frozenset(), roles, publics=(PUBLIC,))


def _of_others(rows: Rows, names: Sequence[str]) -> Iterator[Testimony]:
    entries: dict[str, set[Entry]] = defaultdict(set)
    roles: dict[str, set[str]] = defaultdict(set)
    for user, what, name in rows("said_of_others"):
        if what == "role":
            roles[user].add(name)
        else:
            entries[user].add((Scope.SYSTEM, name, ()))
    for name in names:
        yield Listing(
            name, "DBA_ROLE_PRIVS, DBA_SYS_PRIVS", SYSTEM, frozenset(entries[name]),
            frozenset(roles[name]), reach=True,
        )  # fmt: skip
