"""python -m bench.sync [--quick] [--large N]: what one account sync costs, in counts and ratios.

Real servers are filled with more and more accounts; each size is read and stored by a process of
its own, twice. `--large N` also stores an observation of N accounts that is made up in memory.
Ends with 1 where a limit of the design is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.store import own_store

SIZES = (100, 1000, 5000)
QUICK = (50, 200)
ROLES = 20
MOST_LOCAL = 15
MOST_MEGABYTES = 300
MEGABYTE = 1024  # ru_maxrss counts kilobytes
COLUMNS = (
    ("server", 12),
    ("accounts", 9),
    ("remote", 7),
    ("first", 6),
    ("again", 6),
    ("read_s", 7),
    ("first_s", 8),
    ("again_s", 8),
    ("s_per_1000", 11),
    ("cpu_per_1000", 13),
    ("peak_mb", 8),
    ("base_mb", 8),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--large", type=int, default=0, help="accounts made up in memory")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(json.loads(options.measure))))
        return 0
    print("".join(name.rjust(width) for name, width in COLUMNS))
    rows = []
    with own_store():
        for row in _rows(QUICK if options.quick else SIZES, options.large):
            print("".join(str(row[name]).rjust(width) for name, width in COLUMNS), flush=True)
            rows.append(row)
    broken = list(_broken(rows))
    print(*broken or ["within every limit"], sep="\n")
    return 1 if broken else 0


def _rows(sizes: tuple[int, ...], large: int) -> Iterator[dict[str, Any]]:
    yield from _on_mariadb(sizes)
    yield from _on_postgresql(sizes)
    if large:
        yield _child({"server": "made up", "db_type": "mysql", "size": large})


def _on_mariadb(sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    from tests.servers.mariadb import MariaDBServer

    with MariaDBServer() as server:
        server.execute("CREATE DATABASE shop", "CREATE TABLE shop.orders (id int, note text)")
        server.execute(*(f"CREATE ROLE role_{number}" for number in range(ROLES)))
        server.execute(*(f"GRANT SELECT ON shop.* TO role_{number}" for number in range(ROLES)))
        done = 0
        for size in sizes:
            server.execute(*_mysql_users(done, size))
            done = size
            yield _child({"server": "MariaDB", "size": size, **_target(server, "mysql")})


def _mysql_users(start: int, end: int) -> Iterator[str]:
    for number in range(start, end):
        user = f"app_{number}@'10.0.%'"
        yield f"CREATE USER {user}"
        yield f"GRANT SELECT, INSERT ON shop.orders TO {user}"
        yield f"GRANT role_{number % ROLES} TO {user}"


def _on_postgresql(sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    from tests.servers.postgresql import SERVERS

    with SERVERS["18"]() as server:
        # A catalog row holds some 2,400 entries at most: the grants are spread over tables.
        of_role = "CREATE TABLE orders_%1$s (id int); CREATE ROLE role_%1$s;"
        server.run(_each(0, ROLES, f"{of_role} GRANT SELECT ON orders_%1$s TO role_%1$s"))
        done = 0
        for size in sizes:
            server.run(
                _each(
                    done,
                    size,
                    "CREATE ROLE app_%1$s LOGIN; GRANT INSERT (id) ON orders_%2$s TO app_%1$s;"
                    " GRANT role_%2$s TO app_%1$s",
                )
            )
            done = size
            target = _target(server, "postgresql") | {"database": "postgres"}
            yield _child({"server": "PostgreSQL", "size": size, **target})


def _each(start: int, end: int, statements: str) -> str:
    return (
        f"DO $do$ BEGIN FOR i IN {start}..{end - 1} LOOP"
        f" EXECUTE format($f${statements}$f$, i, i % {ROLES}); END LOOP; END $do$"
    )


def _target(server: Any, db_type: str) -> dict[str, Any]:
    os.environ["BENCH_PASSWORD"] = server.admin_password
    return {
        "db_type": db_type,
        "host": server.host,
        "port": server.port,
        "username": server.admin_username,
    }


def _child(task: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.sync", "--measure", json.dumps(task)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(task: dict[str, Any]) -> dict[str, Any]:
    """One size in this process: read, store, read again, store again."""
    import django

    django.setup()
    from whalefall.instances.models import Instance

    name = f"{task['server']} {task['size']}"
    instance = Instance.objects.create(
        name=name, db_type=task["db_type"], host=name, port=task.get("port", 1)
    )
    base = _peak()
    remote, read_s, observation = _observe(task)
    started = time.process_time()
    first, first_s = _apply(instance, observation)
    cpu_s = time.process_time() - started
    del observation
    _remote, _again, observation = _observe(task)
    again, again_s = _apply(instance, observation, unchanged=True)
    accounts = len(observation.accounts)
    return {
        "server": task["server"],
        "accounts": accounts,
        "databases": _databases(observation),
        "remote": remote,
        "first": first,
        "again": again,
        "read_s": round(read_s, 2),
        "first_s": round(first_s, 2),
        "again_s": round(again_s, 2),
        "s_per_1000": round((read_s + first_s) / accounts * 1000, 2),
        "cpu_per_1000": round(cpu_s / accounts * 1000, 2),
        "peak_mb": _peak(),
        "base_mb": base,
    }


def _observe(task: dict[str, Any]) -> tuple[int, float, Any]:
    if "host" not in task:
        from bench.fleet import observation

        return 0, 0.0, observation(task["size"])
    from whalefall.engines import engine
    from whalefall.engines.base import Target

    names = ("host", "port", "username", "database")
    values = {name: task[name] for name in names if name in task}
    target = Target(**values, password=os.environ["BENCH_PASSWORD"], tls_mode="off")
    started = time.monotonic()
    with engine(task["db_type"]).connect(target) as server:
        found = server.observe()
        return server.statements, time.monotonic() - started, found


def _apply(instance: Any, observation: Any, unchanged: bool = False) -> tuple[int, float]:
    """Statements (those of further batches left out) and seconds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts.collection import BATCH, apply

    started = time.monotonic()
    with CaptureQueriesContext(connection) as queries:
        done = apply(instance, observation)
    seconds = time.monotonic() - started
    if unchanged and done.changed_ids:
        raise SystemExit(f"{len(done.changed_ids)} permissions were written although none changed")
    further = (len(observation.accounts) - 1) // BATCH
    per_batch = 1 if unchanged else 5
    return len(queries) - further * per_batch, seconds


def _databases(observation: Any) -> int:
    return len({g.database for found in observation.grants.values() for g in found if g.database})


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE


def _broken(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        most = 12 if row["server"] == "MariaDB" else 8 + 3 * row["databases"]
        if row["remote"] > most:
            yield f"{row['server']}: {row['remote']} remote statements, at most {most} are allowed"
        if row["peak_mb"] > MOST_MEGABYTES:
            yield f"{row['accounts']} accounts: {row['peak_mb']} MB, at most {MOST_MEGABYTES}"
        if row["again"] > MOST_LOCAL:
            yield f"{row['server']}: {row['again']} local statements although nothing changed"
    for server in {row["server"] for row in rows}:
        for count in ("remote", "first", "again"):
            seen = {row[count] for row in rows if row["server"] == server}
            if len(seen) > 1:
                yield f"{server}: the number of statements grows with the accounts: {seen}"


if __name__ == "__main__":
    sys.exit(main())
