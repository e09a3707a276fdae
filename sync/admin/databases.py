"""The button on the page of a database that reads its tables."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from capacity.models import InstanceDatabase
from sync import measuring
from whalefall.console.pages import button, change_url, extend


@extend(InstanceDatabase)
class RefreshedTables:
    actions_detail = ("read_tables",)

    @button(
        _("Measure its tables"),
        _("A worker reads the sizes of the tables of this database from its server now."),
        icon="table_view",
    )
    def read_tables(self, request: HttpRequest, database: InstanceDatabase) -> str:
        return change_url(measuring.start_tables(database, request.user))
