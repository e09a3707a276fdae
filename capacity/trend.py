"""The trend of an instance or a database on its page: a chart, and the forecast in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from capacity import history
from capacity.by_month import Month, months
from capacity.chart import Gap, Mark, Spot, chart
from capacity.forecast import Day, Forecast, TooLittle
from capacity.models import InstanceDatabase
from whalefall.console import show
from whalefall.instances.models import Instance

DAYS = 365
FORECAST_DAYS = 180
EVERY = 1
"""Days between two readings; where it is more, days are missing."""


def of_instance(instance: Instance) -> SafeString:
    """A year of its totals, against its limit."""
    days = history.instance_days(instance, DAYS)
    found = _made(lambda: history.forecast_instance(instance, FORECAST_DAYS))
    limit = instance.capacity_limit_bytes
    if isinstance(found, Forecast):
        limit = found.full.limit_bytes
    return _drawn(instance.name, days, found, limit)


def of_database(database: InstanceDatabase) -> SafeString:
    """A year of its sizes; of what is used in its files where these have a limit."""
    limit = database.limit_bytes
    read = history.database_days if limit is None else history.used_days
    found = _made(lambda: history.forecast_database(database, FORECAST_DAYS))
    return _drawn(database.database_name, read(database, DAYS), found, limit)


def _made(make: Callable[[], Forecast]) -> Forecast | str:
    """The forecast, or why there is none."""
    try:
        return make()
    except TooLittle as exc:
        return str(exc)


def _drawn(
    name: str, days: Sequence[Day], found: Forecast | str, limit: int | None = None
) -> SafeString:
    growth, off = None, 0.0
    if isinstance(found, Forecast):
        growth = (found.growth.per_day, found.growth.low, found.growth.high)
        off = found.last_bytes * (found.accuracy.error_percent or 0) / 100
    drawn = chart(days, limit, growth=growth, off=off, every=EVERY)
    context: dict[str, Any] = {
        "chart": drawn,
        "words": _words(found) if isinstance(found, Forecast) else found,
        "label": _("Size of %(name)s by day") % {"name": name},
    }
    if drawn is not None:
        # Coordinates as text: a number would be written with the comma of the reader's language.
        context |= {
            "sizes": [mark(each, show.size) for each in drawn.sizes],
            "days": [day_mark(each) for each in drawn.days],
            "dots": [(f"{x:.1f}", f"{y:.1f}") for x, y in drawn.dots],
            "spots": [_spot(spot) for spot in drawn.spots],
            "stretches": drawn.stretches,
            "gaps": [_gap(gap) for gap in drawn.gaps],
            "months": [_month(month) for month in reversed(months(days))],
            "limit": None if drawn.limit is None else f"{drawn.limit:.1f}",
            # Below its line where there is no room above it.
            "limit_dy": "-4" if drawn.limit is None or drawn.limit > drawn.top + 12 else "13",
            "limit_text": _("limit: %(size)s") % {"size": show.size(limit)},
        }
    return render_to_string("capacity/trend.html", context)


def _spot(spot: Spot) -> dict[str, Any]:
    numbers = {name: f"{getattr(spot, name):.1f}" for name in ("x", "y", "left", "width")}
    return numbers | {"text": f"{spot.day}: {show.size(spot.size)}"}


def _gap(gap: Gap) -> dict[str, str]:
    days = str(gap.first) if gap.first == gap.last else f"{gap.first} – {gap.last}"
    return {
        "left": f"{gap.left:.1f}",
        "width": f"{gap.width:.1f}",
        "text": _("%(days)s: not measured") % {"days": days},
    }


def _month(month: Month) -> dict[str, Any]:
    change = show.EMPTY if month.change is None else signed(month.change, plus=True)
    return {
        "name": month_name(month.first),
        "size": show.size(month.size),
        "change": change,
        "measured": month.measured,
    }


def month_name(first: date) -> str:
    """As the reader's language writes it: Sep 2026."""
    # Translators: a month and its year on an axis, in Django's letters for dates.
    return date_format(first, _("M Y"))


def day_mark(place: Mark) -> dict[str, Any]:
    """A day on an axis; the first of a month, where months are marked, as its name."""
    day = place.value
    if isinstance(day, date) and place.is_month:
        return mark(place, month_name)
    return mark(place, str)


def mark(place: Mark, text: Callable[[Any], Any]) -> dict[str, Any]:
    """What the template writes on an axis; coordinates as text."""
    return {"at": f"{place.at:.1f}", "text": text(place.value), "anchor": place.anchor}


def _words(found: Forecast) -> str:
    said = [
        _("%(size)s on %(day)s, growing by %(growth)s a day (%(low)s to %(high)s).")
        % {
            "size": show.size(found.last_bytes),
            "day": found.last_day,
            "growth": signed(found.growth.per_day),
            "low": signed(found.growth.low),
            "high": signed(found.growth.high),
        }
    ]
    full = found.full
    if full.limit_bytes is not None and full.days is not None:
        words = _("Its limit of %(limit)s is reached in %(days)d days, on %(day)s.")
        said.append(
            words % {"limit": show.size(full.limit_bytes), "days": full.days, "day": full.on or "–"}
        )
    elif full.limit_bytes is not None:
        said.append(full.reason)
    if found.accuracy.error_percent is not None:
        words = _("Such forecasts were off by %(error).1f %% on average, %(days)d days ahead.")
        accuracy = found.accuracy
        said.append(words % {"error": accuracy.error_percent, "days": accuracy.horizon_days})
    return " ".join(said)


def signed(size: float, plus: bool = False) -> str:
    """A change in readable units; a loss has its sign, a gain as well with `plus`."""
    number = round(size)
    text = str(show.size(abs(number)))
    return f"−{text}" if number < 0 else f"+{text}" if plus and number else text


def percent(change: float) -> str:
    """With its sign; large ones without decimals."""
    text = f"{abs(change):.1f} %" if abs(change) < 100 else f"{abs(change):,.0f} %"
    return f"−{text}" if change < 0 else f"+{text}"
