"""python -m bench.session [--instances N]: a session over 1,000 instances, with more and more
workers.

The servers are made up: each takes some time to answer and shows ten accounts, of which in every
pass but the last each has a new grant. So what is measured is everything but the servers: claiming,
locking, storing, the change log, classifying, counting. The workers are processes that take records
as the queue's do. Ends with 1 where records are lost or a second worker brings next to nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.store import own_store

ACCOUNTS = 10
RULES = 20
ANSWER_SECONDS = 0.1  # what a server takes to answer
WORKERS = (1, 2, 4)
# Two workers on two free cores; on fewer the store's work and theirs share one.
LEAST_GAIN = 1.3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.session", description=__doc__)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(json.loads(options.work))
        return 0
    with own_store():
        prepare(options.instances)
        print(f"{options.instances:,} instances, {ACCOUNTS} accounts each, {RULES} rules")
        print("  workers   accounts   records/s   seconds   CPU ms of the workers per record")
        speeds = {}
        for generation, workers in enumerate((WORKERS[-1], *WORKERS)):
            speeds[workers] = tell("new" if not generation else "changed", workers, generation)
        tell("the same", WORKERS[-1], len(WORKERS))
    gain = speeds[2] / speeds[1]
    print(f"  two workers do {gain:.1f} times the work of one")
    return 0 if gain >= LEAST_GAIN else 1


def tell(accounts: str, workers: int, generation: int) -> float:
    """One pass over all instances; records per second."""
    seconds, cpu, records = passed(workers, generation)
    line = f"  {workers:7}   {accounts:>8}   {records / seconds:9.1f}   {seconds:7.1f}"
    print(f"{line}   {cpu / records * 1000:8.1f}", flush=True)
    return records / seconds


def prepare(size: int) -> None:
    from bench import drawn
    from whalefall.instances.models import Credential, Instance

    login = Credential(name="collector", db_type="mysql", username="collector")
    login.password = "not asked for"
    login.save()
    Instance.objects.bulk_create(
        Instance(name=f"db{i:04}", db_type="mysql", host=f"host{i}", port=3306, credential=login)
        for i in range(size)
    )
    drawn.make_rules(RULES)


def passed(workers: int, generation: int) -> tuple[float, float, int]:
    """Seconds, seconds of the workers' processors, records."""
    from sync.models import SyncSession, SyncType
    from whalefall.instances.models import Instance

    session = SyncSession.objects.start(
        SyncType.SCHEDULED_TASK, Instance.objects.watched(), sync_category="account", enqueue=False
    )
    pks = list(session.records.order_by("pk").values_list("pk", flat=True))
    # The workers are up before the clock starts, as those of the queue are.
    hired = [hire(pks[i::workers], generation) for i in range(workers)]
    for each in hired:
        assert each.stdout
        each.stdout.readline()
    started = time.perf_counter()
    told = [each.communicate("go\n")[0] for each in hired]
    seconds = time.perf_counter() - started
    session.refresh_from_db()
    if session.status != "completed" or session.successful_instances != len(pks):
        raise SystemExit(f"wrong: the session {session.status}, {told}")
    return seconds, sum(float(text.splitlines()[-1]) for text in told), len(pks)


def hire(pks: list[int], generation: int) -> subprocess.Popen[str]:
    task = json.dumps({"pks": pks, "generation": generation})
    command = [sys.executable, "-m", "bench.session", "--work", task]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def work(task: dict[str, Any]) -> None:
    """What a worker does: its records, one after the other."""
    import django

    django.setup()
    from sync import runner
    from whalefall.engines import engine

    made_up = MadeUp(task["generation"])
    object.__setattr__(engine("mysql"), "connect", made_up.connect)
    print("ready", flush=True)
    sys.stdin.readline()
    before = time.process_time()
    for pk in task["pks"]:
        runner.run_record(pk)
    print(time.process_time() - before, flush=True)


class MadeUp:
    """In the place of a connection to a server."""

    def __init__(self, generation: int) -> None:
        # Another rule of `bench.drawn` asks for each of these.
        self.database = f"db{(generation * 5 + 1) % RULES}"

    @contextmanager
    def connect(self, target: Any) -> Iterator[MadeUp]:
        yield self

    def observe(self) -> Any:
        from bench.fleet import observation
        from whalefall.engines.observed import ObservedGrant, Scope

        time.sleep(ANSWER_SECONDS)
        found = observation(ACCOUNTS, roles=2)
        found.add_grants(
            ObservedGrant(name, "SELECT", Scope.DATABASE, self.database, section="database")
            for name in found.accounts
        )
        return found


if __name__ == "__main__":
    os.environ.setdefault("WHALEFALL_LOG_LEVEL", "ERROR")
    sys.exit(main())
