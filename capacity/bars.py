"""Bars of sizes as HTML: the largest of something, each as long as it is large."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from capacity.models import InstanceDatabase
from whalefall.console import show
from whalefall.console.pages import change_url
from whalefall.instances.models import Instance

MOST = 12
FULL, NEARLY = 90, 75


@dataclass(frozen=True, slots=True)
class Bar:
    """`first` and `second` are parts of one bar, one after the other."""

    name: Any
    first: float
    second: float = 0
    text: Any = ""
    url: str = ""
    is_loss: bool = False


def bars(rows: Sequence[Bar], legend: tuple[Any, Any] | None = None, rest: Any = "") -> SafeString:
    """The longest takes the whole width. `legend` names the two parts, `rest` what is left out."""
    longest = max((abs(row.first) + row.second for row in rows), default=0) or 1
    drawn = [
        # As text: a number would be written with the comma of the reader's language.
        {
            "row": row,
            "first": f"{100 * abs(row.first) / longest:.2f}",
            "second": f"{100 * row.second / longest:.2f}",
        }
        for row in rows
    ]
    context = {"bars": drawn, "legend": legend, "rest": rest}
    return render_to_string("capacity/bars.html", context)


def part(used: float, whole: float) -> SafeString:
    """How full something is as a small bar: red from 90 %, yellow from 75 %."""
    percent = min(100 * used / whole, 100) if whole else 100
    tone = "bad" if percent >= FULL else "warn" if percent >= NEARLY else "fill"
    return format_html(
        '<span class="wf-bar"><span class="wf-bar-{}" style="width: {}%"></span></span>',
        tone,
        f"{percent:.1f}",
    )


def of_tables(database: InstanceDatabase) -> Any:
    """Its largest tables, data and indexes."""
    tables = list(database.table_sizes.largest()[: MOST + 1])
    if not tables:
        return database.tables_reason or _("Its tables have not been measured.")
    rows = [
        Bar(
            f"{table.schema_name}.{table.table_name}" if table.schema_name else table.table_name,
            table.data_bytes or 0,
            table.index_bytes or 0,
            show.size(table.total_bytes),  # type: ignore[attr-defined]
        )
        for table in tables[:MOST]
    ]
    return bars(rows, (_("data"), _("indexes")), _more(tables))


def of_instance(instance: Instance) -> Any:
    """Its largest databases that are present."""
    found = list(
        InstanceDatabase.objects.filter(
            instance=instance, is_active=True, size_bytes__isnull=False
        ).order_by("-size_bytes", "pk")[: MOST + 1]
    )
    if not found:
        return show.EMPTY
    return bars([_database(each) for each in found[:MOST]], rest=_more(found))


def _database(database: InstanceDatabase) -> Bar:
    size = database.size_bytes or 0
    return Bar(database.database_name, size, 0, show.size(size), change_url(database))


def _more(found: Sequence[Any]) -> Any:
    return _("There are more, which are smaller.") if len(found) > MOST else ""


def of_volumes(instance: Instance) -> Any:
    """Its volumes, and how full they are."""
    volumes = instance.volumes.order_by("volume_name")
    lines: Iterable[SafeString] = [
        format_html(
            "{}{} {}",
            part(volume.used_percent, 100),
            volume.volume_name,
            _("%(free)s of %(total)s free")
            % {"free": show.size(volume.free_bytes), "total": show.size(volume.total_bytes)},
        )
        for volume in volumes
        if volume.used_percent is not None
    ]
    return format_html("<br>".join("{}" for _line in lines), *lines) if lines else show.EMPTY
