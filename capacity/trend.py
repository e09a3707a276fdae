"""The trend of an instance or a database on its page: a chart, and the forecast in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from capacity import history
from capacity.chart import Mark, chart
from capacity.forecast import Day, Forecast, TooLittle
from capacity.models import InstanceDatabase
from whalefall.console import show
from whalefall.instances.models import Instance

DAYS = 365
FORECAST_DAYS = 180


def of_instance(instance: Instance) -> SafeString:
    """A year of its totals, against its limit."""
    days = history.instance_days(instance, DAYS)
    words = _words(lambda: history.forecast_instance(instance, FORECAST_DAYS))
    return _drawn(instance.name, days, words, instance.capacity_limit_bytes)


def of_database(database: InstanceDatabase) -> SafeString:
    """A year of its sizes."""
    days = history.database_days(database, DAYS)
    words = _words(lambda: history.forecast_database(database, FORECAST_DAYS))
    return _drawn(database.database_name, days, words)


def _drawn(name: str, days: Sequence[Day], words: str, limit: int | None = None) -> SafeString:
    drawn = chart(days, limit)
    context: dict[str, Any] = {
        "chart": drawn,
        "words": words,
        "label": _("Size of %(name)s by day") % {"name": name},
    }
    if drawn is not None:
        # Coordinates as text: a number would be written with the comma of the reader's language.
        context |= {
            "sizes": [_mark(mark, show.size) for mark in drawn.sizes],
            "days": [_mark(mark, str) for mark in drawn.days],
            "dots": [(f"{x:.1f}", f"{y:.1f}") for x, y in drawn.dots],
            "limit": None if drawn.limit is None else f"{drawn.limit:.1f}",
        }
    return render_to_string("capacity/trend.html", context)


def _mark(mark: Mark, text: Callable[[Any], Any]) -> dict[str, Any]:
    return {"at": f"{mark.at:.1f}", "text": text(mark.value)}


def _words(make: Callable[[], Forecast]) -> str:
    try:
        found = make()
    except TooLittle as exc:
        return str(exc)
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
        words = _("Such forecasts were off by %(error).1f %% on average, %(days)d days ahead.")
        accuracy = found.accuracy
        said.append(words % {"error": accuracy.error_percent, "days": accuracy.horizon_days})
    return " ".join(said)


def signed(size: float) -> str:
    """A change in readable units; a loss has its sign."""
    text = str(show.size(abs(round(size))))
    return f"−{text}" if round(size) < 0 else text
