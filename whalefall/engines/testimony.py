"""What a server itself says about an account: the other side of `manage.py verify_engine`.

Facts come from catalogs and our rules; these come from the server's own functions and statements,
asked only to compare. Nothing of it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from whalefall.engines.observed import Scope

Entry = tuple[Scope, str, tuple[str, ...]]
"""Scope, privilege, and the names of what it is on, as in `ObservedGrant.parts`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the server says that `account` has `privilege` on `parts`, or is in `role`.

    `said_by`: its function or view. `publics`: the accounts for everybody whose rights are in the
    answer as well. `reach`: what an explicit step (SET ROLE) gives counts, too. `owners`: whether
    owning the thing is enough for a yes.
    """

    account: str
    holds: bool
    said_by: str
    privilege: str = ""
    scope: Scope = Scope.GLOBAL
    parts: tuple[str, ...] = ()
    role: str = ""
    publics: tuple[str, ...] = ()
    reach: bool = False
    owners: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """All that the server says of `account` in these scopes: what is not listed it has not.

    `granted`: only what was granted to the account itself, as it stands in the catalog, is in it;
    else everything that takes effect. `roles`: the roles, None where they were not asked for.
    `without`: privileges of ours that such a list never names.
    """

    account: str
    said_by: str
    scopes: tuple[Scope, ...]
    entries: frozenset[Entry]
    roles: frozenset[str] | None = None
    granted: bool = False
    without: tuple[str, ...] = ()
    publics: tuple[str, ...] = ()
    reach: bool = False


@dataclass(frozen=True, slots=True)
class Unasked:
    """What could not be asked: an account, a database, or all of them (""), and what mends it."""

    subject: str
    reason: str
    remedy: str = ""


Testimony = Answer | Listing | Unasked
