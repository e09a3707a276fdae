"""Capacity at size: `python -m bench.capacity --instances 1000 --databases 200 --days 45`.

Asks every list and page of capacity as a person's browser or program does, and says how long each
took (the best and the median of a few tries, rendering included) and how many statements. What the
rows are, says `bench.capacity_rows`. 1 when the best of them misses the limit: in the others is
what the machine does beside this. The store does not wait for its disk: people wait for reading.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

from bench import capacity_rows
from bench.store import own_store

LIMIT_MS = 300
TRIES = 5
API = "/api/v1"
ADMIN = "/admin/capacity"


def addresses(database: int, instance: int, first: str) -> list[str]:
    """What is asked. `database` and `instance` are somewhere in the middle."""
    sums, days = f"{API}/capacity/databases", f"{API}/databases/sizes"
    return [
        sums,
        f"{sums}?sort=last_bytes&order=desc",
        f"{sums}?sort=change_bytes&order=desc",
        f"{sums}?period_type=weekly",
        f"{sums}?period_type=monthly&sort=change_bytes&order=desc",
        f"{sums}?search=0042",
        f"{sums}?tags=team-3",
        f"{sums}?instance_id={instance}&period_type=weekly&start_date={first}",
        f"{sums}?database_id={database}&period_type=weekly&start_date={first}&limit=200",
        f"{sums}?database_id={database}&period_type=monthly&start_date={first}",
        f"{sums}/summary",
        f"{sums}/summary?period_type=monthly",
        f"{API}/capacity/instances",
        f"{API}/capacity/instances?instance_id={instance}&start_date={first}&limit=200",
        f"{API}/capacity/instances/summary",
        days,
        f"{days}?sort=size_bytes&order=desc",
        f"{days}?database_id={database}&limit=200",
        f"{days}?instance_id={instance}&limit=200",
        f"{API}/databases/ledgers",
        f"{API}/databases/ledgers?sort=size_bytes&order=desc",
        f"{API}/databases/ledgers?search=0042",
        f"{API}/databases/options?search=0042",
        f"{API}/capacity/movers",
        f"{API}/capacity/movers?window=7&sort=change_percent&order=desc",
        f"{API}/capacity/movers?window=7&sort=change_bytes",
        f"{API}/capacity/movers?tags=team-3&db_type=oracle",
        f"{API}/capacity/outlooks",
        f"{API}/capacity/tags?period_type=weekly&start_date={first}",
        f"{API}/capacity/forecast?instance_id={instance}",
        f"{API}/capacity/forecast?database_id={database}",
        *(f"{ADMIN}/{page}/" for page in PAGES),
        f"{ADMIN}/instancedatabase/?q=0042",
        f"{ADMIN}/databasesizestat/?instance__id__exact={instance}",
        f"{ADMIN}/instancedatabase/{database}/change/",
        f"/admin/instances/instance/{instance}/change/",
    ]


PAGES = (
    "instancedatabase",
    "instancesizestat",
    "databasesizestat",
    "instancesizeaggregation",
    "databasesizeaggregation",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--databases", type=int, default=200, help="of each instance")
    parser.add_argument("--days", type=int, default=45, help="of sizes of every database")
    args = parser.parse_args()
    os.environ["WHALEFALL_STORE_DURABLE"] = "0"
    os.environ["WHALEFALL_LOG_TO_STORE"] = "0"
    with own_store():
        return measure(args.instances, args.databases, args.days)


def measure(instances: int, databases: int, days: int) -> int:
    from django.utils import timezone

    last = timezone.localdate()
    started = time.monotonic()
    capacity_rows.load(instances, databases, days, last)
    print(f"{instances} instances x {databases} databases, {days} days of sizes, two years of sums")
    for table, rows, size in _tables():
        print(f"    {table:32} {rows:>12,} rows {size:>9,.0f} MiB")
    print(f"    made in {time.monotonic() - started:.0f} s\n")
    middle = instances * databases // 2
    first = last - timedelta(days=capacity_rows.DAYS)
    slow = list(_pages(addresses(middle, middle // databases, str(first))))
    _work(last)
    for address in slow:
        print(f"SLOW: {address} takes longer than {LIMIT_MS} ms")
    return 1 if slow else 0


def _tables() -> list[tuple[str, int, float]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, (SELECT sum(greatest(c.reltuples, 0))::bigint"
            "                 FROM pg_partition_tree(p.oid) t JOIN pg_class c ON c.oid = t.relid"
            "                 WHERE t.isleaf),"
            " (SELECT sum(pg_total_relation_size(t.relid)) / 1048576.0"
            "  FROM pg_partition_tree(p.oid) t)"
            " FROM pg_class p WHERE relkind = 'p' AND NOT relispartition ORDER BY relname"
        )
        return [(name, rows, float(size)) for name, rows, size in cursor.fetchall()]


def _pages(asked: list[str]) -> Iterator[str]:
    """Prints a line for each address; yields the slow ones."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="localhost")
    client.force_login(_administrator())
    for address in asked:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        statements = list(queries)  # the next request forgets them
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code} {answer.content[:300]!r}")
        took = [_milliseconds(partial(client.get, address)) for _ in range(TRIES)]
        times = f"{min(took):6.0f} ms at best {median(took):6.0f} ms mostly"
        print(f"{times} {len(statements):3} statements  {address}", flush=True)
        if min(took) > LIMIT_MS:
            slowest = max(statements, key=lambda each: float(each["time"]))
            print(f"         {slowest['time']} s: {slowest['sql'][:1500]}")
            yield address


def _administrator() -> Any:
    from whalefall.models import User

    return User.objects.create_superuser("bench")


def _milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _work(last: Any) -> None:
    """What the nights cost."""
    from capacity import growth, outlook, partitions
    from capacity.aggregation import aggregate

    print()
    for title, work in (
        ("sum up the day of all", lambda: aggregate(["daily"], day=last)),
        ("the same again", lambda: aggregate(["daily"], day=last)),
        ("sum up the current week", lambda: aggregate(["weekly"], day=last, which="current")),
        ("growth of all databases", growth.calculate),
        ("outlook of all instances", outlook.calculate),
        ("make the months ahead", lambda: partitions.ensure_ahead(last + timedelta(days=100))),
        ("drop the oldest month", lambda: partitions.drop_before(last - timedelta(days=670))),
    ):
        print(f"{_milliseconds(work) / 1000:10.2f} s  {title}")


if __name__ == "__main__":
    sys.exit(main())
