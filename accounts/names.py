"""Object names as people write them: `sales.orders`, `"a.b".c`, `[my db].dbo.t`. Pure."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

CLOSING = {'"': '"', "`": "`", "[": "]"}
# A plain part may carry a routine's arguments, dots inside them included.
PLAIN = re.compile(r"[^.\"`\[(]+(?:\([^)]*\))?")


def parse(text: str) -> tuple[str, ...]:
    """The parts of a name, outermost first; none for "", `*` and `*.*` (the whole server).

    Raises ValueError saying what is wrong.
    """
    text = text.strip()
    if text in ("", "*", "*.*"):
        return ()
    parts: list[str] = []
    at = 0
    while True:
        part, at = _quoted(text, at) if text[at : at + 1] in CLOSING else _plain(text, at)
        parts.append(part)
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            raise ValueError(_("Expected a dot after %(part)s in: %(text)s") % locals())
        at += 1


def _plain(text: str, at: int) -> tuple[str, int]:
    found = PLAIN.match(text, at)
    if found is None or not found[0].strip():
        raise ValueError(_("A part of the name is empty: %(text)s") % {"text": text})
    return found[0].strip(), found.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    closing = CLOSING[text[at]]
    part = ""
    start = at + 1
    while (end := text.find(closing, start)) >= 0:
        part += text[start:end]
        if text[end + 1 : end + 2] != closing:
            return _with_arguments(text, part, end + 1)
        part += closing
        start = end + 2
    raise ValueError(_("A quote is not closed in: %(text)s") % {"text": text})


def _with_arguments(text: str, part: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != "(":
        return part, at
    end = text.find(")", at) + 1 or len(text)
    return part + text[at:end], end
