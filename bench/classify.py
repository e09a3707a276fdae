"""Auto-classify at size: `python -m bench.classify --sizes 10000x20 100000x100`, accounts x rules.

What a run must find is known from `bench.drawn`, which does not ask our own language; a run that
finds anything else ends the measurement. Ends with 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from bench import drawn
from bench.store import own_store

Figures = dict[str, float]

MILLION = 10**6
SIZES = ("10000x20", "100000x100", "1000000x100")

# Seconds at 100,000 accounts and 100 rules.
LIMITS: Figures = {
    "first run": 5,
    "nothing changed": 0.2,
    "one rule changed": 0.5,
    "preview of a rule": 0.3,
    "explain": 0.01,
}
MOST_TIMES = 12  # for ten times the accounts
MOST_MEGABYTES = 300

# Accounts that the plain loop is tried on; what it would take for all is calculated.
LOOPED = 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.classify", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES))
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    known: dict[tuple[int, int], Figures] = {}
    with own_store():
        for size in options.sizes:
            accounts, rules = map(int, size.split("x"))
            found = measure(accounts, rules, options.repeat if accounts < MILLION else 1)
            known[accounts, rules] = found
            tell(found, known.get((accounts // 10, rules)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")
    missed = [*_missed(known), *_too_big(peak)]
    print(*missed or ["within every limit"], sep="\n")
    return 1 if missed else 0


def measure(accounts: int, rules: int, repeat: int) -> Figures:
    """Seconds, the best of `repeat`."""
    from classification.classify import classify

    loading, fleet = timed(lambda: drawn.load(accounts, rules))
    print(
        f"\n{accounts:,} accounts x {rules} rules: drawn and loaded in {loading:.0f} s", flush=True
    )
    first, again, changed = [], [], []
    for _ in range(repeat):
        forget()
        seconds, outcome = timed(classify, "first run")
        check(fleet, outcome)
        first.append(seconds)
    print(
        f"  {sum(fleet.matches.values()):,} matches, {fleet.assignments:,} assignments, all of them"
        " as they must be"
    )
    for _ in range(repeat + 2):
        seconds, outcome = timed(classify, "nothing changed")
        if outcome.added or outcome.removed or outcome.updated:
            raise SystemExit("wrong: a run without changes wrote something")
        again.append(seconds)
    for step in range(repeat):
        change_one_rule(step)
        changed.append(timed(classify, "one rule changed")[0])
    loop = looped(accounts)
    return {
        "first run": min(first),
        "nothing changed": min(again),
        "one rule changed": min(changed),
        "preview of a rule": min(previewed() for _ in range(repeat + 1)),
        "explain": min(explained(number) for number in range(1, 11)),
        "plain loop": loop,
    }


def forget() -> None:
    """Back to before the first run, with room reclaimed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE account_classification_assignments, classified_accounts")
        cursor.execute("TRUNCATE account_risks, accepted_assignments")
        cursor.execute("UPDATE account_classifications SET rule_stamps = '{}'")
        cursor.execute("CHECKPOINT")


_told: set[str] = set()


def timed(work: Callable[[], Any], name: str = "") -> tuple[float, Any]:
    """Seconds and what came of it. The first time that there is a name, the statements are told."""
    from django.db import connection

    statements = count()

    def counted(execute: Any, *args: Any) -> Any:
        next(statements)
        return execute(*args)

    with connection.execute_wrapper(counted):
        start = time.perf_counter()
        found = work()
        seconds = time.perf_counter() - start
    if name and name not in _told:
        _told.add(name)
        print(f"  {name}: {next(statements)} statements", flush=True)
    return seconds, found


def check(fleet: drawn.Fleet, outcome: Any) -> None:
    """Stop with the difference unless every rule and every pair is as the generator booked it."""
    from django.db import connection

    wrong = [
        (result.name, result.matched, fleet.matches.get(int(result.name[1:]), 0), result.error)
        for result in outcome.rules
        if result.error or result.matched != fleet.matches.get(int(result.name[1:]), 0)
    ]
    with connection.cursor() as cursor:
        cursor.execute(drawn.CHECKSUM)
        found = cursor.fetchone()
    if wrong or found != (fleet.assignments, fleet.checksum):
        raise SystemExit(f"wrong: {wrong[:5]} {found} != {fleet.assignments, fleet.checksum}")


