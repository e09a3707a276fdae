"""Tags: what instances are grouped by."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from whalefall.instances.models import Instance


class Tag(models.Model):
    """A label on instances, in a category (`env: prod`)."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    display_name = models.CharField(_("display name"), max_length=100)
    category = models.CharField(_("category"), max_length=50, blank=True)
    color = models.CharField(_("colour"), max_length=20, default="gray")
    is_active = models.BooleanField(_("active"), default=True)
    instances = models.ManyToManyField(
        Instance, through="InstanceTag", related_name="tags", verbose_name=_("instances")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "tags"
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("category", "name")

    def __str__(self) -> str:
        return self.display_name or self.name


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
