"""Databases by any part of their name, at hundreds of thousands of them and without an extension of
the store: an index holds the one and two letter pieces of each name in capitals
(`database_name_grams`, made by a migration).
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import GreaterThan

MOST_LISTED = 1_000
"""Databases that are listed by id; of more, looking at one after the other finds a page sooner."""


class NameGrams(Func):
    """The pieces of a name in capitals, as the index has them."""

    function = "database_name_grams"
    arity = 1
    output_field = ArrayField(TextField())


def named(databases: QuerySet[Any], text: str, prefix: str = "") -> Q:
    """What narrows a list to databases with this in their name, whatever its case. `prefix`
    (`database__`) is the way to them from its rows. Asks one bounded statement.
    """
    ids = find(databases, text)
    if ids is None:
        return Q(_contains(f"{prefix}database_name", text))
    # A database has hundreds of days: their rows are not all counted, as the databases are.
    return Q((f"{prefix}pk__in", ids)) if prefix else Q(pk__among=ids)


def find(databases: QuerySet[Any], text: str) -> list[int] | None:
    """Their ids; None where there are more than MOST_LISTED."""
    pieces = NameGrams(Upper(Value(text)))
    found = databases.alias(grams=NameGrams(Upper("database_name")))
    found = found.filter(_contains("database_name", text), grams__contains=pieces).order_by()
    ids = list(found.values_list("pk", flat=True)[: MOST_LISTED + 1])
    return ids if len(ids) <= MOST_LISTED else None


def _contains(column: str, text: str) -> GreaterThan:
    # Not LIKE: the planner takes a pattern for rare and would read all databases to sort them.
    return GreaterThan(StrIndex(Upper(column), Upper(Value(text))), 0)
