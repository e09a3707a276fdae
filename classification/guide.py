"""The guide to writing rules, `docs/rule-writing.md`, for the console."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

PAGE = "docs/rule-writing.md"


@cache
def guide() -> SafeString:
    """As HTML, without its title. HTML inside the page would be shown as text."""
    text = (settings.BASE_DIR / PAGE).read_text(encoding="utf-8")
    body = text.partition("\n")[2]
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    return mark_safe(made)  # noqa: S308  (our own file, rendered without HTML)
