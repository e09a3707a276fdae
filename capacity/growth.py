"""How each database grew over the last week, month, quarter and year: a row per database and
window. Lists of what moved most come from an index, whatever the number of databases and days.

One statement writes, whatever the number of databases; doing it again writes nothing.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from capacity.models import Window

SLACK = 7
"""Days by which the day that is compared with may lie further back, where the server was away."""

# The newest measured day of each present database, and of each window the newest one before it.
GROW = """
INSERT INTO database_growth AS old (database_id, instance_id, window_days, from_day, to_day,
    from_bytes, to_bytes, change_bytes, change_percent)
SELECT database.id, database.instance_id, days, earlier.collected_date, newest.collected_date,
    earlier.size_bytes, newest.size_bytes, newest.size_bytes - earlier.size_bytes,
    (newest.size_bytes - earlier.size_bytes) * 100.0 / nullif(earlier.size_bytes, 0)
FROM instance_databases database
CROSS JOIN LATERAL (
    SELECT collected_date, size_bytes FROM database_size_stats
    WHERE database_id = database.id AND size_bytes IS NOT NULL
        AND collected_date = (database.measured_at AT TIME ZONE %(zone)s)::date
) newest
CROSS JOIN unnest(%(windows)s::int[]) AS days
CROSS JOIN LATERAL (
    SELECT collected_date, size_bytes FROM database_size_stats
    WHERE database_id = database.id AND size_bytes IS NOT NULL
        AND collected_date <= newest.collected_date - days
        AND collected_date >= newest.collected_date - days - %(slack)s
    ORDER BY collected_date DESC LIMIT 1
) earlier
WHERE database.is_active {narrowed}
ORDER BY database.id, days
ON CONFLICT (database_id, window_days) DO UPDATE SET
    from_day = excluded.from_day, to_day = excluded.to_day, from_bytes = excluded.from_bytes,
    to_bytes = excluded.to_bytes, change_bytes = excluded.change_bytes,
    change_percent = excluded.change_percent
WHERE (old.from_day, old.to_day, old.from_bytes, old.to_bytes)
    IS DISTINCT FROM (excluded.from_day, excluded.to_day, excluded.from_bytes, excluded.to_bytes)
"""
# Gone databases, and rows that the statement above could not bring up to the newest day.
LEAVE = """
DELETE FROM database_growth growth USING instance_databases database
WHERE database.id = growth.database_id {narrowed}
    AND (NOT database.is_active
         OR growth.to_day <> (database.measured_at AT TIME ZONE %(zone)s)::date)
"""


def calculate(instance_id: int | None = None) -> int:
    """Of one instance or of all; how many rows are new, changed or gone."""
    narrowed = "" if instance_id is None else "AND database.instance_id = %(instance)s"
    values: dict[str, Any] = {
        "instance": instance_id,
        "windows": list(Window.values),
        "slack": SLACK,
        "zone": timezone.get_default_timezone_name(),
    }
    written = 0
    with connection.cursor() as cursor:
        for statement in (GROW, LEAVE):
            cursor.execute(statement.format(narrowed=narrowed), values)
            written += cursor.rowcount
    return written
