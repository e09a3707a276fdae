"""In Chinese every page is Chinese: no English sentence of ours is left on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.facts import Facts
from accounts.models import InstanceAccount
from tests.admin import fleet
from tests.admin.real_facts import FAILURES, OBSERVED, SERVERS_OWN
from tests.admin.test_every_page import PAGES, address, every_page, full_house, row_of
from whalefall.engines import engine
from whalefall.words import OURS, said

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


def test_the_questions_before_a_deletion_hold_no_english(furnished, administrator):
    for model in PAGES:
        row = row_of(model)
        url = address(model, "delete", row.pk)
        if administrator.get(url).status_code == 200:
            assert english(chinese(administrator, url)) - WRITTEN_BY_PEOPLE == set(), url


OTHERS = ["index", "guide", "preferences", "password_change", "logins", "confirm"]


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_pages_hold_no_english(furnished, administrator, name):
    assert english(chinese(administrator, reverse(f"admin:{name}"))) - WRITTEN_BY_PEOPLE == set()


@pytest.mark.parametrize("db_type", OBSERVED)
def test_an_account_of_every_product_is_said_in_chinese(administrator, db_type):
    accounts = fleet.store(fleet.instance("db1", db_type=db_type), OBSERVED[db_type]())
    shown = max(accounts.values(), key=lambda one: len(reasons(one)))
    page = chinese(administrator, address(InstanceAccount, "change", shown.pk))
    assert english(page) - SERVERS_OWN == set()
    assert "未能读取的内容" in page


def reasons(account):
    return account.permission.permission_facts["capability_reasons"]


@pytest.mark.parametrize("db_type", OBSERVED)
def test_every_reason_of_a_capability_is_said_in_chinese(db_type):
    observation = OBSERVED[db_type]()
    because = {
        reason["because"]
        for each in Facts(observation, engine(db_type).rules)
        for reason in each.facts["capability_reasons"].values()
    }
    with translation.override("zh-hans"):
        left = {text for text in because if said(text) == text and WORDS.search(text)}
    assert {text for text in left if not OF_THE_PRODUCT.search(text)} == set()


WORDS = re.compile(r"[a-z]{2,} |[a-z] on ")
OF_THE_PRODUCT = re.compile(r"^host all all |^[\w@]+[^ ]* \([A-Z ]+\)$|^xp_cmdshell = 1$|@\[")
"""A line of pg_hba.conf, a fixed role with what it gives, a setting, a quoted name."""


@pytest.mark.parametrize("db_type", FAILURES)
def test_a_session_that_failed_says_why_in_chinese(administrator, db_type):
    instance = fleet.instance("db1", db_type=db_type)
    session = fleet.session(instance, status="failed")
    session.records.update(error_message=FAILURES[db_type])
    record = session.records.get()
    for row in (session, record, instance):
        page = chinese(administrator, address(type(row), "change", row.pk))
        assert english(page) - SERVERS_OWN == set()


def test_what_workers_store_stands_where_they_say_it():
    path = Path(settings.BASE_DIR, "locale/zh_Hans/LC_MESSAGES/django.po")
    with path.open("rb") as file:
        catalog = read_po(file)
    alone = [text for text in OURS if len(set(catalog.get(text).locations)) < 2]
    assert alone == []
