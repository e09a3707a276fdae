"""A row of everything, so that paths lead somewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tags.models import InstanceTag, Tag
from tests.admin import fleet
from whalefall.models import ApiToken


def everything(user: Any) -> str:
    """The text of an administrator's token for all that was made."""
    instance = fleet.instance("orders-db", host="127.0.0.1", port=1)
    accounts = fleet.store(instance, fleet.orders())
    fleet.change(accounts["app_rw"])
    fleet.classified(accounts["dba_li"])
    fleet.accepted(accounts["dba_li"])
    fleet.sizes(instance)
    fleet.session(instance, status="failed")
    fleet.tasks()
    fleet.logs()
    fleet.notifications()
    tag = Tag.objects.create(name="prod", display_name="Production")
    InstanceTag.objects.create(instance=instance, tag=tag)
    in_a_week = timezone.now() + timedelta(days=7)
    return ApiToken.objects.issue(user, "fuzz", ApiToken.Scope.FULL, in_a_week)[1]
