"""manage.py import_instances FILE.csv [--check]: all rows or none."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from tags.attach import attach
from whalefall.commands import Command as BaseCommand
from whalefall.instances.imports import COLUMNS, Import, read_csv


class Command(BaseCommand):
    help = _("Register instances from a CSV file, all rows or none. Columns: ") + ", ".join(COLUMNS)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help=_("check only, write nothing"))

    def handle(self, *args: Any, **options: Any) -> None:
        found = _read(options["file"])
        if found.errors:
            self._show_errors(found, options["as_json"])
        if not options["check"]:
            with transaction.atomic():
                found.create()
                attach({row.instance: row.tags for row in found.rows})
        self._show_done(len(found.rows), options["check"], options["as_json"])

    def _show_errors(self, found: Import, as_json: bool) -> None:
        if as_json:
            self.show_json(
                [
                    {"line": error.line, "column": error.column, "message": error.message}
                    for error in found.errors
                ]
            )
        else:
            for error in found.errors:
                self.stderr.write(str(error))
        raise CommandError(
            _("%(count)d errors: nothing was imported.") % {"count": len(found.errors)}
        )

    def _show_done(self, count: int, is_check: bool, as_json: bool) -> None:
        if as_json:
            self.show_json({"instances": count, "imported": not is_check})
        elif is_check:
            self.stdout.write(_("%(count)d rows can be imported.") % {"count": count})
        else:
            self.stdout.write(_("%(count)d instances imported.") % {"count": count})


def _read(path: Path) -> Import:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return read_csv(file)
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(_("Cannot read %(path)s: %(why)s") % {"path": path, "why": exc}) from exc
