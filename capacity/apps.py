from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class CapacityConfig(AppConfig):
    name = "capacity"
    verbose_name = _("Capacity")

    def ready(self) -> None:
        post_save.connect(
            _limit_may_have_changed, sender="instances.Instance", dispatch_uid="capacity.outlook"
        )


def _limit_may_have_changed(
    instance: Any, created: bool, update_fields: Any = None, raw: bool = False, **_given: Any
) -> None:
    """A new limit is a new day: people look at the list right after they set it."""
    if raw or created or (update_fields and "capacity_limit_bytes" not in update_fields):
        return
    from capacity.models import InstanceOutlook
    from capacity.outlook import calculate

    known = InstanceOutlook.objects.filter(instance=instance).values_list(
        "limit_bytes", "limit_source"
    )
    for limit, source in known:
        if instance.capacity_limit_bytes != (limit if source == "set" else None):
            calculate([instance.pk])
