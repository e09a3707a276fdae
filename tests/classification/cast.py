"""The cast of these tests: instances, accounts with tokens, classifications with rules."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import AccountPermission, InstanceAccount
from classification.dsl.nodes import Expression
from classification.dsl.parser import parse
from classification.models import AccountClassification, ClassificationRule
from whalefall.instances.models import Instance

_ports = itertools.count(20000)


def instance(name: str = "orders-db", db_type: str = "mysql") -> Instance:
    return Instance.objects.create(
        name=name, db_type=db_type, host=f"{name}.internal", port=next(_ports)
    )


def account(
    on: Instance, username: str, *tokens: str, kind: str = "user", **columns: Any
) -> AccountPermission:
    """An account whose facts are these tokens (engine and kind come by themselves)."""
    now = timezone.now()
    known = InstanceAccount.objects.create(
        instance=on,
        db_type=on.db_type,
        username=username,
        kind=kind,
        first_seen_at=now,
        last_seen_at=now,
    )
    words = [f"db_type:{on.db_type}", f"kind:{kind}", *tokens]
    columns = {"is_locked": False, "can_login": True, **columns}
    return AccountPermission.objects.create(
        account=known,
        instance=on,
        db_type=on.db_type,
        permission_snapshot={"version": 4},
        permission_facts={"version": 2},
        fact_tokens=words,
        facts_fingerprint=fingerprint(words),
        snapshot_fingerprint=fingerprint(words),
        last_sync_time=now,
        last_change_time=now,
        **columns,
    )


def retoken(permission: AccountPermission, *tokens: str, at: datetime | None = None) -> None:
    """What a sync does when an account's facts have changed."""
    words = [*permission.fact_tokens[:2], *tokens]
    permission.fact_tokens, permission.facts_fingerprint = words, fingerprint(words)
    permission.last_change_time = at or timezone.now()
    permission.save()


def fingerprint(words: list[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def classification(name: str = "super_admin", **fields: Any) -> AccountClassification:
    return AccountClassification.objects.create(name=name, display_name=name.title(), **fields)


def call(fn: str, **args: Any) -> dict[str, Any]:
    return {"fn": fn, "args": args}


def text(expr: dict[str, Any]) -> str:
    return json.dumps({"version": 4, "expr": expr})


def rule(
    name: str, gives: AccountClassification, expr: dict[str, Any], db_type: str = "mysql"
) -> ClassificationRule:
    return ClassificationRule.objects.create(
        rule_name=name, classification=gives, rule_expression=text(expr), db_type=db_type
    )


def parsed(expr: dict[str, Any], db_type: str = "mysql") -> Expression:
    return parse(text(expr), db_type)
