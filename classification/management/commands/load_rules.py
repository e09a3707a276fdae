"""`manage.py load_rules [--check] [--document]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from classification import history
from classification.models import AccountClassification, ClassificationRule
from classification.rulepack import Loaded, load
from classification.rulepack.document import document
from whalefall.commands import Command as BaseCommand


class Command(BaseCommand):
    help = "Bring the shipped rules into the store. What people have changed is left as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--check", action="store_true", help=_("only say what would be done; 1 if anything")
        )
        parser.add_argument(
            "--document", action="store_true", help=_("print the page about the rules instead")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["document"]:
            self.stdout.write(document(), ending="")
            return
        with transaction.atomic():
            loaded = load(
                AccountClassification,
                ClassificationRule,
                write=not options["check"],
                record=_record,
            )
        if options["as_json"]:
            self.show_json(loaded.as_json())
        else:
            self._tables(loaded)
        to_do = len(loaded.created) + len(loaded.updated) + len(loaded.classifications)
        if options["check"] and to_do:
            raise CommandError(_("%(count)s changes are to be loaded.") % {"count": to_do})

    def _tables(self, loaded: Loaded) -> None:
        found = loaded.as_json()
        differences = found.pop("differences")
        rows = [
            {"what": what, "count": len(names), "names": names if what != "unchanged" else ()}
            for what, names in found.items()
        ]
        columns = {"what": _("outcome"), "count": _("count"), "names": _("names")}
        self.show(rows, columns, as_json=False)
        if differences:
            changed = [
                {"rule": name, "field": field, "before": before, "after": after}
                for name, fields in differences.items()
                for field, (before, after) in fields.items()
            ]
            columns = {
                "rule": _("rule"),
                "field": _("field"),
                "before": _("here"),
                "after": _("in the pack"),
            }
            self.show(changed, columns, as_json=False)


def _record(rule: ClassificationRule, before: dict[str, Any] | None, version: str) -> None:
    history.record(None, rule, before, who=f"load_rules {version}")
