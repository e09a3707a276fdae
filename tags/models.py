"""Tags: what instances are grouped by."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from whalefall.instances.models import Instance

# A name or #rrggbb: it ends up in a style.
IS_COLOR = RegexValidator(
    r"\A(#[0-9a-fA-F]{6}|[a-z]{3,20})\Z", _("Not a colour: a name, or # and six digits.")
)


class TagInUse(Exception):
    """`instances`: on how many it is."""

    def __init__(self, tag: Tag, instances: int) -> None:
        self.instances = instances
        message = _("%(tag)s is on %(n)d instances: take it off first.")
        super().__init__(message % {"tag": tag.name, "n": instances})


class TagQuerySet(models.QuerySet["Tag"]):
    def counted(self) -> TagQuerySet:
        """`instance_count`: on how many instances it is, without the recycle bin."""
        present = Count("instances", filter=Q(instances__deleted_at=None))
        return self.annotate(instance_count=present)


class Tag(models.Model):
    """A label on instances, in a category (`env: prod`)."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    display_name = models.CharField(_("display name"), max_length=100)
    category = models.CharField(_("category"), max_length=50, blank=True)
    color = models.CharField(_("colour"), max_length=20, default="gray", validators=[IS_COLOR])
    is_active = models.BooleanField(_("active"), default=True)
    instances = models.ManyToManyField(
        Instance, through="InstanceTag", related_name="tags", verbose_name=_("instances")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        db_table = "tags"
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("category", "name")

    def __str__(self) -> str:
        return self.display_name or self.name

    def delete_unused(self) -> None:
        """Raises TagInUse while an instance that is not in the recycle bin has it."""
        if instances := self.instances.filter(deleted_at=None).count():
            raise TagInUse(self, instances)
        self.delete()


class InstanceTag(models.Model):
    """One tag on one instance."""

    instance = models.ForeignKey(Instance, models.CASCADE)
    tag = models.ForeignKey(Tag, models.CASCADE)

    class Meta:
        db_table = "instance_tags"
        verbose_name = _("tag of an instance")
        verbose_name_plural = _("tags of instances")
        constraints = (
            models.UniqueConstraint(fields=("instance", "tag"), name="instance_tag_unique"),
        )

    def __str__(self) -> str:
        return f"{self.instance_id}: {self.tag_id}"
