"""The side menu: which groups there are, filled from the pages that name one as their `menu`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page beside the lists, of the page that names it in `menu_pages`. `url`: its name below
    `admin:`.
    """

    title: Any
    url: str
    icon: str
    order: int

    @property
    def link(self) -> str:
        return reverse(f"admin:{self.url}")


GROUPS = {
    "fleet": _("Fleet"),
    "accounts": _("Accounts"),
    "runs": _("Runs"),
    "capacity": _("Capacity"),
    "notifications": _("Notifications"),
    "people": _("People and logs"),
}


def groups(site: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold's sidebar shows: the start page, then each group with the pages this person may
    see.
    """
    found: dict[str, list[Any]] = {key: [] for key in GROUPS}
    for page in site._registry.values():
        if getattr(page, "menu", None) in found and page.has_view_permission(request):
            found[page.menu].append(page)
    home = reverse("admin:index")
    start = _item(_("Start"), home, "home", request.path == home)
    return [
        {"items": [start]},
        *(
            {"title": title, "separator": True, "items": _items(found[key], request)}
            for key, title in GROUPS.items()
            if found[key]
        ),
    ]


def _items(pages: list[Any], request: HttpRequest) -> list[dict[str, Any]]:
    entries: list[tuple[int, Any, str, str]] = []
    for page in pages:
        link = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        title = page.menu_title or capfirst(page.opts.verbose_name_plural)
        entries.append((page.menu_order, title, link, page.menu_icon))
        entries += [(each.order, each.title, each.link, each.icon) for each in page.menu_pages]
    entries.sort(key=lambda entry: entry[0])
    # The page of a list is below its address: the longest one that fits is where we are.
    here = max((link for _o, _t, link, _i in entries if request.path.startswith(link)), default="")
    return [_item(title, link, icon, link == here) for _order, title, link, icon in entries]


def _item(title: Any, link: str, icon: str, active: bool) -> dict[str, Any]:
    return {"title": title, "link": link, "icon": icon, "active": active, "has_permission": True}
