"""The button on the page of a database that reads its tables."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from capacity.models import InstanceDatabase
from sync import measuring
from sync.keeper import InstanceBusy, KeeperLost
from sync.work import Refused
from whalefall.console.pages import button, extend
from whalefall.engines.errors import EngineError
from whalefall.logs import mask
from whalefall.words import said

TROUBLE = (Refused, EngineError, ImproperlyConfigured, KeeperLost)


@extend(InstanceDatabase)
class RefreshedTables:
    actions_detail = ("read_tables",)

    @button(
        _("Measure its tables"),
        _("The sizes of the tables of this database are read from its server now."),
        icon="table_view",
    )
    def read_tables(self, request: HttpRequest, database: InstanceDatabase) -> None:
        say = self.message_user  # type: ignore[attr-defined]
        try:
            found = measuring.refresh_tables(database)
        except InstanceBusy:
            text = _("%(instance)s is being measured: wait for it to end.")
            say(request, text % {"instance": database.instance.name}, messages.WARNING)
        except TROUBLE as exc:
            say(request, said(mask(str(exc))), messages.ERROR)
        else:
            if found.reason:
                say(request, said(found.reason), messages.WARNING)
            else:
                text = _("%(tables)d tables measured.")
                say(request, text % {"tables": len(found.tables)}, messages.SUCCESS)
