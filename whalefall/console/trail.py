"""The words above a page: its group in the menu, its list, the row."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from whalefall.console.menu import GROUPS
from whalefall.console.pages import change_url


class Step(NamedTuple):
    """`link` is empty for a group and for where we are."""

    title: str
    link: str = ""


def trail(request: HttpRequest, context: dict[str, Any]) -> list[Step]:
    """From the group to the page of this context; its title alone for a page below no list."""
    title = Step(str(context.get("title") or ""))
    model = getattr(context.get("opts"), "model", None)
    page: Any = admin.site._registry.get(model) if model else None
    if page is None or not hasattr(page, "list_title"):
        return [title]
    here = next((one for one in page.menu_pages if one.link == request.path), None)
    if here:
        return [*_group(page, here.title), Step(str(here.title), here.link)]
    steps = [*_group(page, page.list_title), Step(capfirst(page.list_title), _list_url(model))]
    return [*steps, *_below(page, context, title)]


def _group(page: Any, list_title: Any) -> list[Step]:
    """The group's name says nothing where the list has the same."""
    name = str(GROUPS.get(page.menu, ""))
    return [Step(name)] if name and name != capfirst(str(list_title)) else []


def _below(page: Any, context: dict[str, Any], title: Step) -> list[Step]:
    row = next((context[key] for key in ("original", "object") if _is_row(context.get(key))), None)
    if row is not None:
        return [Step(page.row_title(row), change_url(row))]
    if context.get("add"):
        return [Step(_("Add"))]
    return [] if context.get("cl") else [title]


def _is_row(value: Any) -> bool:
    return hasattr(value, "_meta") and value.pk is not None


def _list_url(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
