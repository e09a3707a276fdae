"""Tags on many instances at once, by id: each call says what really changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tags.models import InstanceTag, Tag
from whalefall.instances.models import Instance


class UnknownIds(ValueError):
    """`errors`: `{"path", "message", "code"}` for each field with ids that are not there."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        super().__init__(errors[0]["message"])


def check(instance_ids: Iterable[int], tag_ids: Iterable[int] = ()) -> None:
    """Raises UnknownIds naming what is not there (instances in the recycle bin are not)."""
    asked = (
        ("instance_ids", Instance.objects.present(), instance_ids, _("No such instances: %s.")),
        ("tag_ids", Tag.objects.all(), tag_ids, _("No such tags: %s.")),
    )
    errors = []
    for path, there, ids, message in asked:
        wanted = set(ids)
        unknown = wanted - set(there.filter(pk__in=wanted).values_list("pk", flat=True))
        if unknown:
            names = ", ".join(map(str, sorted(unknown)))
            errors.append({"path": path, "message": message % names, "code": "unknown"})
    if errors:
        raise UnknownIds(errors)


@transaction.atomic
def assign(instance_ids: Collection[int], tag_ids: Collection[int]) -> int:
    """How many tags were put on; those that were there already do not count."""
    check(instance_ids, tag_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO instance_tags (instance_id, tag_id)"
            " SELECT i, t FROM unnest(%s::bigint[]) i CROSS JOIN unnest(%s::bigint[]) t"
            " ON CONFLICT DO NOTHING",
            [sorted(set(instance_ids)), sorted(set(tag_ids))],
        )
        return int(cursor.rowcount)


@transaction.atomic
def remove(instance_ids: Collection[int], tag_ids: Collection[int]) -> int:
    """How many tags were taken off."""
    check(instance_ids, tag_ids)
    links = InstanceTag.objects.filter(instance__in=instance_ids, tag__in=tag_ids)
    return int(links.delete()[0])


@transaction.atomic
def remove_all(instance_ids: Collection[int]) -> int:
    """How many tags were taken off."""
    check(instance_ids)
    return int(InstanceTag.objects.filter(instance__in=instance_ids).delete()[0])


class What(models.TextChoices):
    """What can be done to the tags of many instances."""

    ASSIGN = "assign", gettext_lazy("put these tags on")
    REMOVE = "remove", gettext_lazy("take these tags off")
    REMOVE_ALL = "remove_all", gettext_lazy("take every tag off")


def apply(what: str, instance_ids: Collection[int], tag_ids: Collection[int]) -> int:
    """How many tags were put on or taken off."""
    if what == What.REMOVE_ALL:
        return remove_all(instance_ids)
    return (assign if what == What.ASSIGN else remove)(instance_ids, tag_ids)


def preview(
    what: str, instance_ids: Collection[int], tag_ids: Collection[int]
) -> list[dict[str, Any]]:
    """Per tag, on how many of the instances `apply` would change it: `{"tag", "changes"}`."""
    total = len(set(instance_ids))
    tags = tags_of(instance_ids)
    if what == What.REMOVE_ALL:
        return [{"tag": tag, "changes": tag.instance_count} for tag in tags]
    there = {tag.pk: tag.instance_count for tag in tags}
    chosen = Tag.objects.filter(pk__in=tag_ids)
    if what == What.ASSIGN:
        return [{"tag": tag, "changes": total - there.get(tag.pk, 0)} for tag in chosen]
    return [{"tag": tag, "changes": there.get(tag.pk, 0)} for tag in chosen]


def tags_of(instance_ids: Collection[int]) -> list[Any]:
    """The tags on these instances; `instance_count` says on how many of them."""
    links = InstanceTag.objects.filter(instance__in=instance_ids).order_by()
    counts = dict(links.values_list("tag").annotate(Count("pk")))
    found: list[Any] = list(Tag.objects.filter(pk__in=counts))
    for tag in found:
        tag.instance_count = counts[tag.pk]
    return found
