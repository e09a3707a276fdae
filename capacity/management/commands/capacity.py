"""`manage.py capacity full|movers|tags [--tag T] [--instance NAME] [--limit N] [--json]`"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.by_tag import by_tag
from capacity.models import DatabaseGrowth, InstanceOutlook, PeriodType, Window
from capacity.trend import percent, signed
from whalefall.commands import Command as BaseCommand
from whalefall.commands import find
from whalefall.console import show
from whalefall.instances.models import Instance

FULL = {
    "instance": _("instance"),
    "size": _("size"),
    "limit": _("limit"),
    "per_day": _("growth per day"),
    "days_to_full": _("days to full"),
    "interval": _("between"),
    "full_on": _("full on"),
    "reason": _("why not"),
}
MOVERS = {
    "instance": _("instance"),
    "database": _("database"),
    "before": _("before"),
    "size": _("size"),
    "change": _("change"),
    "percent": _("in percent"),
    "from_day": _("from"),
    "to_day": _("to"),
}
TAGS = {
    "tag": _("tag"),
    "period_start": _("from"),
    "instances": _("instances"),
    "size": _("size"),
    "change": _("change"),
}
PERIODS = 3


class Command(BaseCommand):
    help = _("Which instances are full when, which databases grew most, sizes by tag.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("what", choices=("full", "movers", "tags"))
        parser.add_argument("--instance", metavar="NAME", help=_("only this one (name or id)"))
        parser.add_argument("--tag", help=_("only instances with this tag"))
        parser.add_argument("--limit", type=int, default=20, help=_("so many rows (20)"))
        parser.add_argument(
            "--window",
            type=int,
            choices=Window.values,
            default=30,
            help=_("movers: over days (30)"),
        )
        parser.add_argument(
            "--by", choices=("bytes", "percent"), default="bytes", help=_("movers: in what order")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows, columns = {"full": (_full, FULL), "movers": (_movers, MOVERS), "tags": (_tags, TAGS)}[
            options["what"]
        ]
        found = list(rows(options))
        if not options["as_json"]:
            found = [{name: row[name] for name in columns} for row in found]
        self.show(found, columns, options["as_json"])


def _of(rows: QuerySet[Any], options: dict[str, Any]) -> QuerySet[Any]:
    rows = rows.filter(instance__deleted_at=None).select_related("instance")
    if options["instance"]:
        rows = rows.filter(instance=find(Instance.objects.present(), options["instance"]))
    if options["tag"]:
        rows = rows.filter(instance__tags__name=options["tag"])
    return rows


def _full(options: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for row in _of(InstanceOutlook.objects.order_by("days_to_full", "pk"), options)[
        : options["limit"]
    ]:
        is_known = row.days_to_full is not None
        latest = "∞" if row.latest_days is None else row.latest_days
        yield {
            "instance": row.instance.name,
            "size": str(show.size(row.last_bytes)) if row.last_bytes is not None else show.EMPTY,
            "limit": str(show.size(row.limit_bytes)) if row.limit_bytes else show.EMPTY,
            "per_day": show.EMPTY
            if row.growth_per_day is None
            else signed(row.growth_per_day, plus=True),
            "days_to_full": row.days_to_full if is_known else show.EMPTY,
            "interval": f"{row.earliest_days} – {latest}" if is_known else show.EMPTY,
            "full_on": str(row.full_on or show.EMPTY),
            "reason": row.reason,
            "size_bytes": row.last_bytes,
            "limit_bytes": row.limit_bytes,
            "growth_per_day": row.growth_per_day,
            "earliest_days": row.earliest_days,
            "latest_days": row.latest_days,
        }


def _movers(options: dict[str, Any]) -> Iterable[dict[str, Any]]:
    order = "-change_bytes" if options["by"] == "bytes" else DatabaseGrowth.LARGEST_PERCENT
    rows = DatabaseGrowth.objects.filter(window_days=options["window"]).select_related("database")
    for row in _of(rows.order_by(order, "-pk"), options)[: options["limit"]]:
        yield {
            "instance": row.instance.name,
            "database": row.database.database_name,
            "before": str(show.size(row.from_bytes)),
            "size": str(show.size(row.to_bytes)),
            "change": signed(row.change_bytes, plus=True),
            "percent": show.EMPTY if row.change_percent is None else percent(row.change_percent),
            "from_day": str(row.from_day),
            "to_day": str(row.to_day),
            "from_bytes": row.from_bytes,
            "to_bytes": row.to_bytes,
            "change_bytes": row.change_bytes,
            "change_percent": row.change_percent,
        }


def _tags(options: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The last months of each tag."""
    today = timezone.localdate()
    for row in by_tag(PeriodType.MONTHLY, today - timedelta(days=31 * PERIODS), today):
        if options["tag"] in (None, row["tag"]):
            yield {
                "tag": row["tag"] or show.EMPTY,
                "period_start": str(row["start"]),
                "instances": row["instances"],
                "size": str(show.size(row["total_bytes"])),
                "change": signed(row["change"], plus=True),
                "total_bytes": int(row["total_bytes"]),
                "change_bytes": int(row["change"]),
            }
