"""Every page can be read and used by everybody: axe-core finds nothing, in light and dark, on a
wide screen and on a tablet, and nothing is loaded from elsewhere (`page` sees to that).
"""

import os
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client

from tests.admin import fleet
from tests.admin.test_every_page import address, full_house, row_of
from tests.browser.axe import faults
from whalefall.models import User

__all__ = ["full_house"]
pytestmark = pytest.mark.xdist_group("browser")

OTHERS = ("preferences", "logins", "confirm")
MORE = {"start": "/admin/", **{name: f"/admin/{name}/" for name in OTHERS}}
PICTURES = os.environ.get("WHALEFALL_PICTURES")
SCREENS = [("light", 1280, 900), ("dark", 1280, 900), ("light", 820, 1180), ("dark", 820, 1180)]


@pytest.fixture
def administrator(page):
    """Whose browser it is, to fill the house."""
    client = Client()
    client.force_login(User.objects.get(username="administrator"))
    return client


@pytest.fixture
def orders_db(page):
    return fleet.instance("orders-db")


def addresses():
    found = dict(MORE)
    for model in admin.site._registry:
        name = model._meta.label
        found[name] = address(model, "changelist")
        found[f"{name} row"] = address(model, "change", row_of(model).pk)
        if admin.site._registry[model].has_add_permission.__qualname__.startswith("RoleRights"):
            found[f"{name} new"] = address(model, "add")
    return found


def look(page, name, url, screen):
    colours, width, height = screen
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.goto(url)
    if PICTURES:
        path = Path(PICTURES) / f"{name.replace(' ', '-')}-{colours}-{width}.png"
        page.screenshot(path=path, full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return faults(page) + (["wider than the screen"] if wide else [])


@pytest.mark.parametrize("turn", range(4 if os.environ.get("WHALEFALL_EVERY_SCREEN") else 1))
def test_axe_finds_nothing(page, full_house, turn):
    """Each page on one of the screens in turn; on every one where the environment says so."""
    found = {
        (name, *screen): look(page, name, url, screen)
        for at, (name, url) in enumerate(addresses().items())
        for screen in [SCREENS[(at + turn) % len(SCREENS)]]
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
