"""manage.py verify_engine NAME [--account A ...] [--as LOGIN --password-env VAR] [--json]"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from sync.verification import Verification, chosen, compare
from sync.work import Refused, opened
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.engines.errors import EngineError
from whalefall.engines.observed import Observation
from whalefall.engines.testimony import Unasked
from whalefall.instances.models import Instance

SHOWN = 5
COLUMNS = {
    "account": _("account"),
    "what": _("what"),
    "ours": _("WhaleFall"),
    "theirs": _("the server"),
    "said_by": _("said by"),
}


class Command(BaseCommand):
    help = _(
        "Compare what WhaleFall makes of an instance with the server's own answers. Reads only, "
        "stores nothing; fails where the two differ, or where nothing could be compared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help=_("name or id of the instance"))
        parser.add_argument("--account", action="append", default=[], help=_("only these"))
        parser.add_argument("--accounts", type=int, default=50, help=_("how many to ask about"))
        parser.add_argument(
            "--objects", type=int, default=50, help=_("of each kind, per database, to ask about")
        )
        parser.add_argument("--as", dest="login", default="", help=_("ask with another login"))
        parser.add_argument("--password-env", default="", help=_("variable with its password"))

    def handle(self, *args: Any, **options: Any) -> None:
        instance = find(Instance.objects.present().select_related("credential"), options["name"])
        try:
            found, observation = self._verified(instance, options)
        except LookupError as exc:
            raise CommandError(_("No such account: %(names)s.") % {"names": exc}) from exc
        except Refused as exc:
            raise CommandError(str(exc)) from exc
        except EngineError as exc:
            raise CommandError(f"{exc.args[0]} {exc.remedy}".strip()) from exc
        if options["as_json"]:
            self.show_json(found.as_dict())
        else:
            self._show(instance, observation, found)
        if found.differences:
            raise CommandError(_("%(count)d differences.") % {"count": len(found.differences)})
        if not found.compared:
            raise CommandError(_("Nothing could be compared."))

    def _verified(
        self, instance: Instance, options: dict[str, Any]
    ) -> tuple[Verification, Observation]:
        with opened(instance) as server:
            observation = server.observe()
            names = chosen(observation, options["accounts"], options["account"])
            rules = instance.engine.rules
            if not options["login"]:
                said = server.testify(observation, names, options["objects"])
                return compare(observation, rules, said), observation
        target = replace(instance.target(), username=options["login"], password=_password(options))
        with instance.engine.connect(target) as asked:
            said = asked.testify(observation, names, options["objects"])
            return compare(observation, rules, said), observation

    def _show(self, instance: Instance, observation: Observation, found: Verification) -> None:
        self.stdout.write(
            _("%(name)s, %(version)s: %(accounts)d accounts read.")
            % {
                "name": instance.name,
                "version": observation.version,
                "accounts": len(observation.accounts),
            }
        )
        for said_by, count in sorted(found.agreed.items()):
            self.stdout.write(
                _("%(count)d answers of %(said_by)s agree.") % {"count": count, "said_by": said_by}
            )
        if found.unknown:
            self.stdout.write(
                _("%(count)d cannot be compared: what they need could not be read in full.")
                % {"count": found.unknown}
            )
        for each in _grouped(found.unasked, instance.name):
            words = {"subject": each.subject, "reason": each.reason}
            self.stdout.write(_("Not asked: %(subject)s: %(reason)s") % words)
            if each.remedy:
                self.stdout.write(f"    {each.remedy}")
        if found.differences:
            rows = [_row(each) for each in found.differences]
            self.show(rows, COLUMNS, as_json=False, title=_("Differences"))


def _grouped(unasked: Iterable[Unasked], everything: str) -> list[Unasked]:
    """Those with the same remedy as one: usually all lack the same right."""
    groups: dict[str, list[Unasked]] = {}
    for each in unasked:
        groups.setdefault(each.remedy or each.reason, []).append(each)
    return [
        replace(found[0], subject=_names([each.subject or everything for each in found]))
        for found in groups.values()
    ]


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    rest = len(names) - SHOWN
    return shown if rest <= 0 else _("%(names)s and %(rest)d more") % {"names": shown, "rest": rest}


def _row(difference: Any) -> dict[str, Any]:
    return {name: getattr(difference, name) for name in COLUMNS}


def _password(options: dict[str, Any]) -> str:
    variable = options["password_env"]
    if not variable:
        raise CommandError(_("--as needs --password-env."))
    if variable not in os.environ:
        raise CommandError(_("The environment variable %(name)s is not set.") % {"name": variable})
    return os.environ[variable]
