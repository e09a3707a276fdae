"""A made-up observation of many accounts: what a big MySQL would show."""

from __future__ import annotations

from collections.abc import Iterator

from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
    Section,
)
from whalefall.engines.sharing import Sharing

ROLES = 200
SECTIONS = ("accounts", "memberships", "global", "database", "table", "column", "routine", "proxy")
OF_ACCOUNTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def observation(size: int, roles: int = ROLES) -> Observation:
    """`size` accounts in nested roles, five grants each, four of them their own."""
    found = Observation("mysql", version="8.4.0", main_version="8.4")
    found.sections = {name: Section(name) for name in SECTIONS}
    sharing = Sharing()  # as `Server.observe` does
    for account in sharing.accounts(_accounts(size, roles)):
        found.accounts[account.username] = account
    found.memberships.extend(sharing.memberships(_memberships(size, roles)))
    found.add_grants(sharing.grants(_grants(size, roles)))
    return found


def _role(number: int) -> str:
    return f"role_{number}@%"


def _account(number: int) -> str:
    return f"app_{number}@10.0.%"


def _accounts(size: int, roles: int) -> Iterator[ObservedAccount]:
    for number in range(roles):
        yield ObservedAccount(_role(number), Kind.ROLE, can_login=False)
    for number in range(size):
        attributes = {"plugin": "caching_sha2_password", "max_connections": 0, "ssl_type": ""}
        yield ObservedAccount(_account(number), attributes=attributes)


def _memberships(size: int, roles: int) -> Iterator[ObservedMembership]:
    for number in range(20, roles):
        yield ObservedMembership(_role(number), _role(number // 10))
    for number in range(size):
        yield ObservedMembership(_account(number), _role(number % roles))


def _grants(size: int, roles: int) -> Iterator[ObservedGrant]:
    for number in range(roles):
        yield ObservedGrant(
            _role(number), "SELECT", Scope.TABLE, "shop", None, f"t{number}", section="table"
        )
    for number in range(size):
        for privilege in OF_ACCOUNTS:
            database = f"db_{number % 50}"
            yield ObservedGrant(
                _account(number), privilege, Scope.DATABASE, database, section="database"
            )
