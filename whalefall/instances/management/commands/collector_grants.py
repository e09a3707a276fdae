"""manage.py collector_grants ENGINE [--login NAME]"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from whalefall.engines import DB_TYPES, engine


class Command(BaseCommand):
    help = _("Print the SQL that makes a login with the least rights a collector needs.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("engine", choices=DB_TYPES)
        parser.add_argument("--login", default="whalefall")
        parser.add_argument("--server-version", default="", help=_("for example 5.6 or 16"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = engine(options["engine"])
        except LookupError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(chosen.collector_grants(options["login"], options["server_version"]))
