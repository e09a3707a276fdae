"""Cards of the start page: a few true numbers, each leading to the list behind it.

An app registers a function that gives its cards; each function may ask a constant number of
queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode


@dataclass(frozen=True, slots=True)
class Card:
    """`value` is shown as it is; `tone`: good, warning, danger or empty. `changes` are lines below
    it (`change`).
    """

    title: Any
    value: Any
    url: str
    icon: str
    note: Any = ""
    tone: str = ""
    changes: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A short table under the cards: rows of cells (text or safe HTML), and the list behind it.

    `numeric` are the columns that stand on the right; `is_moving`: to be looked
    at again soon; `is_wide`: over the whole width. `note` stands under the title.
    """

    title: Any
    headers: list[Any]
    rows: list[list[Any]]
    url: str
    empty: Any = ""
    numeric: tuple[int, ...] = ()
    note: Any = ""
    is_wide: bool = False
    is_moving: bool = False

    def cells(self) -> list[list[tuple[Any, bool]]]:
        """Each cell with whether it is numeric."""
        return [[(cell, at in self.numeric) for at, cell in enumerate(row)] for row in self.rows]

    def heads(self) -> list[tuple[Any, bool]]:
        return [(header, at in self.numeric) for at, header in enumerate(self.headers)]


Source = Callable[[HttpRequest], Iterable[Any]]
_cards: list[tuple[int, Source]] = []
_panels: list[tuple[int, Source]] = []
_live: list[tuple[int, Source]] = []


def cards(order: int) -> Callable[[Source], Source]:
    """Registers a function `request -> cards`; lower orders come first."""
    return _into(_cards, order)


def panels(order: int) -> Callable[[Source], Source]:
    """Registers a function `request -> panels`; lower orders come first."""
    return _into(_panels, order)


def live_panels(order: int) -> Callable[[Source], Source]:
    """The same for panels that show again how things stand while the page is open."""
    return _into(_live, order)


def all_cards(request: HttpRequest) -> list[Card]:
    return _collect(_cards, request)


def all_panels(request: HttpRequest) -> list[Panel]:
    return _collect(_panels, request)


def all_live(request: HttpRequest) -> list[Panel]:
    return _collect(_live, request)


def list_url(label: str, **query: Any) -> str:
    """The address of a list: `list_url("sync_syncsession", status__exact="running")`."""
    query_string = urlencode(query)
    return reverse(f"admin:{label}_changelist") + (f"?{query_string}" if query_string else "")


def _into(registry: list[tuple[int, Source]], order: int) -> Callable[[Source], Source]:
    def register(source: Source) -> Source:
        registry.append((order, source))
        return source

    return register


def _collect(registry: list[tuple[int, Source]], request: HttpRequest) -> list[Any]:
    ordered = sorted(registry, key=lambda entry: entry[0])
    return [item for _order, source in ordered for item in source(request)]
