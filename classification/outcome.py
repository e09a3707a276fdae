"""What an auto-classify run says about itself."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class RuleResult:
    """What became of one rule. `asked`: of which accounts (all, changed, some, none): `some` are
    those that changed, and those about whom no assignment tells what the rule says. `matched` and
    `unknown` count among those; `error` says why a rule that failed did.
    """

    rule_id: int
    name: str
    db_type: str
    classification: str
    asked: str = "none"
    matched: int = 0
    added: int = 0
    removed: int = 0
    unknown: int = 0
    error: str = ""


@dataclass(slots=True)
class Outcome:
    """What a run did. `accounts` in scope, `changed` of them since they were last classified;
    `added`, `removed`, `updated` assignments.
    """

    batch_id: uuid.UUID
    accounts: int
    changed: int
    rules: list[RuleResult] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    updated: int = 0

    @property
    def failed(self) -> list[RuleResult]:
        return [rule for rule in self.rules if rule.error]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"batch_id": str(self.batch_id), "failed": len(self.failed)}
