"""Changing the tags of many instances: choose, preview, apply."""

import pytest

from tags.models import InstanceTag, Tag
from tests.admin import fleet

LIST = "/admin/instances/instance/"


@pytest.fixture
def gold(db):
    return Tag.objects.create(name="gold", display_name="Gold")


@pytest.fixture
def chosen(db):
    return [fleet.instance("orders-db"), fleet.instance("users-db")]


def post(client, chosen, **form):
    ids = [instance.pk for instance in chosen]
    return client.post(LIST, {"action": "change_tags", "_selected_action": ids} | form, follow=True)


def test_it_asks_which_tags(operator, chosen, gold):
    page = post(operator, chosen).content.decode()
    assert "2 instances:" in page
    assert "Gold" in page
    assert "Apply" not in page


def test_a_preview_says_what_would_change_and_changes_nothing(operator, chosen, gold):
    gold.instances.add(chosen[0])
    page = post(operator, chosen, step="preview", what="assign", tags=gold.pk).content.decode()
    assert "changes on 1 instance<" in page
    assert "Apply" in page
    assert InstanceTag.objects.count() == 1


@pytest.mark.parametrize(
    ("what", "left", "said"),
    [("assign", 2, "1 tag changed."), ("remove", 0, "1 tag changed."), ("remove_all", 0, "1 tag")],
)
def test_applying_says_what_changed(operator, chosen, gold, what, left, said):
    gold.instances.add(chosen[0])
    page = post(operator, chosen, step="apply", what=what, tags=gold.pk).content.decode()
    assert said in page
    assert InstanceTag.objects.count() == left


def test_it_wants_a_tag(operator, chosen, gold):
    page = post(operator, chosen, step="preview", what="assign").content.decode()
    assert "Choose at least one tag." in page


def test_a_preview_of_nothing_offers_no_apply(operator, chosen, gold):
    page = post(operator, chosen, step="preview", what="remove", tags=gold.pk).content.decode()
    assert "Nothing would change" in page
    assert "Apply" not in page


def test_a_viewer_changes_no_tags(viewer, chosen, gold):
    post(viewer, chosen, step="apply", what="assign", tags=gold.pk)
    assert not InstanceTag.objects.exists()
