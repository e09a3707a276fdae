"""The rows of a list as unfold draws them, quicker: what is the same in every row is made once.

Unfold makes all headers anew for each row and asks a template for each checkbox; at fifty rows that
was two thirds of the time of a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from types import SimpleNamespace
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field, quote
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, checkbox
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES
from unfold.utils import (
    display_for_dropdown,
    display_for_field,
    display_for_header,
    display_for_label,
    display_for_value,
)

CHECKBOX = "action_checkbox"
MARK = "wfkey"
"""Stands for a row's key in what is made once; a letter of it would be quoted in an address."""


@dataclass(frozen=True, slots=True)
class Column:
    """`start` and `start_nowrap` are the beginning of a cell, `end` its end."""

    name: str
    is_link: bool
    start: str
    start_nowrap: str
    end: str


def is_drawn_here(cl: Any, actions_row: Any) -> bool:
    """Whether these rows are all that the page shows: forms, sections, drag and drop and buttons in
    rows are left to unfold.
    """
    page = cl.model_admin
    sections = getattr(page, "list_sections", ())  # there only where a page has some
    return not any((sections, page.ordering_field, cl.formset, actions_row))


def drawn(cl: Any, headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of each row; `headers` are those of unfold's `result_headers`."""
    columns = list(_columns(cl, headers))
    links, boxes = Links(cl), _boxes(cl)
    for row in cl.result_list:
        yield mark_safe("".join(_cell(cl, column, row, links, boxes) for column in columns))  # noqa: S308


def _columns(cl: Any, headers: list[dict[str, Any]]) -> Iterator[Column]:
    is_first = True
    for place, name in enumerate(cl.list_display):
        is_link = _is_link(cl, name, is_first)
        tag = "th" if is_link and is_first else "td"
        is_first = is_first and not is_link
        label = headers[place]["text"] if place or is_link else _("Select record")
        classes = [f"field-{_plain(name, place)}", *ROW_CLASSES]
        if name == CHECKBOX:
            classes = CHECKBOX_CLASSES
        begun, label = f'<{tag} class="{" ".join(classes)}', conditional_escape(label)
        starts = f'{begun}" data-label="{label}">', f'{begun} nowrap" data-label="{label}">'
        yield Column(name, is_link, starts[0], starts[1], f"</{tag}>")


def _plain(name: Any, place: int) -> str:
    return str(getattr(name, "__name__", place)) if callable(name) else str(name)


def _is_link(cl: Any, name: Any, is_first: bool) -> bool:
    links = cl.list_display_links
    return links is not None and (name in links if links else is_first)


def _cell(cl: Any, column: Column, row: Any, links: Links, boxes: list[str]) -> str:
    if boxes and column.name == CHECKBOX:
        return f"{column.start}{conditional_escape(row.pk).join(boxes)}{column.end}"
    shown, is_moment = _shown(cl, column.name, row)
    text = str(conditional_escape(shown))
    if column.is_link:
        text = links.around(row, text)
    return f"{column.start_nowrap if is_moment else column.start}{text}{column.end}"


def _shown(cl: Any, name: Any, row: Any) -> tuple[Any, bool]:
    """What stands in the cell, and whether it must not be broken over lines."""
    page = cl.model_admin
    empty = page.get_empty_value_display()
    try:
        field, attr, value = lookup_field(name, row, page)
    except ObjectDoesNotExist:
        return empty, False
    empty = getattr(attr, "empty_value_display", empty)
    if field is not None and not field.auto_created:
        return _of_field(field, value, row, empty)
    return _of_method(name, attr, value, row, empty), isinstance(value, date | time)


def _of_field(field: Any, value: Any, row: Any, empty: str) -> tuple[Any, bool]:
    is_moment = isinstance(field, models.DateField | models.TimeField | models.ForeignKey)
    if isinstance(field.remote_field, models.ManyToOneRel):
        other = getattr(row, field.name)
        return empty if other is None else other, is_moment
    return display_for_field(value, field, empty), is_moment


def _of_method(name: Any, attr: Any, value: Any, row: Any, empty: str) -> Any:
    if label := getattr(attr, "label", False):
        return display_for_label(value, empty, label)
    if getattr(attr, "dropdown", False):
        return display_for_dropdown(row, name, value, empty)
    if getattr(attr, "header", False):
        return display_for_header(value, empty)
    return display_for_value(value, empty, getattr(attr, "boolean", False))


def _boxes(cl: Any) -> list[str]:
    """The checkbox of a row before and after its key; empty where the page has its own."""
    if type(cl.model_admin).action_checkbox is not ModelAdmin.action_checkbox:
        return []
    return str(checkbox.render(ACTION_CHECKBOX_NAME, MARK)).split(MARK)


class Links:
    """To the pages of rows, with the filters of the list."""

    def __init__(self, cl: Any) -> None:
        self.parts: list[str] = []
        self.key = str(cl.to_field or cl.lookup_opts.pk.attname) if cl.is_popup else ""
        self.pk = cl.pk_attname
        try:
            url = cl.url_for_result(SimpleNamespace(**{cl.pk_attname: MARK}))
        except NoReverseMatch:
            return
        kept = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}
        # The first one: what was searched for may have the mark in it.
        before, _mark, after = str(add_preserved_filters(kept, url)).partition(MARK)
        self.parts = [f'<a href="{conditional_escape(before)}', conditional_escape(after)]

    def around(self, row: Any, text: str) -> str:
        """`text` as it is where the rows have no page."""
        if not self.parts:
            return text
        before, after = self.parts
        popup = self.key and (
            f' data-popup-opener="{conditional_escape(row.serializable_value(self.key))}"'
        )
        address = f"{before}{conditional_escape(quote(getattr(row, self.pk)))}{after}"
        return f'{address}" class="{" ".join(LINK_CLASSES)}" {popup}>{text}</a>'
