"""Lists of a million rows: how many there are, and any page of them, without reading them all."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import BigAutoField, Lookup, Model, QuerySet

SAMPLED = 10_000
"""Rows of the table that are looked at where a list is too long to be counted."""

DEEP = 1_000
"""From this row on, the rows before it are passed over by their keys alone."""

# Of a table or its partitions; what was never analysed is taken for rows of 400 bytes.
ROWS = """
SELECT greatest(sum(CASE WHEN reltuples < 0 THEN pg_relation_size(oid) / 400
                         ELSE reltuples END), 1)
FROM pg_class WHERE relkind = 'r'
AND (oid = %s::regclass OR oid IN (SELECT relid FROM pg_partition_tree(%s::regclass)))
"""


class Among(Lookup):  # type: ignore[type-arg]
    """`pk__among=[...]`: as `in`, with all ids as one parameter."""

    lookup_name = "among"
    prepare_rhs = False
    names_rows = True

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*left_params, list(self.rhs))


BigAutoField.register_lookup(Among)


def count(rows: QuerySet[Any], exact_up_to: int) -> tuple[int, bool]:
    """(how many, whether that is an estimate): exact up to `exact_up_to`; of more rows the part
    that has them in a sample of the table. Never less than was counted.
    """
    keys = rows.order_by().values("pk")
    if _names_rows(rows.query.where):
        return keys.count(), False
    found = keys[: exact_up_to + 1].count()
    if found <= exact_up_to:
        return found, False
    return max(found, estimate(rows)), True


def _names_rows(condition: Any) -> bool:
    """Whether a lookup says which rows they are at most (`names_rows`): those are counted."""
    if getattr(condition, "connector", "AND") != "AND" or getattr(condition, "negated", False):
        return False
    children = getattr(condition, "children", ())
    return any(getattr(one, "names_rows", False) or _names_rows(one) for one in children)


def estimate(rows: QuerySet[Any]) -> int:
    """From SAMPLED rows of its table; what cannot be sampled is the planner's guess."""
    if rows.query.distinct or rows.query.combinator or rows.query.group_by:
        return planned_rows(rows)
    table = rows.model._meta.db_table
    percent = min(100 * SAMPLED / table_rows(rows.model), 100)
    with connection.cursor() as cursor:
        sql, params = rows.order_by().values("pk").query.sql_with_params()
        whole, sample = f'FROM "{table}"', f'FROM "{table}" TABLESAMPLE SYSTEM ({percent:.4f})'
        # Repeatable: the number does not change from one page to the next.
        sampled = sql.replace(whole, f"{sample} REPEATABLE (0)", 1)
        cursor.execute(f"SELECT count(*) FROM ({sampled}) sampled", params)  # noqa: S608
        (found,) = cursor.fetchone()
    return round(found * 100 / percent)


def table_rows(model: type[Model]) -> float:
    """How many rows its table has, from the store's statistics; at least 1."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [f'"{model._meta.db_table}"'] * 2)
        known: float = cursor.fetchone()[0]
    return float(known)


def part(rows: QuerySet[Any], first: int, size: int) -> QuerySet[Any]:
    """`size` rows from `first` on. Deep in the list they cost the keys of the rows before them, not
    their joined columns.
    """
    if first < DEEP:
        return rows[first : first + size]
    keys = list(rows.values_list("pk", flat=True)[first : first + size])
    return rows.filter(pk__in=keys)


def planned_rows(rows: QuerySet[Any]) -> int:
    """How many rows the store's planner expects, from its statistics: no table is read."""
    sql, params = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
