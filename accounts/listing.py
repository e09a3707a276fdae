"""`manage.py accounts` can be narrowed by what higher apps know: they register it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import PermissionQuerySet


@dataclass(frozen=True, slots=True)
class ListOption:
    """`--<name> VALUE`; `narrow(rows, value)` may raise CommandError on a value that is none."""

    name: str
    help: Any
    narrow: Callable[[PermissionQuerySet, str], PermissionQuerySet]


OPTIONS: dict[str, ListOption] = {}


def register(option: ListOption) -> None:
    """Called from an app's `ready()`."""
    OPTIONS[option.name] = option
