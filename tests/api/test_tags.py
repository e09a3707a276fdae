"""Tags, and tags on many instances at once."""

from __future__ import annotations

import pytest

from tags.models import InstanceTag, Tag
from tests.api.cast import instance
from tests.api.envelope import check_failed, check_ok, errors

pytestmark = pytest.mark.django_db
TAGS = "/api/v1/tags"
ASSIGN, REMOVE = f"{TAGS}/bulk/actions/assign", f"{TAGS}/bulk/actions/remove"
REMOVE_ALL = f"{TAGS}/bulk/actions/remove-all"


@pytest.fixture
def gold(db) -> Tag:
    return Tag.objects.create(name="gold", display_name="Gold", category="tier")


@pytest.fixture
def west(db) -> Tag:
    return Tag.objects.create(name="west", display_name="West", category="region")


@pytest.fixture
def fleet(db):
    return [instance("orders-db"), instance("users-db")]


def ids(rows) -> list[int]:
    return [row.pk for row in rows]


def test_a_tag_is_made_changed_and_deleted(operator):
    made = check_ok(
        operator.post(TAGS, {"name": "gold", "category": "tier", "color": "#aa8800"}), 201
    )
    assert (made["display_name"], made["instance_count"]) == ("gold", 0)
    url = f"{TAGS}/{made['id']}"
    assert check_ok(operator.put(url, {"name": "gold", "display_name": "Au"}))["color"] == "#aa8800"
    assert check_ok(operator.delete(url)) is None
    assert check_ok(operator.get(TAGS))["total"] == 0


@pytest.mark.parametrize("color", ["red;background:url(//evil)", "#12", "Red", ""])
def test_a_colour_is_a_name_or_six_digits(operator, color):
    assert list(errors(operator.post(TAGS, {"name": "gold", "color": color}))) == ["color"]


def test_a_name_is_taken_once(operator, gold):
    assert list(errors(operator.post(TAGS, {"name": "gold"}))) == ["name"]


def test_a_tag_in_use_is_not_deleted(operator, gold):
    gold.instances.add(instance())
    body = check_failed(operator.delete(f"{TAGS}/{gold.pk}"), 409, "TAG_IN_USE")
    assert body["message"] == "gold is on 1 instances: take it off first."


def test_a_tag_only_on_recycled_instances_is_deleted(operator, gold, fleet):
    gold.instances.add(fleet[0])
    fleet[0].recycle()
    check_ok(operator.delete(f"{TAGS}/{gold.pk}"))


def test_a_batch_delete_does_each_for_itself(operator, gold, west):
    gold.instances.add(instance())
    answer = operator.post(f"{TAGS}/batch-delete", {"tag_ids": [gold.pk, west.pk, 999000000]})
    data = check_ok(answer, 207)
    assert (data["deleted"], data["failed"]) == (1, 2)
    assert [result["status"] for result in data["results"]] == ["in_use", "deleted", "not_found"]
    assert list(Tag.objects.all()) == [gold]


def test_a_batch_delete_that_went_well_is_a_200(operator, gold, west):
    assert check_ok(operator.post(f"{TAGS}/batch-delete", {"tag_ids": [gold.pk, west.pk]}))


def test_the_list_counts_instances_and_is_narrowed(viewer, gold, west, fleet):
    gold.instances.add(*fleet)
    found = check_ok(viewer.get(f"{TAGS}?category=tier"))["items"]
    assert [(tag["name"], tag["instance_count"]) for tag in found] == [("gold", 2)]
    assert check_ok(viewer.get(f"{TAGS}?search=wes"))["total"] == 1


def test_options_are_the_active_ones(viewer, gold, west):
    Tag.objects.filter(pk=west.pk).update(is_active=False)
    assert [tag["name"] for tag in check_ok(viewer.get(f"{TAGS}/options"))] == ["gold"]
    assert [tag["name"] for tag in check_ok(viewer.get(f"{TAGS}/bulk/tags"))] == ["gold"]


def test_categories_are_counted(viewer, gold, west):
    assert check_ok(viewer.get(f"{TAGS}/categories")) == [
        {"category": "region", "tag_count": 1},
        {"category": "tier", "tag_count": 1},
    ]


def test_instances_to_choose_from_show_their_tags(viewer, gold, fleet):
    gold.instances.add(fleet[0])
    found = check_ok(viewer.get(f"{TAGS}/bulk/instances?tags=gold"))["items"]
    assert [(row["name"], row["tags"][0]["name"]) for row in found] == [("orders-db", "gold")]


def test_assigning_counts_what_really_changed(operator, gold, west, fleet):
    gold.instances.add(fleet[0])
    body = {"instance_ids": ids(fleet), "tag_ids": [gold.pk, west.pk, gold.pk]}
    assert check_ok(operator.post(ASSIGN, body)) == {"assigned": 3, "unchanged": 1}
    assert check_ok(operator.post(ASSIGN, body)) == {"assigned": 0, "unchanged": 4}
    assert InstanceTag.objects.count() == 4


def test_removing_counts_what_really_changed(operator, gold, west, fleet):
    gold.instances.add(*fleet)
    body = {"instance_ids": ids(fleet), "tag_ids": [gold.pk, west.pk]}
    assert check_ok(operator.post(REMOVE, body)) == {"removed": 2, "unchanged": 2}


def test_every_tag_is_taken_off(operator, gold, west, fleet):
    gold.instances.add(*fleet)
    west.instances.add(fleet[0])
    body = {"instance_ids": [fleet[0].pk]}
    assert check_ok(operator.post(REMOVE_ALL, body)) == {"removed": 2}
    assert InstanceTag.objects.count() == 1


@pytest.mark.parametrize("url", [ASSIGN, REMOVE])
def test_unknown_ids_are_named_and_nothing_is_done(operator, gold, fleet, url):
    gold.instances.add(fleet[0])
    fleet[1].recycle()
    body = {"instance_ids": [*ids(fleet), 998000000], "tag_ids": [gold.pk, 999000000]}
    assert errors(operator.post(url, body)) == {
        "instance_ids": f"No such instances: {fleet[1].pk}, 998000000.",
        "tag_ids": "No such tags: 999000000.",
    }
    assert InstanceTag.objects.count() == 1


def test_remove_all_names_unknown_instances(operator):
    assert errors(operator.post(REMOVE_ALL, {"instance_ids": [998000000]})) == {
        "instance_ids": "No such instances: 998000000."
    }


def test_the_tags_of_a_selection_say_on_how_many_they_are(viewer, gold, west, fleet):
    gold.instances.add(*fleet)
    west.instances.add(fleet[0])
    found = check_ok(viewer.post(f"{TAGS}/bulk/instance-tags", {"instance_ids": ids(fleet)}))
    assert {tag["name"]: tag["instance_count"] for tag in found} == {"gold": 2, "west": 1}


def test_many_instances_take_no_more_queries(operator, gold, django_assert_num_queries):
    few = [instance(f"few-{n}").pk for n in range(2)]
    many = [instance(f"many-{n}").pk for n in range(100)]
    for chosen in (few, many):
        with django_assert_num_queries(9):
            operator.post(ASSIGN, {"instance_ids": chosen, "tag_ids": [gold.pk]})


def test_instances_and_accounts_are_found_by_tag(viewer, gold, fleet):
    gold.instances.add(fleet[1])
    found = check_ok(viewer.get("/api/v1/instances?tags=gold"))["items"]
    assert [row["name"] for row in found] == ["users-db"]
