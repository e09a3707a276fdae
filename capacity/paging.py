"""Pages of tables with millions of rows: which rows first, what stands in them then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request

from whalefall.paging import Pagination

if TYPE_CHECKING:
    from rest_framework.views import APIView


class KeysFirst(Pagination):
    """Finds and sorts keys alone, and reads the rows of the one page with all that belongs to
    them: else hundreds of thousands of rows are joined to show twenty.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        keys = super().paginate_queryset(queryset.select_related(None).only("pk"), request, view)
        found = {row.pk: row for row in queryset.order_by().filter(pk__in=[k.pk for k in keys])}
        return [found[key.pk] for key in keys if key.pk in found]
