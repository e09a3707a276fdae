"""python -m bench.session [--instances N]: sessions over 1,000 instances, with more and more
workers of the queue. Some five minutes on two free cores.

The servers are made up: each takes some time to answer and shows ten accounts, of which in every
pass but the last each has a new grant. So what is measured is everything but the servers: the
queue, claiming, locking, storing, the change log, classifying, counting. Ends with 1 where records
are lost or a second worker brings next to nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.store import own_store

ACCOUNTS = 10
RULES = 20
ANSWER_SECONDS = 0.1  # what a server takes to answer
# Workers, and the part of the instances that they read: one alone would take minutes for all.
PASSES = ((1, 0.2), (2, 0.2), (4, 1.0))
# Two workers on two free cores; on fewer the store's work and theirs share one.
LEAST_GAIN = 1.3
MOST_SECONDS = 600  # for one session
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.session", description=__doc__)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--cluster", type=int, metavar="GENERATION", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cluster is not None:
        cluster(options.cluster)
        return 0
    with own_store():
        prepare(options.instances)
        print(f"{options.instances:,} instances, {ACCOUNTS} accounts each, {RULES} rules")
        print("  workers  instances   accounts   records/s   seconds   CPU ms of them per record")
        tell("new", 4, 0, options.instances)
        speeds = {
            workers: tell("changed", workers, number, max(int(options.instances * part), 20))
            for number, (workers, part) in enumerate(PASSES, start=1)
        }
        tell("the same", 4, len(PASSES), options.instances)
    gain = speeds[2] / speeds[1]
    print(f"  two workers do {gain:.1f} times the work of one, four {speeds[4] / speeds[1]:.1f}")
    return 0 if gain >= LEAST_GAIN else 1


def tell(accounts: str, workers: int, generation: int, size: int) -> float:
    """One pass over so many instances; records per second."""
    with hired(workers, generation) as group:
        before = processors(group)
        seconds = passed(size)
        cpu = processors(group) - before
    line = f"  {workers:7}  {size:9,}   {accounts:>8}   {size / seconds:9.1f}   {seconds:7.1f}"
    print(f"{line}   {cpu / size * 1000:8.1f}", flush=True)
    return size / seconds


def prepare(size: int) -> None:
    from django_q.models import Schedule

    from bench import drawn
    from whalefall.instances.models import Credential, Instance

    Schedule.objects.all().delete()  # at night they would work beside it
    login = Credential(name="collector", db_type="mysql", username="collector")
    login.password = "not asked for"
    login.save()
    Instance.objects.bulk_create(
        Instance(name=f"db{i:04}", db_type="mysql", host=f"host{i}", port=3306, credential=login)
        for i in range(size)
    )
    drawn.make_rules(RULES)


def passed(size: int) -> float:
    """Seconds of a session over the first `size` instances, from its start to its end."""
    from sync.models import SyncSession, SyncType
    from whalefall.instances.models import Instance

    some = Instance.objects.watched().order_by("pk")[:size]
    started = time.perf_counter()
    session = SyncSession.objects.start(SyncType.SCHEDULED_TASK, some, sync_category="account")
    while session.status == "running":
        if time.perf_counter() - started > MOST_SECONDS:
            raise SystemExit(f"wrong: the session still runs after {MOST_SECONDS} seconds")
        time.sleep(0.1)
        session.refresh_from_db()
    seconds = time.perf_counter() - started
    if session.status != "completed" or session.successful_instances != size:
        failed = session.records.exclude(status="completed").first()
        raise SystemExit(f"wrong: the session {session.status}: {failed and failed.error_message}")
    return seconds


@contextmanager
def hired(workers: int, generation: int) -> Iterator[int]:
    """A queue cluster with so many workers, up and at work; its process group. All of it is gone
    afterwards, whatever happened.
    """
    command = [sys.executable, "-m", "bench.session", "--cluster", str(generation)]
    environ = os.environ | {"WHALEFALL_WORKERS": str(workers)}
    process = subprocess.Popen(command, env=environ, start_new_session=True)
    try:
        answered(process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answered(process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker has done a first task."""
    from django_q.tasks import async_task, result

    task = async_task("math.copysign", 1, -1)
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"wrong: the cluster ended with {process.returncode}")
        if result(task) is not None:
            return
        time.sleep(0.1)
    raise SystemExit("wrong: no worker took up a task")


def processors(group: int) -> float:
    """Seconds of processor time that the processes of a group have used."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:
            found += int(fields[11]) + int(fields[12])
    return found / TICKS


def cluster(generation: int) -> None:
    """The queue's own command, in whose workers servers are made up."""
    import django
    from django.core.management import call_command

    django.setup()
    from whalefall.engines import engine

    object.__setattr__(engine("mysql"), "connect", MadeUp(generation).connect)
    call_command("qcluster")


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
