"""Accounts by any part of their name, at a million of them and without an extension of the store.

Each account keeps its name case-folded (`search_name`); a GIN index holds the one and two letter
pieces of it (`account_name_grams`, made by a migration). A search asks the index for the pieces of
what was typed and looks at what it finds, so that every script and every length of text is served
alike: `pay`, `%`, `李`, an emoji.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from whalefall import big_lists

MOST_LISTED = 5_000
COMMON = 4
"""What a sample has more than so many times MOST_LISTED is not asked of the index at all."""
"""Accounts that are listed by id, all of which a list counts. Of more, each two hundredth of a
million has the text in its name: looking at one after the other finds a page of them sooner."""


@dataclass(frozen=True, slots=True)
class Found:
    """`accounts`: the ids; None where there are more than MOST_LISTED."""

    text: str
    accounts: list[int] | None

    def condition(self, prefix: str = "") -> Q:
        """For rows of accounts, or with `prefix` (`account__`) for rows that have one."""
        if self.accounts is not None:
            return Q((f"{prefix}pk__among", self.accounts))
        # Not LIKE: the planner takes a pattern for rare and would read all accounts to sort them.
        place = StrIndex(f"{prefix}search_name", Value(self.text))
        return Q(GreaterThan(place, 0))

    @property
    def is_many(self) -> bool:
        """Whether there are too many to put them in order."""
        return self.accounts is None


class NameGrams(Func):
    """The pieces of a folded name, as the index has them."""

    function = "account_name_grams"
    arity = 1
    output_field = ArrayField(models.TextField())


class FoldedName(models.TextField):  # type: ignore[type-arg]
    """The folded `username` of the row, however it is stored."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold(model_instance.username)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, folded)
        return folded


def fold(text: str) -> str:
    """A name as it is searched: without differences of case, accents always in one letter."""
    return unicodedata.normalize("NFC", text).casefold()


def grams(folded: str) -> list[str]:
    """Pieces of one or two letters that every name with this text has; the fewest that cover it."""
    if len(folded) < 2:
        return [folded] if folded else []
    starts = range(0, len(folded) - 1, 2)
    return sorted({*(folded[at : at + 2] for at in starts), folded[-2:]})


def find(accounts: QuerySet[Any], text: str) -> Found:
    """Those of `accounts` with this in their name, in bounded statements."""
    folded = fold(text)
    if not folded or "\0" in folded:
        return Found(folded, [])
    contains = GreaterThan(StrIndex("search_name", Value(folded)), 0)
    if big_lists.estimate(accounts.filter(contains)) > COMMON * MOST_LISTED:
        return Found(folded, None)
    named = accounts.alias(grams=NameGrams("search_name"))
    found = named.filter(contains, grams__contains=grams(folded)).order_by()
    ids = list(found.values_list("pk", flat=True)[: MOST_LISTED + 1])
    return Found(folded, ids if len(ids) <= MOST_LISTED else None)
