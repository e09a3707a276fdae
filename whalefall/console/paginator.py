"""Pages of big tables without counting them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

from whalefall import big_lists
from whalefall.big_lists import Extent

EXACT_UP_TO = 5_000


class EstimatingPaginator(Paginator):
    """Counts exactly up to EXACT_UP_TO rows and estimates beyond: counting a million rows costs
    more than showing fifty of them.
    """

    @cached_property
    def extent(self) -> Extent:
        rows: Any = self.object_list
        return big_lists.extent(rows, EXACT_UP_TO) if hasattr(rows, "query") else Extent(len(rows))

    @cached_property
    def count(self) -> int:
        return self.extent.total

    @property
    def is_estimate(self) -> bool:
        return self.extent.is_estimate

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return super().page(number)
        found = big_lists.part(rows, first, self.per_page, self.extent)
        return self._get_page(found, number, self)  # type: ignore[attr-defined]
