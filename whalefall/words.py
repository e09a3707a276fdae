"""What was stored in English, said in the reader's language: the sentences of engines
(`whalefall.engines.words`), and messages of ours that workers store, who have no reader.

A text is compared with the templates, the one with the most letters of its own first; what fits
none is a server's own message and stays as it is. In templates: `{% load words %}`, `|said`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from django import template
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from whalefall.engines.words import KINDS, KNOWN_ONLY, WITHIN, sentences

register = template.Library()

OURS = (
    _("The accounts could not be read: %(why)s"),
    _("The databases could not be read: %(why)s"),
    _("The server showed no account at all."),
    _("The instance was removed."),
    _("Another sync of %(instance)s is running: wait for it to end."),
    _("The connection to the store was lost while the server was read: nothing written."),
    _("An error of ours (%(kind)s): nothing was written, the details are in the log."),
    _(
        "The worker was lost before it finished (killed, or its machine died). Nothing of "
        "this instance was written. Retry the failed records."
    ),
    _("%(instance)s is not watched: it is switched off or in the recycle bin."),
    _("There is no active rule."),
    _("There is no account to classify."),
    _("Another run over all accounts has not ended."),
    _("The store was lost meanwhile: nothing written."),
    _("An error of ours: nothing was written."),
    _("every instance"),
    _("The server did not tell its size."),
    _("No longer on the server."),
    _("It has more than %(most)d tables."),
    _("No limit is set on the instance."),
    _("It does not grow."),
    _("no longer on the server"),
    _("new: %(what)s"),
    _("new, without privileges"),
    _("back: %(what)s"),
    _("back, unchanged"),
    _("%(action)s %(permissions)s on %(object)s"),
    _("and %(n)d more"),
)
"""The messages that are stored as they were said; each stands where it is said as well."""

PLACE = re.compile(r"\{(\w+)\}|%\((\w+)\)([sd])")
OF_OURS: Mapping[str, str] = {"action": "GRANT|REVOKE|ALTER", "kind": r"\w+"}
PARTS = (("; ", "；"), (", ", "、"))
"""How several sentences stand in one text, and how they do in the reader's; all must be known."""
END = re.compile(r"(?<=[.!?]) ")


@dataclass(frozen=True, slots=True)
class Template:
    msgid: str
    pattern: re.Pattern[str]

    def said(self, text: str) -> str | None:
        """The text in the reader's language; None where it is no such sentence."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = found.groupdict()
        for name, value in values.items():
            known = _known(value) if name in WITHIN or name == "what" else None
            if known is None and name in KNOWN_ONLY:
                return None
            values[name] = known or value
        translated = gettext(self.msgid)
        return PLACE.sub(lambda place: values[place[1] or place[2]], translated)


def _pattern(msgid: str) -> re.Pattern[str]:
    pieces, end = [], 0
    for place in PLACE.finditer(msgid):
        name = place[1] or place[2]
        kinds = KINDS if place[1] else OF_OURS
        wanted = r"\d+|…" if place[3] == "d" else kinds.get(name, r".+?")
        pieces += [re.escape(msgid[end : place.start()]), f"(?P<{name}>{wanted})"]
        end = place.end()
    return re.compile("".join((*pieces, re.escape(msgid[end:]))), re.DOTALL)


@cache
def _templates() -> tuple[dict[str, Template], tuple[Template, ...]]:
    """Those without a place, by their text; the others, the most telling first."""
    every = [Template(text, _pattern(text)) for text in dict.fromkeys((*OURS, *sentences()))]
    plain = {one.msgid: one for one in every if not PLACE.search(one.msgid)}
    open_ = [one for one in every if one.msgid not in plain]
    return plain, tuple(sorted(open_, key=lambda one: -len(PLACE.sub("", one.msgid))))


def _known(text: str) -> str | None:
    """One or more sentences of the lists in the reader's language; None for anything else."""
    plain, others = _templates()
    if text in plain:
        return gettext(text)
    for between, shown in PARTS:
        pieces = text.split(between) if between in text else []
        known = [translated for piece in pieces if (translated := _known(piece)) is not None]
        if known and len(known) == len(pieces):
            return shown.join(known)
    for one in others:
        if (translated := one.said(text)) is not None:
            return translated
    return None


def said(text: str) -> str:
    """A stored text in the reader's language, sentence by sentence where it holds several."""
    language = get_language() or ""
    return text if not text or language.startswith("en") else _said(text, language)


@lru_cache(maxsize=4096)
def _said(text: str, language: str) -> str:
    for end in END.finditer(text):
        head = _known(text[: end.start()])
        if head is not None:
            return head + _said(text[end.end() :], language)
    return _known(text) or text


register.filter("said", said)
