"""Manners of our commands: a table for people, `--json` for programs, one clear line on failure."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO, TypeVar, cast

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = TypeVar("Row", bound=Model)


class Command(BaseCommand):
    """Base of our commands: adds `--json` and prints rows either way.

    A failure is a CommandError: one line on stderr, exit status 1.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help=_("JSON instead of a table")
        )

    @property
    def console(self) -> Console:
        """Rich output to this command's stdout (so that `call_command(stdout=...)` gets it)."""
        width = None if self.stdout.isatty() else 200
        return Console(file=cast(TextIO, self.stdout), width=width, highlight=False)

    def show(
        self,
        rows: Iterable[Mapping[str, Any]],
        columns: Mapping[str, str],
        as_json: bool,
        title: str = "",
    ) -> int:
        """Print `rows`; `columns` is key -> heading (JSON has every key). Returns how many."""
        found = list(rows)
        if as_json:
            self.show_json(found)
            return len(found)
        table = Table(title=title or None, title_justify="left")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for row in found:
            table.add_row(*(cell(row.get(key)) for key in columns))
        self.console.print(table)
        return len(found)

    def show_json(self, value: Any) -> None:
        text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        self.stdout.write(text)


def cell(value: Any) -> Text:
    """A value as a table shows it. Text of watched servers is never read as rich's markup."""
    if value is None:
        text = "-"
    elif isinstance(value, bool):
        text = _("yes") if value else _("no")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        text = ", ".join(map(str, value))
    else:
        text = str(value)
    return Text(text)


def find(queryset: QuerySet[Row], name: str, field: str = "name") -> Row:
    """The row with this name, else with this id. Raises CommandError naming both."""
    row = queryset.filter(**{field: name}).first()
    if row is None and name.isdecimal() and len(name) < 19:
        row = queryset.filter(pk=int(name)).first()
    if row is None:
        what = queryset.model._meta.verbose_name
        raise CommandError(
            _("No %(what)s with the name or id %(name)s.") % {"what": what, "name": name}
        )
    return row
