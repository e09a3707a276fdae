"""Rows of lists are unfold's, to the letter; times ago are Django's."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from django.utils.timesince import TIME_STRINGS, timesince
from hypothesis import given
from hypothesis import strategies as st
from unfold.templatetags import unfold_list

from tests.admin.test_every_page import PAGES, address, full_house
from whalefall.console import rows, show

__all__ = ["full_house"]  # a fixture, used by name

ASKED = ("", "?q=a%26wfkey", "?_popup=1")
START = datetime(2016, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
MINUTES = st.integers(1, 5_000_000)


def test_they_are_those_of_unfold_on_every_page(full_house, administrator):
    for asked in (address(model, "changelist") + asked for model in PAGES for asked in ASKED):
        cl = administrator.get(asked).context["cl"]
        theirs = ["".join(items) for items in unfold_list.results(cl)]
        ours = list(rows.drawn(cl, list(unfold_list.result_headers(cl))))
        assert ours == theirs, asked


def test_what_they_do_not_know_is_left_to_unfold():
    page = SimpleNamespace(ordering_field=None)
    plain = SimpleNamespace(model_admin=page, formset=None)
    edited = SimpleNamespace(model_admin=page, formset=["a form"])
    assert rows.is_drawn_here(plain, None)
    assert not rows.is_drawn_here(plain, ["a button"])
    assert not rows.is_drawn_here(edited, None)


@given(before=MINUTES, between=MINUTES)
def test_how_long_ago_is_what_django_says(before, between):
    start = START + timedelta(minutes=before)
    end = start.astimezone(UTC) + timedelta(minutes=between)
    unit, number = show.span(start, end)
    said = timesince(start, end, depth=1).replace("\xa0", " ")
    assert TIME_STRINGS[unit] % {"num": number} == said


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "2 months ago"), ("zh-hans", "2 月前")],
    ids=["English", "Chinese"],
)
def test_it_is_said_in_the_language_of_who_reads(language, text):
    long_ago = datetime.now(UTC) - timedelta(days=70)
    with translation.override(language):
        assert text in show.ago(long_ago).replace("\xa0", " ")
