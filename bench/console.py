"""The console and the API over a big fleet: `python -m bench console --accounts 100000 1000000`.

The fleet is made up inside the store: a thousand instances of all engines, accounts named as people
name them, a tenth of them risky, a month of changes, sessions and sizes. Each address is asked for
as often as `--repeat` says, in one process as a worker of the server is; printed are statements,
the median and the 95th percentile. Ends with 0 where every one holds: a 95th percentile under the
limit of the design (300 ms), and statements that do not grow with the accounts; else with 1.

`--only WORD` asks for some lines alone, `--keep FOLDER` leaves the store there: filled at that size
already it is measured again as it is, which saves the minutes of filling it.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.store import own_store

INSTANCES = 1000
LIMIT_MS = 300

FEW_MORE = 5
"""Statements that a bigger fleet may take more: where few rows are counted, and shown by their
keys, many are estimated, and walked."""

FLEET = (
    """
    INSERT INTO instances (id, name, db_type, host, port, database_name, tls_mode, tls_ca,
        environment, description, version, main_version, is_active, created_at, updated_at,
        last_connected_at, capacity_limit_bytes)
    SELECT i, 'db-' || i,
        (ARRAY['mysql', 'mysql', 'postgresql', 'postgresql', 'sqlserver', 'oracle'])[1 + i %% 6],
        'host-' || i || '.example', 5432, '', 'require', '',
        (ARRAY['prod', 'test'])[1 + i %% 2], '', '8.4', '8', i %% 20 <> 0,
        now(), now(), now() - i * interval '1 minute',
        CASE WHEN i %% 3 = 0 THEN 100 * 2^30 END
    FROM generate_series(1, %(instances)s) i
    """,
    """
    INSERT INTO instance_accounts (id, instance_id, db_type, username, search_name, kind, is_active,
        first_seen_at, last_seen_at, deleted_at, comes_with_product)
    SELECT n.i, n.place, instance.db_type, n.name, lower(n.name),
        CASE WHEN n.i %% 10 = 9 THEN 'role' ELSE 'user' END, n.i %% 50 <> 0,
        now() - interval '90 days', now(), CASE WHEN n.i %% 50 = 0 THEN now() END, n.i %% 25 = 1
    FROM (
        SELECT i, 1 + i / (1 + %(accounts)s / %(instances)s) AS place,
            (ARRAY['app', 'svc', 'dba', 'etl', 'report', 'billing', 'payroll', 'backup'])
                [1 + i %% 8]
            || '_' || (ARRAY['rw', 'ro', 'owner', 'batch', 'api'])[1 + i %% 5] || '_' || i
            || CASE WHEN i %% 3 = 0 THEN '@10.' || i %% 250 || '.%%' ELSE '' END
            || CASE WHEN i %% 50021 = 7 THEN '李雷🐋' ELSE '' END AS name
        FROM generate_series(1, %(accounts)s) i) n
    JOIN instances instance ON instance.id = n.place
    """,
    """
    INSERT INTO account_permission (id, account_id, instance_id, db_type, permission_snapshot,
        permission_facts, fact_tokens, snapshot_fingerprint, facts_fingerprint, is_superuser,
        is_locked, can_login, last_sync_time, last_change_type, last_change_time, last_login_at)
    SELECT id, id, instance_id, db_type, '{"version": 4, "categories": {}}',
        '{"version": 2, "privileges": {}}',
        ARRAY['db_type:' || db_type, 'kind:' || kind, 'role:team_' || id %% 400,
              'priv:database:SELECT@db' || id %% 200]
        || CASE WHEN id %% 200 = 0 THEN '{cap:SUPERUSER}' ELSE '{}' END::text[]
        || CASE WHEN id %% 97 = 0 THEN '{cap:LOCKED}' ELSE '{}' END::text[],
        md5(id::text), md5(id::text), id %% 200 = 0, id %% 97 = 0, id %% 10 <> 9, now(), 'add',
        now() - id %% 90 * interval '1 day', now() - id %% 700 * interval '1 day'
    FROM instance_accounts
    """,
    """
    INSERT INTO account_classifications (id, name, display_name, description, risk_level, color,
        icon_name, priority, is_system, is_active, rule_stamps, created_at, updated_at)
    SELECT 990000 + n, 'bench_' || level, 'Bench ' || level, '', level, '#aa0000', 'label', n,
        false, true, '{}', now(), now()
    FROM unnest(ARRAY['info', 'low', 'medium', 'high', 'critical']) WITH ORDINALITY l (level, n)
    """,
    """
    INSERT INTO account_classification_assignments (account_id, classification_id, assignment_type,
        evidence, is_active, is_dismissed, assigned_at)
    SELECT id, 990001 + (id / 10) %% 5, 'auto', '{}', true, false,
        now() - id %% 60 * interval '1 day'
    FROM account_permission WHERE id %% 10 = 3 AND id %% 50 <> 0
    """,
    """
    INSERT INTO account_risks (permission_id, account_id, level)
    SELECT account_id, account_id, classification_id - 990000
    FROM account_classification_assignments
    """,
    """
    INSERT INTO account_change_log (account_id, instance_id, change_type, privilege_diff,
        other_diff, message, risk_before, risk_after, change_time)
    SELECT id, instance_id, 'modify_privilege', '[]', '[]', '1 granted', '', '',
        now() - id %% 90 * interval '8 hours'
    FROM instance_accounts WHERE id %% 5 = 2
    """,
    """
    INSERT INTO classification_daily_counts (day, kind, key, name, accounts, accepted)
    SELECT current_date - d, 'risk', level, level, %(accounts)s / 50 - d * 10, 0
    FROM generate_series(1, 60) d,
        unnest(ARRAY['info', 'low', 'medium', 'high', 'critical']) level
    """,
    """
    INSERT INTO sync_sessions (id, session_id, sync_type, sync_category, status, total_instances,
        successful_instances, failed_instances, started_at, completed_at)
    SELECT s, gen_random_uuid(), 'scheduled_task', 'account', 'failed', %(instances)s,
        %(instances)s - 10, 10, now() - s * interval '1 day', now() - s * interval '1 day'
    FROM generate_series(0, 29) s
    """,
    """
    INSERT INTO sync_instance_records (session_id, instance_id, instance_name, status, items_synced,
        items_created, items_updated, items_deleted, error_message, sync_details, queued_at,
        created_at, started_at, completed_at)
    SELECT s, i, 'db-' || i, CASE WHEN i %% 100 = 0 THEN 'failed' ELSE 'completed' END, 0, 0, 0, 0,
        CASE WHEN i %% 100 = 0 THEN 'connection to host-' || i || ' refused' ELSE '' END,
        CASE WHEN i %% 100 = 0 THEN '{"error": {"type": "ConnectionFailed"}}'
             WHEN i %% 30 = 1 THEN '{"sections": {"routine": {"status": "denied", "message":
                  "denied", "remedy": "GRANT SELECT ON mysql.procs_priv TO whalefall"}}}'
             ELSE '{}' END::jsonb,
        now() - s * interval '1 day', now() - s * interval '1 day', now() - s * interval '1 day',
        now() - s * interval '1 day'
    FROM generate_series(29, 0, -1) s, generate_series(1, %(instances)s) i
    """,
    """
    INSERT INTO instance_size_stats (instance_id, collected_date, collected_at, size_bytes,
        database_count, measured_count, reason)
    SELECT i, current_date - d, now(), 2::bigint^30 * (50 + i %% 40) - d * 2^20 * (i %% 200),
        4, 4, ''
    FROM generate_series(0, 60) d, generate_series(1, %(instances)s) i
    """,
)

ADDRESSES = {
    "start page": "/admin/",
    "API: overview": "/api/v1/dashboard/overview",
    "API: status": "/api/v1/dashboard/status",
    "accounts": "/admin/accounts/instanceaccount/",
    "page 2": "/admin/accounts/instanceaccount/?p=2",
    "page 200": "/admin/accounts/instanceaccount/?p=200",
    "search: payroll": "/admin/accounts/instanceaccount/?q=payroll",
    "search: rw_12345": "/admin/accounts/instanceaccount/?q=rw_12345",
    "search: one letter": "/admin/accounts/instanceaccount/?q=p",
    "search: two letters": "/admin/accounts/instanceaccount/?q=yr",
    "search: svc": "/admin/accounts/instanceaccount/?q=svc",
    "search: none has it": "/admin/accounts/instanceaccount/?q=zzqx",
    "search: per cent": "/admin/accounts/instanceaccount/?q=0.249.%25",
    "search: Chinese": "/admin/accounts/instanceaccount/?q=%E6%9D%8E",
    "search: emoji": "/admin/accounts/instanceaccount/?q=%F0%9F%90%8B",
    "critical": "/admin/accounts/instanceaccount/?risk=critical",
    "critical, payroll": "/admin/accounts/instanceaccount/?risk=critical&q=payroll",
    "superusers": "/admin/accounts/instanceaccount/?superuser=1",
    "locked": "/admin/accounts/instanceaccount/?locked=1",
    "cannot log in": "/admin/accounts/instanceaccount/?login=0",
    "roles": "/admin/accounts/instanceaccount/?kind=role",
    "gone": "/admin/accounts/instanceaccount/?presence=gone",
    "of one instance": "/admin/accounts/instanceaccount/?instance__id__exact=500",
    "Oracle": "/admin/accounts/instanceaccount/?db_type=oracle",
    "changes": "/admin/accounts/accountchangelog/",
    "changes: payroll": "/admin/accounts/accountchangelog/?q=payroll",
    "assignments": "/admin/classification/accountclassificationassignment/",
    "rules": "/admin/classification/classificationrule/",
    "classifications": "/admin/classification/accountclassification/",
    "API: rules": "/api/v1/accounts/classifications/rules",
    "API: classifications": "/api/v1/accounts/classifications",
    "API: ledger": "/api/v1/accounts/ledgers",
    "API: ledger, payroll": "/api/v1/accounts/ledgers?search=payroll",
    "API: ledger, critical": "/api/v1/accounts/ledgers?risk_level=critical",
    "API: ledger, page 500": "/api/v1/accounts/ledgers?page=500",
}


@dataclass(frozen=True, slots=True)
class Measured:
    statements: int
    median: float
    p95: float


def load(accounts: int) -> None:
    """Fill the empty store."""
    from django.db import connection

    from capacity import partitions

    today = date.today()
    partitions.ensure(*(today - timedelta(days=days) for days in range(61)))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE instances, account_classifications, sync_sessions CASCADE")
        cursor.execute("TRUNCATE account_risks, classification_daily_counts")
        cursor.execute("TRUNCATE account_classification_assignments")
        for index in ("permission_tokens", "account_name_grams"):
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
            (definition,) = cursor.fetchone()
            cursor.execute(f"DROP INDEX {index}")
            _later.append(definition)
        for statement in FLEET:
            cursor.execute(statement, {"accounts": accounts, "instances": INSTANCES})
        while _later:
            cursor.execute(_later.pop())
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


_later: list[str] = []


def is_loaded(accounts: int) -> bool:
    """Whether a kept store holds this fleet."""
    from accounts.models import InstanceAccount

    return InstanceAccount.objects.count() == accounts


def measure(repeat: int, only: str = "") -> Iterator[tuple[str, Measured]]:
    from django.test import Client

    import whalefall.wsgi  # noqa: F401 - as a worker of the server has it when it is asked
    from whalefall.models import User

    person, _new = User.objects.get_or_create(username="bench", is_superuser=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    for name, address in ADDRESSES.items():
        if only in name:
            yield name, ask(client, address, repeat)


def ask(client: Any, address: str, repeat: int) -> Measured:
    from django.db import connection

    statements = []

    def noted(execute: Any, *asked: Any) -> Any:
        statements.append(asked[0])
        return execute(*asked)

    client.get(address)  # content types and the like are cached
    with connection.execute_wrapper(noted):
        answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    at_least_95_percent = math.ceil(len(times) * 0.95) - 1
    return Measured(len(statements), times[len(times) // 2], times[at_least_95_percent])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100_000])
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--only", default="", help="lines that have this in their name")
    parser.add_argument("--keep", type=Path, help="the folder of a store that stays")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    counts: dict[str, list[int]] = {}
    slow = []
    with own_store(options.keep):
        for accounts in options.accounts:
            if not (options.keep and is_loaded(accounts)):
                load(accounts)
            print(f"{accounts:,} accounts on {INSTANCES:,} instances", flush=True)
            for name, found in measure(options.repeat, options.only):
                counts.setdefault(name, []).append(found.statements)
                over = " over the limit" if found.p95 > LIMIT_MS else ""
                slow += [name] if over else []
                times = f"median {found.median:6.0f} ms  p95 {found.p95:6.0f} ms"
                print(f"  {name:<24}{found.statements:3} statements  {times}{over}", flush=True)
    return verdict(slow, counts)


def verdict(slow: list[str], counts: dict[str, list[int]]) -> int:
    """What the process ends with, after a line that says why: `slow` are lines over the limit,
    `counts` the statements of each line, size by size.
    """
    growing = [name for name, found in counts.items() if max(found) - min(found) > FEW_MORE]
    for name in slow:
        print(f"over {LIMIT_MS} ms: {name}")
    for name in growing:
        print(f"statements grow: {name} {counts[name]}")
    if not counts:
        print("no line has that name")
    if slow or growing or not counts:
        return 1
    print(f"every line holds: 95 of 100 under {LIMIT_MS} ms, statements do not grow")
    return 0


if __name__ == "__main__":
    sys.exit(main())
