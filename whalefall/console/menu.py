"""The side menu: which groups there are, filled from the pages that name one as their `menu`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

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
    items = []
    for page in sorted(pages, key=lambda page: page.menu_order):
        link = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        title = page.menu_title or capfirst(page.opts.verbose_name_plural)
        items.append(_item(title, link, page.menu_icon, request.path.startswith(link)))
    return items


def _item(title: Any, link: str, icon: str, active: bool) -> dict[str, Any]:
    return {"title": title, "link": link, "icon": icon, "active": active, "has_permission": True}
