"""How many accounts had each classification, each rule's, each risk, day by day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection

from classification import risks
from classification.models import DailyCount

# The day's last word: counted again, a day's rows are replaced where they differ. What nobody has
# any more is counted as 0, so that a curve ends at the bottom and not in the air.
COUNT = """
    INSERT INTO classification_daily_counts (day, kind, key, name, accounts, accepted)
    WITH held AS MATERIALIZED (
        SELECT x.rule_id, x.classification_id, w.assignment_id IS NOT NULL AS is_accepted
        FROM account_classification_assignments x
        JOIN account_permission p ON p.id = x.account_id
        JOIN instances i ON i.id = p.instance_id AND i.deleted_at IS NULL
        LEFT JOIN accepted_assignments w ON w.assignment_id = x.id AND w.ends_on >= %(today)s
        WHERE x.is_active),
    levels AS (
        SELECT r.level, count(*) AS number
        FROM account_risks r
        JOIN account_permission p ON p.id = r.permission_id
        JOIN instance_accounts a ON a.id = p.account_id AND a.is_active
            AND NOT a.comes_with_product
        JOIN instances i ON i.id = p.instance_id AND i.deleted_at IS NULL
        GROUP BY r.level),
    counted (kind, key, name, accounts, accepted) AS (
        SELECT 'rule', r.id::text, r.rule_name, count(h.rule_id),
               count(*) FILTER (WHERE h.is_accepted)
        FROM classification_rules r LEFT JOIN held h ON h.rule_id = r.id
        GROUP BY r.id HAVING r.is_active OR count(h.rule_id) > 0
        UNION ALL
        SELECT 'classification', k.id::text, k.name, count(h.classification_id),
               count(*) FILTER (WHERE h.is_accepted)
        FROM account_classifications k LEFT JOIN held h ON h.classification_id = k.id
        GROUP BY k.id HAVING k.is_active OR count(h.classification_id) > 0
        UNION ALL
        SELECT 'risk', n.name, n.name, coalesce(l.number, 0),
               CASE n.rank WHEN 1 THEN coalesce(l.number, 0) ELSE 0 END
        FROM unnest(%(levels)s::text[]) WITH ORDINALITY n (name, rank)
        LEFT JOIN levels l ON l.level = n.rank - 1)
    SELECT %(today)s::date, c.kind, c.key, c.name, c.accounts, c.accepted
    FROM counted c
    LEFT JOIN classification_daily_counts old
      ON old.day = %(today)s AND old.kind = c.kind AND old.key = c.key
    WHERE (old.name, old.accounts, old.accepted)
          IS DISTINCT FROM (c.name, c.accounts, c.accepted)
    ON CONFLICT (day, kind, key) DO UPDATE
    SET name = excluded.name, accounts = excluded.accounts, accepted = excluded.accepted
"""


def count_today() -> int:
    """Count for today (UTC), in one statement; how many rows were new or differed."""
    risks.settle()
    params: dict[str, Any] = {"today": risks.today(), "levels": ["accepted", *risks.LEVELS]}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, params)
        return cursor.rowcount


def curves(kind: str, days: int, keys: Collection[str] = ()) -> list[dict[str, Any]]:
    """One curve for each key: `{"key", "name", "points": [{"day", "accounts", "accepted"}]}`, the
    name as it was last. A day on which nothing counted has no point.
    """
    rows = DailyCount.objects.filter(kind=kind, day__gt=risks.today() - timedelta(days=days))
    if keys:
        rows = rows.filter(key__in=keys)
    found: dict[str, dict[str, Any]] = {}
    for row in rows.order_by("day", "key").values("key", "name", "day", "accounts", "accepted"):
        curve = found.setdefault(row["key"], {"key": row["key"], "points": []})
        curve["name"] = row["name"]
        point = {name: row[name] for name in ("day", "accounts", "accepted")}
        curve["points"].append(point)
    return list(found.values())
