"""Equal texts of one observation become one object: drivers make a new one for each row, which at
100,000 accounts is a third of the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from whalefall.engines.observed import ObservedAccount, ObservedGrant, ObservedMembership

Value = TypeVar("Value", ObservedAccount, ObservedGrant, ObservedMembership)

# Texts, or sets of attributes, remembered at a time: what hardly repeats is not worth more.
MOST = 10_000

OF_GRANT = ("privilege", "database", "schema", "object_type")
OF_MEMBERSHIP = ("database",)


class Sharing:
    """For one reading of a server: accounts first, then what speaks of them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._attributes: dict[str, Mapping[str, Any]] = {}

    def accounts(self, accounts: Iterable[ObservedAccount]) -> Iterator[ObservedAccount]:
        for account in accounts:
            self._names[account.username] = account.username
            if len(self._attributes) > MOST:
                self._attributes.clear()
            same = self._attributes.setdefault(repr(account.attributes), account.attributes)
            _put(account, "attributes", same)
            yield account

    def memberships(
        self, memberships: Iterable[ObservedMembership]
    ) -> Iterator[ObservedMembership]:
        for membership in memberships:
            self._share_names(membership, "member", "role", "grantor")
            self._share(membership, OF_MEMBERSHIP)
            yield membership

    def grants(self, grants: Iterable[ObservedGrant]) -> Iterator[ObservedGrant]:
        before: ObservedGrant | None = None
        for grant in grants:
            self._share_names(grant, "grantee", "grantor")
            self._share(grant, OF_GRANT)
            # Of objects there may be as many as grants, but those on one stand together.
            if before is not None and grant.object == before.object:
                _put(grant, "object", before.object)
            yield grant
            before = grant

    def _share_names(self, value: Value, *fields: str) -> None:
        for field in fields:
            text = getattr(value, field)
            _put(value, field, self._names.get(text, text))

    def _share(self, value: Value, fields: Iterable[str]) -> None:
        if len(self._texts) > MOST:
            self._texts.clear()
        for field in fields:
            text = getattr(value, field)
            if text is not None:
                _put(value, field, self._texts.setdefault(text, text))


def _put(value: Value, field: str, equal: Any) -> None:
    """In the place of an equal one: nobody can tell, so it may be done to a frozen value."""
    object.__setattr__(value, field, equal)
