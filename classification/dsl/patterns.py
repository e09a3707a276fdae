"""Patterns: `*` and `?` as people write them, LIKE as PostgreSQL and MySQL understand it.

The lookups and `like` give the same answer, one in the store, one in Python.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Lookup


def escaped(text: str) -> str:
    """`text` as a LIKE pattern that matches itself alone."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def glob_to_like(glob: str) -> str:
    """`*` stands for anything, `?` for one character, all else for itself."""
    return escaped(glob).replace("*", "%").replace("?", "_")


def is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def like(pattern: str, text: str) -> bool:
    """Whether `text` LIKE `pattern`, as the store would say."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    out, chars = [], iter(pattern)
    for char in chars:
        if char == "\\":
            # A lone backslash at the end stands for itself, as in MySQL.
            out.append(re.escape(next(chars, "\\")))
        else:
            out.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
    return re.compile("".join(out), re.DOTALL)


# PostgreSQL refuses a pattern that ends in a lone backslash: it is doubled first.
_PATTERN_OF_WORD = r"""
    regexp_replace(
        CASE WHEN substr(word, %s) LIKE '"%%'
             THEN replace(substr(word, %s, length(word) - %s), '""', '"')
             ELSE substr(word, %s) END,
        '((?:^|[^\\])(?:\\\\)*)\\$', '\1\\\\'
    )"""


@ArrayField.register_lookup
class AnyLike(Lookup):
    """`field__any_like=pattern`: some element is LIKE the pattern. No index serves it: put an
    indexed condition beside it.
    """

    lookup_name = "any_like"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"EXISTS (SELECT FROM unnest({column}) word WHERE word LIKE %s)", (*params, self.rhs)


@ArrayField.register_lookup
class AnyCovers(Lookup):
    """`field__any_covers=(prefix, name)`: an element is `prefix` and a pattern for `name`."""

    lookup_name = "any_covers"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        prefix, name = self.rhs
        start = len(prefix) + 1
        places = [start, start + 1, start + 1, start]
        return (
            f"EXISTS (SELECT FROM unnest({column}) word"
            f" WHERE word LIKE %s AND %s LIKE {_PATTERN_OF_WORD})",
            (*params, escaped(prefix) + "%", name, *places),
        )


class _Like(Lookup):
    """Part of a text LIKE a pattern."""

    part = "%s"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{self.part % column} LIKE %s", (*params, self.rhs)


@CharField.register_lookup
class TextLike(_Like):
    lookup_name = "like"


@CharField.register_lookup
class UserLike(_Like):
    """The text before the last @."""

    lookup_name = "user_like"
    part = "regexp_replace(%s, '@[^@]*$', '')"


@CharField.register_lookup
class HostLike(_Like):
    """The text behind the last @, empty where there is none."""

    lookup_name = "host_like"
    part = "coalesce(substring(%s from '@([^@]*)$'), '')"
