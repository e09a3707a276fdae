"""In Chinese every page is Chinese: no English sentence of ours is left on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from tests.admin.test_every_page import address, every_page, full_house, row_of

__all__ = ["full_house"]  # a fixture, used by name

SILENT = {"script", "style", "code", "pre", "textarea", "svg", "template"}
"""What holds SQL, JSON or drawings, not sentences."""
DATA = {"wf-mono", "wf-path", "wf-json", "material-symbols-outlined", "wf-evidence"}
ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]+(?:,? [a-z]+){2,}\b")
"""Three words in a row, of which at most the first is capitalised."""


class Texts(HTMLParser):
    """Every piece of text and every label that a person would read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.quiet: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if self.quiet:
            if tag == self.quiet[0]:
                self.quiet.append(tag)
            return
        if tag in SILENT or DATA & set((given.get("class") or "").split()):
            self.quiet.append(tag)
        self.found += [
            given[name] for name in ("title", "aria-label", "placeholder") if given.get(name)
        ]

    def handle_endtag(self, tag):
        if self.quiet and tag == self.quiet[0]:
            self.quiet.pop()

    def handle_data(self, data):
        if not self.quiet:
            self.found.append(data)


def english(page: str) -> set[str]:
    texts = Texts()
    texts.feed(page)
    return {text.strip() for text in texts.found if ENGLISH.search(text)}


@pytest.fixture
def furnished(full_house, administrator):
    """Without the message about the last step of furnishing, which was said in English."""
    administrator.get("/admin/")


def chinese(browser, url: str) -> str:
    response = browser.get(url, headers={"accept-language": "zh-hans"})
    assert response.status_code == 200, url
    return response.content.decode()


# What comes out of the store or from a server, as it was written there.
WRITTEN_BY_PEOPLE = {
    "Vera: moves this week",
    "moves this week",
    "permission denied for table pg_proc",
}


@every_page
def test_the_pages_of_a_table_hold_no_english(furnished, administrator, model):
    for url in (address(model, "changelist"), address(model, "change", row_of(model).pk)):
        left = english(chinese(administrator, url)) - WRITTEN_BY_PEOPLE
        assert left == set(), url


@pytest.mark.parametrize("name", ["index", "guide", "preferences", "password_change"])
def test_the_other_pages_hold_no_english(furnished, administrator, name):
    assert english(chinese(administrator, reverse(f"admin:{name}"))) - WRITTEN_BY_PEOPLE == set()
