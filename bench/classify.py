"""Auto-classify at size: `python -m bench.classify --accounts 100000 1000000 --rules 100`.

The accounts are made up here together with the classifications that they must get, without asking
our own language: a rule is a tuple of tokens, an account draws rules and takes their tokens.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.store import own_store

PER_CLASSIFICATION = 5
PER_INSTANCE = 1000
NOISE = 400
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
        for group in dice.sample(range(groups), min(dice.choice((1, 1, 2, 2, 3, 2)), groups)):
            first = group * PER_CLASSIFICATION
            size = min(PER_CLASSIFICATION, self.rules - first)
            chosen = [
                first + n for n in dice.sample(range(size), min(dice.choice((1, 2, 2, 4)), size))
            ]
            held = [rule for rule in chosen if not (is_locked and rule % 5 == 2)]
            for rule in chosen:
                tokens.update(tokens_of(rule, dice))
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
            either = [call("has_role", name=f"r{rule}{which}") for which in "ab"]
            return {"op": "OR", "args": either}
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
    import json

    from classification.models import AccountClassification, ClassificationRule

    for rule in range(rules):
        gives, _new = AccountClassification.objects.get_or_create(
            name=f"c{rule // PER_CLASSIFICATION}", defaults={"display_name": "bench"}
        )
        text = json.dumps({"version": 4, "expr": expr_of(rule)})
        ClassificationRule.objects.create(
            classification=gives, db_type="mysql", rule_name=f"r{rule}", rule_expression=text
        )


def forget() -> None:
    """Back to before the first run, with room reclaimed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE account_classification_assignments, classified_accounts")
        cursor.execute("TRUNCATE account_risks, accepted_assignments")
        cursor.execute("UPDATE account_classifications SET rules_stamp = ''")
        cursor.execute("CHECKPOINT")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def check(fleet: Fleet, outcome: Any) -> None:
    """Stop with the difference unless every rule and every pair is as the generator booked it."""
    from django.db import connection

    wrong = [
        (result.name, result.matched, fleet.matches.get(int(result.name[1:]), 0))
        for result in outcome.rules
        if result.error or result.matched != fleet.matches.get(int(result.name[1:]), 0)
    ]
    with connection.cursor() as cursor:
        cursor.execute(CHECKSUM)
        found = cursor.fetchone()
    if wrong or found != (fleet.assignments, fleet.checksum):
        raise SystemExit(f"wrong: {wrong[:5]} {found} != {fleet.assignments, fleet.checksum}")


def change_one_rule(step: int) -> None:
    """A rule asks for one more role, and back: its matches stay the same, its text does not."""
    import json

    from classification.models import ClassificationRule

    rule = ClassificationRule.objects.get(rule_name="r0")
    args = [expr_of(0), {"fn": "has_role", "args": {"name": f"nobody{step}"}}]
    rule.rule_expression = json.dumps({"version": 4, "expr": {"op": "OR", "args": args}})
    rule.save()


def measure(count: int, rules: int, repeat: int) -> dict[str, float]:
    from classification.classify import classify

    loading, fleet = timed(lambda: load(count, rules))
    first = []
    for _ in range(repeat):
        forget()
        seconds, outcome = timed(classify)
        check(fleet, outcome)
        first.append(seconds)
    unchanged = [timed(classify) for _ in range(repeat + 2)]
    if any(outcome.added or outcome.removed or outcome.updated for _s, outcome in unchanged):
        raise SystemExit("wrong: a run without changes wrote something")
    changed = []
    for step in range(repeat):
        change_one_rule(step)
        changed.append(timed(classify)[0])
    report(count, rules, fleet, loading)
    return {
        "first run": min(first),
        "nothing changed": min(seconds for seconds, _outcome in unchanged),
        "one rule changed": min(changed),
    }


def report(count: int, rules: int, fleet: Fleet, loading: float) -> None:
    print(
        f"{count:,} accounts x {rules} rules: {sum(fleet.matches.values()):,} matches,"
        f" {fleet.assignments:,} assignments, as expected (loaded in {loading:.0f} s)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.classify", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with own_store():
        before: dict[str, float] = {}
        for count in options.accounts:
            found = measure(count, options.rules, options.repeat if count < 10**6 else 1)
            for name, seconds in found.items():
                ratio = f"  {seconds / before[name]:6.1f} x" if before else ""
                print(f"  {name:<18}{seconds:8.3f} s{ratio}", flush=True)
            before = found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of this process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
