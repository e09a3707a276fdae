"""Putting tags on many instances at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from tags.models import InstanceTag, Tag
from whalefall.instances.models import Instance


def attach(wanted: Mapping[Instance, Iterable[str]]) -> int:
    """Give each instance the tags named, making tags that do not exist; how many tags were new."""
    names = {name for tags in wanted.values() for name in tags}
    with transaction.atomic():
        missing = names - set(Tag.objects.filter(name__in=names).values_list("name", flat=True))
        Tag.objects.bulk_create(
            (Tag(name=name, display_name=name) for name in sorted(missing)), ignore_conflicts=True
        )
        ids = dict(Tag.objects.filter(name__in=names).values_list("name", "pk"))
        InstanceTag.objects.bulk_create(
            (
                InstanceTag(instance=instance, tag_id=ids[name])
                for instance, tags in wanted.items()
                for name in tags
            ),
            ignore_conflicts=True,
        )
    return len(missing)
