"""The page that shows the whole fleet: how big, how fast, when full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from capacity import trend
from capacity.bars import Bar, bars, part
from capacity.by_month import side_by_side
from capacity.by_tag import by_tag
from capacity.chart import Spot, lines
from capacity.models import (
    DatabaseGrowth,
    InstanceDatabase,
    InstanceOutlook,
    PeriodType,
    Window,
)
from whalefall.console import show
from whalefall.console.cards import Card, list_url
from whalefall.console.menu import MenuPage
from whalefall.console.pages import change_url, page
from whalefall.words import said

OVERVIEW = "capacity_overview"
ENTRY = MenuPage(gettext_lazy("Overview"), OVERVIEW, "donut_small", 5)
SHOWN = 8
MOST_TAGS = 6
YEAR = timedelta(days=365)
SMALL = 10 * 2**20
"""Bytes below which a change in percent says little: 1 MiB that became 10 is no news."""


SOON, LATER = 30, 90
"""Days to full that are red, and yellow."""


class OverviewPage:
    """Adds the page to the console."""

    menu_pages: tuple[MenuPage, ...] = (ENTRY,)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.overview)  # type: ignore[attr-defined]
        return [path("overview/", view, name=OVERVIEW), *super().get_urls()]  # type: ignore[misc]

    def overview(self, request: HttpRequest) -> HttpResponse:
        growth = DatabaseGrowth.objects.filter(
            instance__deleted_at=None, window_days=Window.MONTH
        ).select_related("database", "instance")
        context = {
            "cards": list(_cards()),
            "by_tag": _tags(timezone.localdate()),
            "soonest": _soonest(),
            "outlook_url": list_url("capacity_instanceoutlook"),
            "movers_url": list_url("capacity_databasegrowth"),
            "percent_url": list_url("capacity_databasegrowth", o="5"),
            "databases_url": list_url("capacity_instancedatabase"),
            "by_bytes": _movers(growth.order_by("-change_bytes", "-id")),
            "by_percent": _movers(
                growth.filter(from_bytes__gte=SMALL).order_by(
                    DatabaseGrowth.LARGEST_PERCENT, "-id"
                ),
                percent=True,
            ),
            "largest": _largest(),
        }
        return page(request, "capacity/overview.html", _("Capacity"), InstanceOutlook, context)


def _present() -> QuerySet[InstanceOutlook]:
    return InstanceOutlook.objects.filter(instance__deleted_at=None)


def _cards() -> Sequence[Card]:
    found = _present().aggregate(
        total=Sum("last_bytes"),
        growth=Sum("growth_per_day"),
        instances=Count("pk", filter=Q(last_bytes__isnull=False)),
        soon=Count("pk", filter=Q(days_to_full__lte=90)),
    )
    databases = InstanceDatabase.objects.filter(is_active=True, instance__deleted_at=None)
    counted = databases.aggregate(all=Count("pk"), unknown=Count("pk", filter=~Q(reason="")))
    ledger, outlook = list_url("capacity_instancedatabase"), list_url("capacity_instanceoutlook")
    growth = trend.signed(30 * (found["growth"] or 0), plus=True)
    return [
        Card(
            _("In all"),
            show.size(found["total"]),
            list_url("capacity_instancesizestat"),
            "database",
            _("on %(n)d instances") % {"n": found["instances"]},
        ),
        Card(_("Growth in 30 days"), growth, list_url("capacity_databasegrowth"), "trending_up"),
        Card(
            _("Full within 90 days"),
            found["soon"],
            outlook,
            "hourglass_bottom",
            tone="danger" if found["soon"] else "good",
        ),
        Card(
            _("Databases"),
            counted["all"],
            ledger,
            "storage",
            _("%(n)d not measured of late") % {"n": counted["unknown"]},
            tone="warning" if counted["unknown"] else "",
        ),
    ]


def _tags(today: date) -> SafeString | str:
    """A year of weeks, a line for each of the largest tags."""
    series: dict[str | None, list[tuple[date, int]]] = {}
    for row in by_tag(PeriodType.WEEKLY, today - YEAR, today):
        series.setdefault(row["tag"], []).append((row["start"], int(row["total_bytes"])))
    largest = sorted(series.items(), key=lambda item: -item[1][-1][1])[:MOST_TAGS]
    drawn = lines([days for _tag, days in largest])
    if drawn is None:
        return _("No week has been summed up yet.")
    rows = [
        {
            "number": number,
            "line": line,
            "x": f"{x:.1f}",
            "y": f"{y:.1f}",
            "name": tag or _("no tag"),
            "size": show.size(days[-1][1]),
            "change": trend.signed(days[-1][1] - days[0][1], plus=True),
        }
        for number, ((tag, days), line, (x, y)) in enumerate(
            zip(largest, drawn.lines, drawn.ends, strict=True), 1
        )
    ]
    context = {
        "chart": drawn,
        "series": rows,
        "sizes": [trend.mark(mark, show.size) for mark in drawn.sizes],
        "days": [trend.day_mark(mark) for mark in drawn.days],
        "spots": [_week(spot, rows, largest) for spot in drawn.spots],
        "months": [
            (trend.month_name(first), [show.size(size) for size in sizes])
            for first, sizes in side_by_side([days for _tag, days in largest])
        ],
        "label": _("Sizes by tag"),
        "rest": len(series) - len(largest),
    }
    return render_to_string("capacity/lines.html", context)


def _week(spot: Spot, rows: list[dict[str, Any]], largest: Sequence[Any]) -> dict[str, str]:
    """What the tags were in the week that is pointed at."""
    sizes = [dict(days).get(spot.day) for _tag, days in largest]
    said = [
        f"{row['name']}: {show.size(size)}"
        for row, size in zip(rows, sizes, strict=True)
        if size is not None
    ]
    return {
        "x": f"{spot.x:.1f}",
        "left": f"{spot.left:.1f}",
        "width": f"{spot.width:.1f}",
        "text": "\n".join([str(spot.day), *said]),
    }


def days_badge(row: InstanceOutlook) -> Any:
    """Days to full with their interval; the reason where there are none."""
    if row.days_to_full is None:
        return format_html('<span class="wf-quiet">{}</span>', said(row.reason))
    days = row.days_to_full
    tone = "danger" if days <= SOON else "warning" if days <= LATER else "neutral"
    latest = "∞" if row.latest_days is None else row.latest_days
    interval = f"{row.earliest_days} – {latest}"
    text = _("%(days)d days") % {"days": days}
    return format_html(
        '<span class="wf-time">{} {}</span>', show.badge(text, tone), interval if days else ""
    )


def _soonest() -> list[list[Any]]:
    """Instance, badge with the days, how full it is."""
    found = _present().filter(days_to_full__isnull=False).select_related("instance")
    return [
        [
            show.link(change_url(row.instance), row.instance),
            days_badge(row),
            format_html('<span class="wf-time">{}</span>', str(row.full_on or show.EMPTY)),
            part(row.last_bytes or 0, row.limit_bytes or 1),
        ]
        for row in found.order_by("days_to_full", "pk")[:SHOWN]
    ]


def _movers(found: QuerySet[DatabaseGrowth], percent: bool = False) -> SafeString | str:
    rows = [row for row in found[:SHOWN] if row.change_bytes > 0]
    if not rows:
        return _("Nothing grew, or nothing has been measured for 30 days.")
    return bars(
        [
            Bar(
                f"{row.database} · {row.instance}",
                (row.change_percent or 0) if percent else row.change_bytes,
                0,
                trend.percent(row.change_percent or 0)
                if percent
                else trend.signed(row.change_bytes, plus=True),
                change_url(row.database),
            )
            for row in rows
        ]
    )


def _largest() -> SafeString | str:
    found = InstanceDatabase.objects.filter(
        is_active=True, instance__deleted_at=None, size_bytes__isnull=False
    ).select_related("instance")
    rows = list(found.order_by(F("size_bytes").desc(nulls_last=True), "-pk")[:SHOWN])
    if not rows:
        return _("Nothing has been measured yet.")
    return bars(
        [
            Bar(
                f"{row.database_name} · {row.instance}",
                row.size_bytes or 0,
                0,
                show.size(row.size_bytes),
                change_url(row),
            )
            for row in rows
        ]
    )
