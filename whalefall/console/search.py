"""What people type into the search of a list."""

from __future__ import annotations

from django.utils.text import smart_split, unescape_string_literal


def words(text: str) -> list[str]:
    """`"a b" c` is two words."""
    found = []
    for word in smart_split(text):
        if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1:
            word = unescape_string_literal(word)
        found.append(word)
    return [word for word in found if word]
