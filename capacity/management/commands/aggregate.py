"""`manage.py aggregate [--period P ...] [--scope S] [--day D] [--current|--last] [--json]`"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from capacity.aggregation import SCOPES, aggregate
from capacity.models import PeriodType
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.instances.models import Instance

COLUMNS = {
    "period_type": _("period"),
    "scope": _("per"),
    "period_start": _("from"),
    "period_end": _("to"),
    "written": _("written"),
}


class Command(BaseCommand):
    help = _("Sum up sizes: the current day, and the last week, month and quarter.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--period", action="append", choices=PeriodType.values, help=_("only this one")
        )
        parser.add_argument("--scope", choices=("all", *SCOPES), default="all")
        parser.add_argument("--instance", metavar="NAME", help=_("only this instance (name or id)"))
        parser.add_argument("--day", help=_("as seen from this day (2026-01-31) instead of today"))
        which = parser.add_mutually_exclusive_group()
        for name in ("current", "last"):
            which.add_argument(f"--{name}", dest="which", action="store_const", const=name)
        parser.set_defaults(which="default")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["instance"]
        instance = find(Instance.objects.present(), name) if name else None
        done = aggregate(
            options["period"],
            options["scope"],
            day=_day(options["day"]),
            instance_id=None if instance is None else instance.pk,
            which=options["which"],
        )
        self.show([each.as_json() for each in done], COLUMNS, options["as_json"])


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(_("Not a day: %(text)s. Write it as 2026-01-31.") % {"text": text})
    return found
