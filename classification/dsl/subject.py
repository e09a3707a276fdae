"""One account as the predicates see it, and what they need to know beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.utils import timezone

from accounts.models import AccountPermission
from whalefall.engines.base import Rules


@dataclass(frozen=True, slots=True)
class Context:
    """The engine's rules and the moment of the question: the same for a whole run."""

    rules: Rules
    now: datetime = field(default_factory=timezone.now)


@dataclass(frozen=True, slots=True)
class Subject:
    """Tokens, typed columns and facts of one account. None: the server did not tell."""

    db_type: str
    username: str
    tokens: frozenset[str]
    is_locked: bool | None = False
    can_login: bool | None = True
    valid_until: datetime | None = None
    password_changed_at: datetime | None = None
    last_login_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, permission: AccountPermission) -> Self:
        return cls(
            db_type=permission.db_type,
            username=permission.account.username,
            tokens=frozenset(permission.fact_tokens),
            is_locked=permission.is_locked,
            can_login=permission.can_login,
            valid_until=permission.valid_until,
            password_changed_at=permission.password_changed_at,
            last_login_at=permission.last_login_at,
            facts=permission.permission_facts,
        )
