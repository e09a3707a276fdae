"""The fleet on the start page."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from whalefall.console.cards import Card, cards, list_url
from whalefall.instances.models import Instance


@cards(10)
def fleet(request: HttpRequest) -> list[Card]:
    present = Count("pk", filter=Q(is_active=True))
    number = Instance.objects.present().aggregate(all=Count("pk"), watched=present)
    return [
        Card(
            _("Instances"),
            number["all"],
            list_url("instances_instance"),
            "database",
            _("%(n)d watched") % {"n": number["watched"]},
        )
    ]
