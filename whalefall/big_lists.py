"""Lists of a million rows: how many there are, and any page of them, without reading them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import BigAutoField, Lookup, Model, QuerySet
from django.db.models.lookups import In
from django.db.models.sql.where import AND, WhereNode

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

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*left_params, list(self.rhs))


class Within(In):
    """`pk__within=rows.values(...)`: as `in`, for many rows that a list shows in its order. That is
    walked and each row looked up in a hash of them, to the end of a page; joined, the planner may
    look into a wide table for every row on the way. What is only counted is joined all the same.
    """

    lookup_name = "within"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = super().as_sql(compiler, connection)
        rows = compiler.query
        is_in_order = rows.order_by or (rows.default_ordering and rows.get_meta().ordering)
        return (f"({sql}) IS TRUE" if is_in_order else sql), params


BigAutoField.register_lookup(Among)
BigAutoField.register_lookup(Within)


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a list is. `keys` are those of all its rows, in no order; None where it is too long,
    or no plain list of rows.
    """

    total: int
    is_estimate: bool = False
    keys: list[Any] | None = None


def extent(rows: QuerySet[Any], exact_up_to: int) -> Extent:
    """Exact up to `exact_up_to`; of more rows the part that has them in a sample of the table, and
    never less than was counted.
    """
    first = rows.order_by().values("pk")[: exact_up_to + 1]
    keys = None
    if _is_plain(rows):
        # Whatever it took to find so few: the page need not look for them again.
        keys = first.aggregate(keys=ArrayAgg("pk"))["keys"] or []
    found = first.count() if keys is None else len(keys)
    if found <= exact_up_to:
        return Extent(found, keys=keys)
    return Extent(max(found, estimate(rows)), is_estimate=True)


def _is_plain(rows: QuerySet[Any]) -> bool:
    return not (rows.query.distinct or rows.query.combinator or rows.query.group_by)


def estimate(rows: QuerySet[Any]) -> int:
    """From SAMPLED rows of its table; what cannot be sampled is the planner's guess."""
    if not _is_plain(rows):
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


def part(rows: QuerySet[Any], first: int, size: int, known: Extent) -> QuerySet[Any]:
    """`size` rows from `first` on; `known` is the `extent` of the list. Deep in the list, and where
    many rows are walked on the way, those cost their keys, not their other columns.
    """
    if known.keys is not None:
        if not known.keys:
            return rows.none()
        rows = _of_keys(rows, known.keys) if rows.query.where else rows
        return rows[first : first + size]
    if first < DEEP and not _is_walked(rows.query.where):
        return rows[first : first + size]
    return _of_keys(rows, list(rows.values_list("pk", flat=True)[first : first + size]))


def _of_keys(rows: QuerySet[Any], keys: list[Any]) -> QuerySet[Any]:
    """Those of `rows` that have these keys, all of which were found in `rows` before."""
    found = rows.all()
    found.query.where = _but_for_keys(found.query.where)
    lookup = "among" if isinstance(rows.model._meta.pk, BigAutoField) else "in"
    return found.filter(**{f"pk__{lookup}": keys})


def _is_walked(condition: Any) -> bool:
    children = getattr(condition, "children", ())
    return isinstance(condition, Within) or any(map(_is_walked, children))


def _but_for_keys(condition: Any) -> Any:
    """`condition` without what it says by AND about `Among` and `Within`: the planner takes two
    lists of keys for far fewer rows than one.
    """
    if not isinstance(condition, WhereNode) or condition.connector != AND or condition.negated:
        return condition
    kept = [child for child in condition.children if not isinstance(child, Among | Within)]
    return WhereNode([_but_for_keys(child) for child in kept])


def planned_rows(rows: QuerySet[Any]) -> int:
    """How many rows the store's planner expects, from its statistics: no table is read."""
    sql, params = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
