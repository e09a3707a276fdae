"""How its size went, on the page of an instance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from capacity import bars, trend
from whalefall.console.pages import extend
from whalefall.instances.models import Instance

FIELDS = ("trend", "largest_databases", "volumes_read")


@extend(Instance)
class MeasuredInstances:
    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *FIELDS)  # type: ignore[misc]

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        return fieldsets if obj is None else (*fieldsets, (_("Size"), {"fields": FIELDS}))

    @admin.display(description=_("trend"))
    def trend(self, instance: Instance) -> Any:
        return trend.of_instance(instance)

    @admin.display(description=_("largest databases"))
    def largest_databases(self, instance: Instance) -> Any:
        return bars.of_instance(instance)

    @admin.display(description=_("volumes"))
    def volumes_read(self, instance: Instance) -> Any:
        return bars.of_volumes(instance)
