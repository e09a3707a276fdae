"""The rows of a fleet's capacity, made in the store by generate_series.

The layout of a store whose days are pruned: `sizes` of every database for the days that are kept
and the sums of its last days; sums by week, month and quarter of every database for two years; the
days and sums of every instance for two years. Growth, outlook and newest sums are then made by the
product's own statements.

Every size is a formula of the database and the day, so that an answer can be checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAYS = 730
SUMMED_DAYS = 14

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
DATABASE_DAY = """
INSERT INTO database_size_stats (database_id, instance_id, collected_date, collected_at, size_bytes,
    data_bytes, reason)
SELECT n, (n - 1) / {databases} + 1, DATE '{day}', DATE '{day}' + time '03:00', size, size, ''
FROM generate_series(1, {instances} * {databases}) n,
    LATERAL (SELECT pg_temp.size_of(n, '{day}') AS size) bytes"""
INSTANCE_DAYS = """
INSERT INTO instance_size_stats (instance_id, collected_date, collected_at, size_bytes,
    database_count, measured_count, reason)
SELECT instance, day::date, day + time '03:00', {databases} * pg_temp.size_of(instance, day::date),
    {databases}, {databases}, ''
FROM generate_series(timestamp '{first}', '{last}', interval '1 day') day,
    generate_series(1, {instances}) instance"""
# First and last day by the formula; what lies between is not looked at.
PERIODS = """
INSERT INTO {table} ({columns}, period_type, period_start, period_end, avg_bytes, min_bytes,
    max_bytes, first_bytes, last_bytes, change_bytes, change_percent, data_points, calculated_at)
SELECT {values}, '{period}', starts, ends, (a + b) / 2, least(a, b), greatest(a, b), a, b, b - a,
    (b - a) * 100.0 / a, ends - starts + 1, now()
FROM generate_series(date_trunc('{unit}', timestamp '{since}'), '{last}', interval '{step}') moment,
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
# Filled first and indexed then: rows and indexes side by side take three times as long.
INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = to_regclass(%s) AND NOT indisunique
"""
PARTITIONED = (
    "database_size_stats",
    "instance_size_stats",
    "database_size_aggregations",
    "instance_size_aggregations",
)


@dataclass(frozen=True)
class Size:
    """How much there is; `days` of sizes and `weeks` of sums of every database."""

    instances: int
    databases: int
    days: int
    weeks: int
    last: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def first(self) -> date:
        return self.last - timedelta(days=DAYS - 1)


def load(size: Size) -> None:
    """Fill the empty store."""
    from django.db import connection

    from capacity import growth, outlook, partitions

    first, last, kept = size.first, size.last, size.days
    names = {
        "instances": size.instances,
        "databases": size.databases,
        "first": first,
        "last": last,
        "weeks": size.weeks,
    }
    partitions.ensure(*(first + timedelta(days=n) for n in range(0, DAYS + 60, 20)))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the references are right
        cursor.execute(FORMULA.format(**names))
        indexes = [statement for table in PARTITIONED for statement in _unindexed(cursor, table)]
        for statement in FLEET:
            cursor.execute(statement.format(**names))
        for back in reversed(range(kept)):
            cursor.execute(DATABASE_DAY.format(day=last - timedelta(days=back), **names))
        cursor.execute(INSTANCE_DAYS.format(**names))
        _periods(cursor, min(kept, SUMMED_DAYS), names)
        for statement in indexes:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM (ANALYZE)")
        growth.calculate()
        outlook.calculate()
        cursor.execute("VACUUM (ANALYZE) database_growth, instance_outlooks")


def _unindexed(cursor: Any, table: str) -> list[str]:
    cursor.execute(INDEXES, [table])
    statements = [statement for (statement,) in cursor.fetchall()]
    for statement in statements:
        cursor.execute(f"DROP INDEX {statement.split()[2]}")
    return [statement.replace(" ON ONLY ", " ON ") for statement in statements]


def _periods(cursor: Any, summed: int, names: dict[str, Any]) -> None:
    last, databases = names["last"], names["databases"]
    for period, (unit, step) in STEPS.items():
        since = names["first"]
        if period in ("daily", "weekly"):
            since = last - timedelta(days=summed - 1 if period == "daily" else 7 * names["weeks"])
        shared = {"period": period, "unit": unit, "step": step, "last": last}
        of_databases = {
            "table": "database_size_aggregations",
            "columns": "database_id, instance_id",
            "values": f"n, (n - 1) / {databases} + 1",
            "count": names["instances"] * databases,
            "each": 1,
            "since": since,
        }
        of_instances = {
            "table": "instance_size_aggregations",
            "columns": "instance_id",
            "values": "n",
            "count": names["instances"],
            "each": databases,
            "since": names["first"],
        }
        for one in (of_databases, of_instances):
            cursor.execute(PERIODS.format(**shared, **one))
