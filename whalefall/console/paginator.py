"""Pages of big tables without counting them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

from whalefall import big_lists

EXACT_UP_TO = 5_000


class EstimatingPaginator(Paginator):
    """Counts exactly up to EXACT_UP_TO rows and estimates beyond: counting a million rows costs
    more than showing fifty of them.
    """

    is_estimate = False

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        number, self.is_estimate = big_lists.count(rows, EXACT_UP_TO)
        return number

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return super().page(number)
        found = big_lists.part(rows, first, self.per_page)
        return self._get_page(found, number, self)  # type: ignore[attr-defined]
