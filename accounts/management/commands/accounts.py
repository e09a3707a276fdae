"""manage.py accounts [--instance NAME] [--privilege P [--object O]] [--json]"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import listing
from accounts.access import Access, UnknownQuestion
from accounts.models import AccountPermission, PermissionQuerySet
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.instances.models import Instance

SHOWN = 200


class Command(BaseCommand):
    help = _("List accounts on watched servers.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--instance", help=_("name or id of an instance"))
        parser.add_argument("--search", help=_("a part of the account's or the instance's name"))
        parser.add_argument("--superuser", action="store_true", help=_("superusers only"))
        parser.add_argument("--privilege", help=_("who has this privilege somewhere"))
        parser.add_argument("--object", help=_("... or on this object: sales.orders"))
        parser.add_argument(
            "--all", action="store_true", help=_("also those that come with the product")
        )
        parser.add_argument(
            "--limit", type=int, help=_("so many at most (table: %d, JSON: all)") % SHOWN
        )
        for option in listing.OPTIONS.values():
            parser.add_argument(f"--{option.name}", help=option.help)

    def handle(self, *args: Any, **options: Any) -> None:
        rows = self._narrowed(options)
        as_json, limit = options["as_json"], options["limit"]
        if limit is not None and limit < 1:
            raise CommandError(_("--limit must be at least 1."))
        limit = limit or (None if as_json else SHOWN)
        shown = self.show(map(_row, rows[:limit].iterator(chunk_size=1000)), _columns(), as_json)
        if not as_json and shown == limit:
            counts = {"shown": shown, "total": rows.count()}
            self.stdout.write(_("%(shown)d of %(total)d accounts.") % counts)

    def _narrowed(self, options: dict[str, Any]) -> PermissionQuerySet:
        instances = Instance.objects.present()
        if options["instance"]:
            instances = instances.filter(pk=find(instances, options["instance"]).pk)
        rows = AccountPermission.objects.present().filter(instance__in=instances.values("pk"))
        if not options["all"]:
            rows = rows.shown()
        if options["object"] and not options["privilege"]:
            raise CommandError(_("--object needs --privilege."))
        if options["object"]:
            rows = rows.filter(pk__in=_holders(options, instances).values("pk"))
        elif options["privilege"]:
            rows = rows.holding(options["privilege"])
        if options["superuser"]:
            rows = rows.filter(is_superuser=True)
        if options["search"]:
            rows = rows.search(options["search"])
        for option in listing.OPTIONS.values():
            if (value := options.get(option.name)) is not None:
                rows = option.narrow(rows, value)
        rows = rows.listed()
        for column in listing.COLUMNS.values():
            rows = column.prepare(rows)
        return rows


def _holders(options: dict[str, Any], instances: QuerySet[Instance]) -> QuerySet[AccountPermission]:
    try:
        access = Access(options["privilege"], options["object"], instances=instances)
    except UnknownQuestion as exc:
        raise CommandError(str(exc)) from exc
    return access.accounts().order_by().select_related(None)


def _columns() -> dict[str, str]:
    return {
        "instance": _("instance"),
        "username": _("account"),
        "kind": _("kind"),
        "is_superuser": _("superuser"),
        "is_locked": _("locked"),
        "can_login": _("can log in"),
        "valid_until": _("valid until"),
        "last_login_at": _("last login"),
        "last_change": _("last change"),
        **{column.name: str(column.heading) for column in listing.COLUMNS.values()},
    }


def _row(permission: AccountPermission) -> dict[str, Any]:
    account = permission.account
    return {
        "id": account.pk,
        "instance": permission.instance.name,
        "db_type": permission.db_type,
        "username": account.username,
        "kind": account.kind,
        "is_superuser": permission.is_superuser,
        "is_locked": permission.is_locked,
        "can_login": permission.can_login,
        "valid_until": permission.valid_until,
        "last_login_at": permission.last_login_at,
        "last_change": f"{permission.last_change_time:%F %R} {permission.last_change_type}",
        **{column.name: column.value(permission) for column in listing.COLUMNS.values()},
    }
