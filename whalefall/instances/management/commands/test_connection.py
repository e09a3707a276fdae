"""manage.py test_connection NAME"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.instances.connection import ConnectionResult, test_connection
from whalefall.instances.models import Instance


class Command(BaseCommand):
    help = _("Connect to an instance; say its version and what the collector may not read.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help=_("name or id of the instance"))

    def handle(self, *args: Any, **options: Any) -> None:
        instances = Instance.objects.present().select_related("credential")
        result = test_connection(find(instances, options["name"]))
        if options["as_json"]:
            self.show_json(result.as_dict())
        elif result.success:
            self._show(result)
        if not result.success:
            raise CommandError(f"{result.message} {result.remedy}".strip())

    def _show(self, result: ConnectionResult) -> None:
        self.stdout.write(result.message)
        for missing in result.missing:
            self.stdout.write(f"  {missing.privilege} ({', '.join(missing.sections)})")
            self.stdout.write(f"    {missing.remedy}")
