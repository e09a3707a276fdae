"""Its databases and how its size went, on the page of an instance."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from capacity import bars, trend
from capacity.models import InstanceDatabase
from whalefall.console.cards import list_url
from whalefall.console.pages import extend
from whalefall.instances.models import Instance


@extend(Instance)
class MeasuredInstances:
    page_top = ("capacity/on_instance.html",)

    def page_context(self, request: HttpRequest, instance: Instance) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, instance)  # type: ignore[misc]
        of = {"instance__id__exact": instance.pk, "is_active__exact": 1}
        databases = InstanceDatabase.objects.filter(instance=instance, is_active=True)
        return context | {
            "databases_url": list_url("capacity_instancedatabase", **of),
            "number_of_databases": databases.count(),
            "size_trend": trend.of_instance(instance),
            "largest_databases": bars.of_instance(instance),
            "volumes_read": bars.of_volumes(instance),
        }
