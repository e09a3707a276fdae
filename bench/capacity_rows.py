"""The rows of a fleet's capacity, made in the store by generate_series.

Sizes of every database and instance for two years of days, their sums by week, month and quarter
for two years, and by day of every instance; the sums by day of every database for as long as is
asked for. Growth, outlook and newest sums are then made by the
product's own statements.

Every size is a formula of the database and the day, so that an answer can be checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAYS = 730

# 10 MiB to 10 GiB at first, each with a growth of its own (some shrink), and the saw of a week.
FORMULA = """
CREATE FUNCTION pg_temp.size_of(database bigint, day date) RETURNS bigint IMMUTABLE LANGUAGE sql
AS $$ SELECT ((database * 7919) % 1000 + 1) * 1048
             * (10000 + greatest(day - DATE '{first}', 0) * ((database * 104729) % 41 - 8)
                + 10 * ((database + (day - DATE '{first}')) % 7)) $$
"""
FLEET = (
    """
INSERT INTO instances (id, name, db_type, host, port, database_name, tls_mode, tls_ca, environment,
    description, version, main_version, is_active, created_at, updated_at, capacity_limit_bytes)
SELECT n, 'db-' || lpad(n::text, 4, '0'),
    (ARRAY['mysql', 'postgresql', 'sqlserver', 'oracle'])[1 + n % 4], 'db-' || n || '.example',
    3306, '', 'require', '', '', '', '', '', true, now(), now(),
    CASE WHEN n % 5 > 0 THEN {databases} * 12 * 1024::bigint * 1024 * 1024 END
FROM generate_series(1, {instances}) n""",
    """
INSERT INTO instance_databases (id, instance_id, database_name, is_active, first_seen_at,
    last_seen_at, size_bytes, measured_at, reason, tables_reason)
SELECT n, (n - 1) / {databases} + 1, 'app_' || lpad(n::text, 6, '0'), true, DATE '{first}',
    DATE '{last}' + time '03:00', pg_temp.size_of(n, '{last}'), DATE '{last}' + time '03:00', '', ''
FROM generate_series(1, {instances} * {databases}) n""",
    """
INSERT INTO tags (name, display_name, category, color, is_active, created_at, updated_at)
SELECT 'team-' || n, 'Team ' || n, 'team', 'gray', true, now(), now() FROM generate_series(1, 8) n
""",
    """
INSERT INTO instance_tags (instance_id, tag_id)
SELECT i.id, t.id FROM instances i JOIN tags t ON t.name = 'team-' || (1 + i.id % 8)""",
)
DATABASE_DAYS = """
INSERT INTO {table} (id, database_id, instance_id, collected_date, collected_at, size_bytes,
    data_bytes, reason)
SELECT {next}, n, (n - 1) / {databases} + 1, day::date, day + time '03:00', size, size, ''
FROM generate_series(timestamp '{since}', '{until}', interval '1 day') day,
    generate_series(1, {instances} * {databases}) n,
    LATERAL (SELECT pg_temp.size_of(n, day::date) AS size) bytes"""
INSTANCE_DAYS = """
INSERT INTO {table} (id, instance_id, collected_date, collected_at, size_bytes,
    database_count, measured_count, reason)
SELECT {next}, instance, day::date, day + time '03:00',
    {databases} * pg_temp.size_of(instance, day::date), {databases}, {databases}, ''
FROM generate_series(timestamp '{since}', '{until}', interval '1 day') day,
    generate_series(1, {instances}) instance"""
# First and last day by the formula; what lies between is not looked at.
PERIODS = """
INSERT INTO {table} (id, {columns}, period_type, period_start, period_end, avg_bytes, min_bytes,
    max_bytes, first_bytes, last_bytes, change_bytes, change_percent, data_points, calculated_at)
SELECT {next}, {values}, '{period}', starts, ends, (a + b) / 2, least(a, b), greatest(a, b), a, b,
    b - a, (b - a) * 100.0 / a, ends - starts + 1, now()
FROM generate_series(date_trunc('{unit}', timestamp '{since}'), '{until}',
        interval '{step}') moment,
    LATERAL (SELECT moment::date AS starts, (moment + interval '{step}')::date - 1 AS ends) period,
    generate_series(1, {count}) n,
    LATERAL (SELECT {each} * pg_temp.size_of(n, starts) AS a,
        {each} * pg_temp.size_of(n, least(ends, DATE '{last}')) AS b) bytes"""
STEPS = {
    "daily": ("day", "1 day"),
    "weekly": ("week", "1 week"),
    "monthly": ("month", "1 month"),
    "quarterly": ("quarter", "3 months"),
}
PARTITIONED = (
    "database_size_stats",
    "instance_size_stats",
    "database_size_aggregations",
    "instance_size_aggregations",
)
LEAVES = """
SELECT relid::regclass::text FROM pg_partition_tree(to_regclass(%s)) WHERE isleaf ORDER BY 1
"""
# Constraints first: without them their indexes are gone as well.
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = to_regclass(%s) AND contype IN ('p', 'u') ORDER BY conname
"""
INDEXES = """
SELECT relname, substring(pg_get_indexdef(indexrelid) from 'USING.*') FROM pg_index
JOIN pg_class index ON index.oid = indexrelid
WHERE indrelid = to_regclass(%s) AND NOT indisunique ORDER BY relname
"""
SIDE_BY_SIDE = 2
SETTINGS = """
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';
SET max_parallel_maintenance_workers = 0;
"""


