"""Searching pages of databases, and of what is known about them, by any part of the name."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from capacity.models import InstanceDatabase
from capacity.search import MOST_LISTED, named
from whalefall.console.search import words
from whalefall.instances.models import Instance


class SearchedByDatabase:
    """A page whose rows have a database at `database_path` ("" where they are databases). Other
    columns named in `search_fields` are searched as everywhere; each word has to be found.
    """

    database_path = "database__"
    search_fields: tuple[str, ...] = ("database__database_name",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for word in words(search_term):
            queryset = queryset.filter(self._has(word))
        return queryset, False

    def _has(self, word: str) -> Q:
        condition = named(InstanceDatabase.objects.all(), word, self.database_path)
        for field in self.search_fields:
            if field == "instance__name":
                condition |= on_instances(word)
            elif field != f"{self.database_path}database_name":
                condition |= Q((f"{field}__icontains", word))
        return condition


def on_instances(text: str) -> Q:
    """Rows of instances with this in their name: by ids, which the store joins with others by
    index, where they are not too many.
    """
    there = Instance.objects.filter(name__icontains=text).order_by()
    ids = list(there.values_list("pk", flat=True)[: MOST_LISTED + 1])
    if len(ids) > MOST_LISTED:
        return Q(instance__name__icontains=text)
    return Q(instance__in=ids)
