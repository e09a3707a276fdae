"""manage.py access PRIVILEGE OBJECT [--scope S] [--json]: who has it, and by which path."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from accounts.access import Access, UnknownQuestion
from accounts.models import AccountPermission
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.engines import DB_TYPES
from whalefall.engines.observed import Scope
from whalefall.instances.models import Instance


class Command(BaseCommand):
    help = _("Who has PRIVILEGE on OBJECT, on any watched server, and by which path.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("privilege", help=_("SELECT, UPDATE, 'CREATE USER' ..."))
        parser.add_argument(
            "object", nargs="?", default="", help=_("sales, sales.orders; left out: server-wide")
        )
        parser.add_argument("--scope", default="", help=", ".join(Scope))
        parser.add_argument("--database", default="", help=_("where the object lives"))
        parser.add_argument("--instance", help=_("name or id of an instance"))
        parser.add_argument("--reach", action="store_true", help=_("also who needs SET ROLE first"))
        parser.add_argument("--no-public", action="store_true", help=_("without PUBLIC's rows"))

    def handle(self, *args: Any, **options: Any) -> None:
        access = self._access(options)
        rows = [_row(access, found) for found in access.accounts().iterator(chunk_size=500)]
        unknown = access.unknown()
        if options["as_json"]:
            self.show_json(
                {"accounts": rows, "unknown": unknown, "understood": access.understood()}
            )
            return
        for each in access.understood():
            self.stdout.write(_understood(access.privilege, each))
        columns = {
            "instance": _("instance"),
            "username": _("account"),
            "kind": _("kind"),
            "how": _("how"),
        }
        self.show(rows, columns, as_json=False)
        for there in unknown:
            self.stderr.write(
                _("Not all could be read on %(instance)s: %(accounts)d accounts may have it.")
                % there
            )

    def _access(self, options: dict[str, Any]) -> Access:
        instances = Instance.objects.present()
        if options["instance"]:
            instances = instances.filter(pk=find(instances, options["instance"]).pk)
        try:
            return Access(
                options["privilege"],
                options["object"],
                scope=options["scope"],
                database=options["database"],
                instances=instances,
                reach=options["reach"],
                public=not options["no_public"],
            )
        except UnknownQuestion as exc:
            raise CommandError(str(exc)) from exc


def _understood(privilege: str, asked: dict[str, str]) -> str:
    engine = DB_TYPES[asked["db_type"]]
    if not asked["object"]:
        return _("%(engine)s: %(privilege)s on the whole server") % {
            "engine": engine,
            "privilege": privilege,
        }
    return _("%(engine)s: %(privilege)s on %(scope)s %(object)s") % {
        "engine": engine,
        "privilege": privilege,
        "scope": asked["scope"],
        "object": asked["object"],
    }


def _row(access: Access, found: AccountPermission) -> dict[str, Any]:
    ways = access.ways(found)
    return {
        "id": found.account_id,
        "instance": found.instance.name,
        "db_type": found.db_type,
        "username": found.account.username,
        "kind": found.account.kind,
        "how": ways[0].text if ways else "",
        "ways": [
            {"path": way.path, "set_role": way.needs_set_role, "text": way.text} for way in ways
        ],
    }