@dataclass(frozen=True)
class Size:
    """How much there is: `days` of sizes, `summed` days of sums and `weeks` of sums of every
    database.
    """

    instances: int
    databases: int
    days: int
    summed: int
    weeks: int
    last: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def first(self) -> date:
        return self.last - timedelta(days=DAYS - 1)

    @property
    def names(self) -> dict[str, Any]:
        return {
            "instances": self.instances,
            "databases": self.databases,
            "first": self.first,
            "last": self.last,
        }


def load(size: Size) -> None:
    """Fill the empty store: tables without indexes month by month, two at a time, and the indexes
    then. Rows and indexes side by side take three times as long.
    """
    from django.db import connection

    from capacity import growth, outlook, partitions

    partitions.ensure(*(size.first + timedelta(days=n) for n in range(0, DAYS + 60, 20)))
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS + FORMULA.format(**size.names))
        for statement in FLEET:
            cursor.execute(statement.format(**size.names))
        kept = {table: _unindexed(cursor, table) for table in PARTITIONED}
        leaves = {leaf: table for table in PARTITIONED for leaf in _column(cursor, LEAVES, table)}
        with ThreadPoolExecutor(SIDE_BY_SIDE) as workers:
            work = [
                workers.submit(_fill, size, leaf, kept[table]) for leaf, table in leaves.items()
            ]
            for each in work:
                each.result()
        for table, statements in kept.items():
            for statement in statements:
                cursor.execute(statement.format(table=table, prefix=""))
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")
        growth.calculate()
        outlook.calculate()
        cursor.execute("VACUUM (ANALYZE) database_growth, instance_outlooks")


def _column(cursor: Any, query: str, table: str) -> list[str]:
    cursor.execute(query, [table])
    return [row[0] for row in cursor.fetchall()]


def _unindexed(cursor: Any, table: str) -> list[str]:
    """Drops its keys and indexes; the statements that make them again, of a `table` and under
    names with a `prefix`.
    """
    statements = []
    cursor.execute(CONSTRAINTS, [table])
    for name, definition in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        statements.append(f"ALTER TABLE {{table}} ADD CONSTRAINT {{prefix}}{name} {definition}")
    cursor.execute(INDEXES, [table])
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        statements.append(f"CREATE INDEX {{prefix}}{name} ON {{table}} {definition}")
    return statements


def _fill(size: Size, leaf: str, indexes: list[str]) -> None:
    """One month or one kind of period. Its indexes are those of the whole table later on."""
    from django.db import connection

    with closing(connection), connection.cursor() as cursor:
        cursor.execute(SETTINGS + FORMULA.format(**size.names))
        for statement in _rows(size, leaf):
            cursor.execute(statement)
        for number, statement in enumerate(indexes):
            prefix = f"{leaf.replace('aggregations', 'sums')}_{number}_"
            cursor.execute(statement.format(table=leaf, prefix=prefix))
        cursor.execute(f"VACUUM (FREEZE, ANALYZE) {leaf}")


def _rows(size: Size, leaf: str) -> Iterator[str]:
    """The statements that fill it."""
    scope, _sign, kind = leaf.partition("_size_")
    kind = kind.removeprefix("aggregations_").removeprefix("stats_")
    period = kind.partition("_")[0] if kind[0].isalpha() else ""
    of_databases = scope == "database"
    days = {"": size.days, "daily": size.summed, "weekly": 7 * size.weeks}.get(period, DAYS)
    since = size.last - timedelta(days=(days if of_databases else DAYS) - 1)
    until = size.last
    if kind[-1].isdigit():
        year, month = (int(number) for number in kind[-7:].split("_"))
        since = max(since, date(year, month, 1))
        until = min(until, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1))
    if since > until:
        return
    whole = f"{scope}_size_{'aggregations' if period else 'stats'}"
    # A month alone has no default for its numbers.
    number = f"nextval('{whole}_number')"
    names = size.names | {"table": leaf, "since": since, "until": until, "next": number}
    if not period:
        yield (DATABASE_DAYS if of_databases else INSTANCE_DAYS).format(**names)
        return
    unit, step = STEPS[period]
    databases = size.databases
    yield PERIODS.format(
        period=period,
        unit=unit,
        step=step,
        columns="database_id, instance_id" if of_databases else "instance_id",
        values=f"n, (n - 1) / {databases} + 1" if of_databases else "n",
        count=size.instances * databases if of_databases else size.instances,
        each=1 if of_databases else databases,
        **names,
    )
