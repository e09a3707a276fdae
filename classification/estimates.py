"""What the planner takes tables for, put right where it is far too little.

Where a table was next to empty when it was last looked at and is not any more, reading all of it
costs no more in the planner's eyes than one look into its index: a statement over many accounts
would do so for each of them. Two statements tell, at any size.
"""

from __future__ import annotations

import json
from typing import Any

# With the columns by which runs and risks look into them, and the rows that count.
TABLES = {
    "account_classification_assignments": ("account_id, classification_id, is_active", "is_active"),
    "account_risks": ("permission_id", "true"),
    "accepted_assignments": ("assignment_id", "true"),
}

FEW = 10
# A table with fewer rows is read as quickly as it is looked into.
ENOUGH = 1000

ESTIMATED = "EXPLAIN (FORMAT JSON) " + " UNION ALL ".join(
    f"(SELECT FROM {table} WHERE {counts})" for table, (_columns, counts) in TABLES.items()
)
FEW_OF = "(SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT {}) few)"
THERE = "SELECT " + ", ".join(
    FEW_OF.format(table, counts, ENOUGH) for table, (_columns, counts) in TABLES.items()
)


def estimated(cursor: Any) -> list[int]:
    """Rows of each of TABLES, as the planner sees it."""
    cursor.execute(ESTIMATED)
    (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return [each["Plan Rows"] for each in plan[0]["Plan"]["Plans"]]


def mend(cursor: Any) -> None:
    """Let the planner look again at those that hold more than ten times what it believes."""
    believed = estimated(cursor)
    cursor.execute(THERE)
    for (table, (columns, _counts)), rows, there in zip(
        TABLES.items(), believed, cursor.fetchone(), strict=True
    ):
        if there >= ENOUGH and rows * FEW < there:
            cursor.execute(f"ANALYZE {table} ({columns})")
