"""What higher apps know narrows `manage.py accounts`, and is shown by it: they register here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import AccountPermission, PermissionQuerySet


@dataclass(frozen=True, slots=True)
class ListOption:
    """`--<name> VALUE`; `narrow(rows, value)` may raise CommandError on a value that is none."""

    name: str
    help: Any
    narrow: Callable[[PermissionQuerySet, str], PermissionQuerySet]


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column after the others. `prepare(rows)` reads what `value(permission)` takes it from."""

    name: str
    heading: Any
    prepare: Callable[[PermissionQuerySet], PermissionQuerySet]
    value: Callable[[AccountPermission], Any]


OPTIONS: dict[str, ListOption] = {}
COLUMNS: dict[str, ListColumn] = {}


def register(option: ListOption) -> None:
    """Called from an app's `ready()`."""
    OPTIONS[option.name] = option


def show(column: ListColumn) -> None:
    """Called from an app's `ready()`."""
    COLUMNS[column.name] = column
