"""Accounts and rules made up at any size, with the classifications that the accounts must get.

These are found without asking our own language: a rule is a tuple of tokens, an account draws rules
and takes their tokens.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PER_CLASSIFICATION = 5
PER_INSTANCE = 1000
NOISE = 400
BLOCKED = "role:blocked"
MOMENT = "2026-01-01T00:00:00Z"


@dataclass
class Fleet:
    """Draws accounts, and keeps the account of what they must get: matches per rule, and a sum
    over (account, classification) that no wrong pair leaves as it is.
    """

    rules: int
    matches: dict[int, int] = field(default_factory=dict)
    assignments: int = 0
    checksum: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(2026))

    def account(self, number: int) -> tuple[list[str], bool]:
        """The tokens of account `number` and whether it is locked; books what it must get."""
        groups = max(self.rules // PER_CLASSIFICATION, 1)
        dice = self.dice
        tokens = {"db_type:mysql", "kind:user"}
        tokens.update(f"role:noise{dice.randrange(NOISE)}" for _ in range(4))
        is_locked = dice.random() < 0.05
        if dice.random() < 0.05:
            tokens.add(BLOCKED)
        for group in dice.sample(range(groups), min(dice.choice((1, 1, 2, 2, 3, 2)), groups)):
            first = group * PER_CLASSIFICATION
            size = min(PER_CLASSIFICATION, self.rules - first)
            chosen = [
                first + n for n in dice.sample(range(size), min(dice.choice((1, 2, 2, 4)), size))
            ]
            for rule in chosen:
                tokens.update(tokens_of(rule, dice))
            held = [rule for rule in chosen if holds(rule, tokens, is_locked)]
            for rule in held:
                self.matches[rule] = self.matches.get(rule, 0) + 1
            if held:
                self.assignments += 1
                self.checksum += checksum(number, group)
        return sorted(tokens), is_locked


def checksum(number: int, group: int) -> int:
    return (number * 1009 + group * 7919 + 1) % 1_000_003


CHECKSUM = """
    SELECT count(*), sum(mod(substr(a.username, 2)::bigint * 1009
                             + substr(c.name, 2)::bigint * 7919 + 1, 1000003))
    FROM account_classification_assignments x
    JOIN account_permission p ON p.id = x.account_id
    JOIN instance_accounts a ON a.id = p.account_id
    JOIN account_classifications c ON c.id = x.classification_id
    WHERE x.is_active
"""


def tokens_of(rule: int, dice: random.Random) -> list[str]:
    """What an account must hold for this rule to match. The five shapes are those of `expr_of`."""
    match rule % 5:
        case 0:
            return [f"role:r{rule}"]
        case 1:
            return ["priv:database:SELECT", f"priv:database:SELECT@db{rule}"]
        case 2:
            return ["priv:table:UPDATE", f"priv:table:UPDATE@db{rule}.orders"]
        case 3:
            return [f"role:r{rule}{dice.choice('ab')}"]
    return [
        f"role:r{rule}",
        "priv:table:INSERT",
        f"priv:table:INSERT@db{rule}.t{dice.randrange(9)}",
    ]


def holds(rule: int, tokens: set[str], is_locked: bool) -> bool:
    """Whether one of the rules that were drawn for an account matches it, in plain words."""
    match rule % 5:
        case 2:
            return not is_locked
        case 3:
            return f"role:r{rule}a" in tokens or BLOCKED not in tokens
    return True


def expr_of(rule: int) -> dict[str, Any]:
    def call(fn: str, **args: Any) -> dict[str, Any]:
        return {"fn": fn, "args": args}

    role = call("has_role", name=f"r{rule}")
    match rule % 5:
        case 0:
            return role
        case 1:
            return call("has_privilege", name="SELECT", scope="database", database=f"db{rule}")
        case 2:
            table = call("has_privilege", name="UPDATE", scope="table", object=f"db{rule}.orders")
            return {"op": "AND", "args": [table, {"op": "NOT", "args": [call("is_locked")]}]}
        case 3:
            barred = [call("has_role", name="blocked"), {"op": "NOT", "args": [call("can_login")]}]
            free = {"op": "NOT", "args": [{"op": "OR", "args": barred}]}
            second = {"op": "AND", "args": [call("has_role", name=f"r{rule}b"), free]}
            return {"op": "OR", "args": [call("has_role", name=f"r{rule}a"), second]}
    tables = call("has_privilege", name="INSERT", scope="table", object=f"db{rule}.*")
    return {"op": "AND", "args": [role, tables]}


def load(count: int, rules: int) -> Fleet:
    """Fill the empty tables by COPY, and index them as a sync would have."""
    from django.db import connection

    fleet = Fleet(rules)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE instances, account_classifications CASCADE")
        cursor.execute("TRUNCATE classified_accounts")
        cursor.execute("DROP INDEX permission_tokens")
        copy_in(cursor, "instances", INSTANCE, instances(count))
        copy_in(cursor, "instance_accounts", ACCOUNT, accounts(count))
        copy_in(cursor, "account_permission", PERMISSION, permissions(count, fleet))
        cursor.execute(
            "CREATE INDEX permission_tokens ON account_permission USING gin (fact_tokens)"
            " WITH (fastupdate = off)"
        )
    make_rules(rules)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return fleet


INSTANCE = (
    "id name db_type host port database_name tls_mode tls_ca environment description version"
    " main_version is_active created_at updated_at"
)
ACCOUNT = "id instance_id db_type username kind is_active first_seen_at last_seen_at"
PERMISSION = (
    "id account_id instance_id db_type permission_snapshot permission_facts fact_tokens"
    " snapshot_fingerprint facts_fingerprint is_superuser is_locked can_login last_sync_time"
    " last_change_type last_change_time"
)


def copy_in(cursor: Any, table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    names = columns.replace(" ", ", ")
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def instances(count: int) -> Iterator[tuple[Any, ...]]:
    for i in range(-(-count // PER_INSTANCE)):
        text = ("", "require", "", "", "", "", "")
        yield (i + 1, f"db{i}", "mysql", f"host{i}", 3306, *text, True, MOMENT, MOMENT)


def accounts(count: int) -> Iterator[tuple[Any, ...]]:
    for i in range(count):
        where = i // PER_INSTANCE + 1
        yield (i + 1, where, "mysql", f"u{i}", "user", True, MOMENT, MOMENT)


def permissions(count: int, fleet: Fleet) -> Iterator[tuple[Any, ...]]:
    snapshot = '{"version": 4, "categories": {"grants": [], "memberships": []}, "errors": []}'
    for i in range(count):
        tokens, is_locked = fleet.account(i)
        facts = '{"version": 2, "roles": ["' + '", "'.join(tokens) + '"], "privileges": {}}'
        yield (
            i + 1,
            i + 1,
            i // PER_INSTANCE + 1,
            "mysql",
            snapshot,
            facts,
            tokens,
            f"{i:064x}",
            f"{i:064x}",
            False,
            is_locked,
            True,
            MOMENT,
            "add",
            MOMENT,
        )


def make_rules(rules: int) -> None:
    from classification.models import AccountClassification, ClassificationRule

    for rule in range(rules):
        gives, _new = AccountClassification.objects.get_or_create(
            name=f"c{rule // PER_CLASSIFICATION}", defaults={"display_name": "bench"}
        )
        text = json.dumps({"version": 4, "expr": expr_of(rule)})
        ClassificationRule.objects.create(
            classification=gives, db_type="mysql", rule_name=f"r{rule}", rule_expression=text
        )