def change_one_rule(step: int) -> None:
    """A rule asks for one more role: its matches stay the same, its text and evidence do not."""
    from classification.models import ClassificationRule

    rule = ClassificationRule.objects.get(rule_name="r0")
    args = [drawn.expr_of(0), {"fn": "has_role", "args": {"name": f"nobody{step}"}}]
    rule.rule_expression = json.dumps({"version": 4, "expr": {"op": "OR", "args": args}})
    rule.save()


def previewed() -> float:
    """Of a draft that gives a rule's classification to others than the rule does now."""
    from classification.dsl.parser import parse
    from classification.models import ClassificationRule
    from classification.preview import preview

    rule = ClassificationRule.objects.get(rule_name="r3")
    draft = parse(json.dumps({"version": 4, "expr": drawn.expr_of(8)}), "mysql")
    seconds, found = timed(
        lambda: preview(draft, rule.classification_id, rule.pk), "preview of a rule"
    )
    if not (found["add"]["total"] and found["drop"]["total"]):
        raise SystemExit(f"wrong: a preview that adds or drops nobody: {found}")
    return seconds


def explained(number: int) -> float:
    from accounts.models import AccountPermission
    from classification.explain import explain_rule
    from classification.models import ClassificationRule

    rule = ClassificationRule.objects.get(rule_name="r3")
    has_it = AccountPermission.objects.select_related("account", "instance")
    seconds, _told = timed(lambda: explain_rule(has_it.get(pk=number), rule), "explain")
    return seconds


def looped(accounts: int) -> float:
    """The Python evaluator over every rule and account, calculated from some, which must agree
    with what the store found.
    """
    from accounts.models import AccountPermission
    from classification.dsl import verdicts
    from classification.dsl.subject import Subject
    from classification.models import AccountClassificationAssignment, ClassificationRule
    from classification.questions import Question

    rules = [(rule.pk, Question.of(rule.parsed())) for rule in ClassificationRule.objects.all()]
    some = list(AccountPermission.objects.filter(pk__lte=LOOPED).select_related("account"))
    start = time.perf_counter()
    found = {
        (each.pk, pk)
        for each, subject in ((each, Subject.of(each)) for each in some)
        for pk, question in rules
        if verdicts.evaluate(question.expression.root, subject, question.context).verdict
    }
    seconds = (time.perf_counter() - start) / len(some) * accounts
    given = AccountClassificationAssignment.objects.active().filter(account__lte=LOOPED)
    stored = {
        (account, told["rule"])
        for account, evidence in given.values_list("account", "evidence")
        for told in evidence["rules"]
    }
    if found != stored:
        raise SystemExit(f"wrong: loop and store differ in {found ^ stored}")
    return seconds


def tell(found: Figures, smaller: Figures | None) -> None:
    for name, seconds in found.items():
        times = f"{seconds / smaller[name]:8.1f} x" if smaller else ""
        said = "(calculated)" if name == "plain loop" else ""
        print(f"  {name:<20}{seconds:10.3f} s{times} {said}", flush=True)
    print(f"  the loop takes {found['plain loop'] / found['first run']:.0f} times the first run")


def _missed(known: dict[tuple[int, int], Figures]) -> Iterator[str]:
    for name, limit in LIMITS.items():
        seconds = known.get((100_000, 100), {}).get(name, 0)
        if seconds > limit:
            yield f"100,000 accounts, {name}: {seconds:.3f} s, at most {limit} s are allowed"
    for (accounts, rules), found in known.items():
        smaller = known.get((accounts // 10, rules))
        for name in LIMITS if smaller else ():
            times = found[name] / smaller[name] if smaller else 0
            if times > MOST_TIMES:
                yield f"{accounts:,} accounts, {name}: {times:.1f} times that of a tenth of them"


def _too_big(megabytes: float) -> Iterator[str]:
    if megabytes > MOST_MEGABYTES:
        yield f"{megabytes:.0f} MB of memory, at most {MOST_MEGABYTES} are allowed"


if __name__ == "__main__":
    sys.exit(main())
