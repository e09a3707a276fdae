"""Searching pages of rows that have an account, by any part of its name."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import InstanceAccount
from whalefall.console.search import words


class SearchedByAccount:
    """A page whose rows have an account at `account_path` ("" where they are accounts). Other
    columns named in `search_fields` are searched as everywhere; each word has to be found.
    """

    account_path = ""
    search_fields: tuple[str, ...] = ("username",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        name = f"{self.account_path}username"
        others = [field for field in self.search_fields if field != name]
        found, is_many = queryset, False
        for word in words(search_term):
            named = InstanceAccount.objects.named(word)
            condition = named.condition(self.account_path)
            for field in others:
                condition |= Q((f"{field}__icontains", word))
            found, is_many = found.filter(condition), is_many or named.is_many
        if is_many and not request.GET.get("o"):
            # So many are in no order: a text that all names begin with would be found after the
            # rest of a million.
            found = found.order_by("pk")
        return found, False
